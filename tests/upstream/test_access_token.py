"""The access token for the partner service: one for all, renewed in time, sealed, and nobody else's."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, select, update

from bff.common.errors import PartnerUnavailable
from bff.common.secret import Secret
from bff.identity.principal import AccountRef
from bff.serving.database import open_database
from bff.storage.schema import SCHEMA
from bff.storage.sealing import CannotOpen, Place, Sealing
from bff.storage.tables import upstream_tokens
from bff.upstream.access_tokens import AccessToken
from bff.upstream.bearer import AGAIN_SECONDS, Bearer
from bff.upstream.shared_token import LEASE, SharedToken
from tests.support.databases import DatabaseUrl
from tests.support.raw_server import ACCESS_TOKEN, ACCOUNT, Api, client_of, play, send

KEYS = (Secret("n" * 40), Secret("o" * 40))
LIFE = 1000.0
DAYS = 100 * 86400.0
PLACE = Place("upstream_tokens", "a row", "sealed")


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        """The time."""
        return self.now


class Source:
    """Numbered tokens, or failures; ``act`` runs inside the call."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.calls = 0
        self.fails = False
        self.act: Callable[[], None] = lambda: None
        self.lock = threading.Lock()

    def obtain(self, unlike: Collection[Secret], *, patient: bool) -> AccessToken:
        """The next token."""
        with self.lock:
            self.calls += 1
            number = self.calls
        self.act()
        if self.fails:
            raise PartnerUnavailable("it is out of order")
        return AccessToken(Secret(f"{ACCESS_TOKEN}-{number}"), LIFE, self.clock() + LIFE)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def source(clock: Clock) -> Source:
    return Source(clock)


@pytest.fixture
def engine(tmp_path: Path, database_url: DatabaseUrl) -> Iterator[Engine]:
    """A database with our tables."""
    engine = open_database(database_url(tmp_path, "bff"))
    SCHEMA.upgrade(engine)
    yield engine
    engine.dispose()


def worker(source: Source, engine: Engine, keys: tuple[Secret, ...] = KEYS) -> Bearer:
    """What one worker process has."""
    return Bearer(SharedToken(source, engine, Sealing(keys), "url\nclient", source.clock), source.clock)


def test_a55_one_token_serves_many_threads() -> None:
    """Thirty calls at once fetch one access token."""
    api = Api()
    with play(api) as (url, _), ThreadPoolExecutor(30) as pool:
        client = client_of(url)
        assert list(pool.map(lambda _: client.list_account_connectors(ACCOUNT), range(30))) == [[]] * 30
    assert api.tokens == 1


def test_a55_a_refused_token_is_renewed_once() -> None:
    """A 401 before the token's time: one new token, one repetition, and the call goes on."""
    api = Api(refuse=1)
    with play(api) as (url, _):
        assert client_of(url).list_account_connectors(ACCOUNT) == []
    assert api.tokens == 2


def test_a55_a_failure_is_not_remembered(source: Source) -> None:
    """Those who waited are told; whoever comes next asks again."""
    bearer = Bearer(source, source.clock)
    source.fails = True
    for _ in range(2):
        with pytest.raises(PartnerUnavailable):
            bearer.token()
    source.fails = False
    assert bearer.token().reveal().startswith(ACCESS_TOKEN)
    assert source.calls == 3


def test_a55_the_old_token_serves_while_renewal_fails(source: Source, clock: Clock) -> None:
    """Until it ends. Meanwhile the endpoint is asked now and then, not by every call."""
    bearer = Bearer(source, clock)
    first = bearer.token()
    source.fails = True
    clock.now += LIFE * 0.95
    assert [bearer.token() for _ in range(20)] == [first] * 20
    assert source.calls == 2
    clock.now += AGAIN_SECONDS * 1.5
    assert bearer.token() == first
    assert source.calls == 3
    clock.now += LIFE * 0.05
    with pytest.raises(PartnerUnavailable):
        bearer.token()
    source.fails = False
    assert bearer.token() != first


def test_a55_nobody_waits_for_an_early_renewal(source: Source, clock: Clock) -> None:
    """While one thread renews, the others go on with the old token."""
    bearer = Bearer(source, clock)
    first, begun, go_on = bearer.token(), threading.Event(), threading.Event()

    def act() -> None:
        begun.set()
        go_on.wait(20)

    source.act = act
    clock.now += LIFE * 0.95
    with ThreadPoolExecutor(1) as pool:
        renewing = pool.submit(bearer.token)
        assert begun.wait(20)
        assert bearer.token() == first
        go_on.set()
        assert renewing.result() != first


@given(st.floats(1, 10**7), st.lists(st.floats(0, 1, exclude_max=True), min_size=2, unique=True))
def test_a55_renewal_is_early_and_not_for_all_at_once(life: float, chances: list[float]) -> None:
    """Within the last fifth of its life, ten minutes at most before its end, at another moment for each."""
    token = AccessToken(Secret("x"), life, life)
    moments = [token.renew_at(chance) for chance in chances]
    assert all(max(life * 0.8, life - 600) - 1e-6 <= moment < life for moment in moments)
    if max(chances) - min(chances) > 0.01:
        assert len(set(moments)) > 1


def test_a55_workers_share_one_token(source: Source, engine: Engine) -> None:
    """Eight workers begin at the same moment: one fetches, and all have the same."""
    together = threading.Barrier(8)

    def begin(_: int) -> str:
        bearer = worker(source, engine)
        together.wait(20)
        return bearer.token().reveal()

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(begin, range(8)))) == 1
    assert source.calls == 1


def test_a55_a_token_refused_to_many_workers_is_renewed_once(source: Source, engine: Engine) -> None:
    """Revoked at the partner service: eight workers meet a 401, one fetches the next."""
    workers = [worker(source, engine) for _ in range(8)]
    old = {bearer.token().reveal() for bearer in workers}
    assert len(old) == 1
    stale = Secret(old.pop())
    with ThreadPoolExecutor(8) as pool:
        new = set(pool.map(lambda bearer: bearer.renew(stale).reveal(), workers))
    assert len(new) == 1
    assert new != {stale.reveal()}
    assert source.calls == 2


def test_a55_a_worker_that_dies_holds_nobody_up_for_long(
    source: Source, engine: Engine, clock: Clock
) -> None:
    """It was fetching; when its lease has run out, another one does."""
    dead = SharedToken(source, engine, Sealing(KEYS), "url\nclient", clock)
    assert dead._claim()
    assert not dead._claim()
    clock.now += LEASE.total_seconds()
    assert worker(source, engine).token().reveal() == f"{ACCESS_TOKEN}-1"


def test_a73_what_a_wrong_clock_has_stored_holds_nobody_up(
    source: Source, engine: Engine, clock: Clock
) -> None:
    """A lease ends no later than one of now would, and an access token after its life."""
    clock.now += DAYS
    ahead = SharedToken(source, engine, Sealing(KEYS), "url\nclient", clock)
    assert ahead._claim()
    clock.now -= DAYS
    assert worker(source, engine).token().reveal() == f"{ACCESS_TOKEN}-1"
    clock.now += DAYS
    worker(source, engine).token()
    clock.now -= DAYS
    held = worker(source, engine)
    assert held.token().reveal() == f"{ACCESS_TOKEN}-2"
    clock.now += LIFE
    assert held.token().reveal() != f"{ACCESS_TOKEN}-2"


def test_a55_a_failed_fetch_lets_the_next_worker_try(source: Source, engine: Engine) -> None:
    """The lease ends with the failure."""
    source.fails = True
    with pytest.raises(PartnerUnavailable):
        worker(source, engine).token()
    source.fails = False
    assert worker(source, engine).token().reveal() == f"{ACCESS_TOKEN}-2"


def test_a55_without_its_database_a_worker_asks_for_itself(source: Source, tmp_path: Path) -> None:
    """The cache is a cache: when it is out of order, calls still go out."""
    engine = open_database(f"sqlite:///{tmp_path}/without-tables.db")
    assert worker(source, engine).token().reveal() == f"{ACCESS_TOKEN}-1"
    engine.dispose()


def test_a55_the_database_does_not_tell_the_token(source: Source, engine: Engine) -> None:
    """Sealed; with a key that is gone, or swapped or changed, it does not open, and a new one is fetched."""
    worker(source, engine).token()
    row = stored(engine)
    assert ACCESS_TOKEN not in json.dumps(row, default=str)
    assert worker(source, engine).token().reveal() == f"{ACCESS_TOKEN}-1"
    rotated = (Secret("r" * 40), *KEYS)
    assert worker(source, engine, rotated).token().reveal() == f"{ACCESS_TOKEN}-1"
    assert worker(source, engine, (Secret("x" * 40),)).token().reveal() == f"{ACCESS_TOKEN}-2"
    with engine.begin() as connection:
        connection.execute(update(upstream_tokens).values(sealed=row["sealed"][:-4] + "AAAA"))
    assert worker(source, engine).token().reveal() == f"{ACCESS_TOKEN}-3"


def stored(engine: Engine) -> dict[str, Any]:
    """The one row."""
    with engine.connect() as connection:
        return dict(connection.execute(select(upstream_tokens)).one()._mapping)


@given(st.text(), st.text())
def test_a55_what_is_sealed_opens_in_its_place_only(text: str, row: str) -> None:
    """Another row, table or column, or a key that is gone: it does not open, and says nothing of itself."""
    old, both = Sealing(KEYS[1:]), Sealing(KEYS)
    sealed = old.seal(Secret(text), PLACE)
    assert both.open(sealed, PLACE).reveal() == text
    assert both.seal(Secret(text), PLACE) != both.seal(Secret(text), PLACE)
    places = [Place(row + "x", "a row", "sealed"), Place("upstream_tokens", row + "x", "sealed")]
    for place in [*places, Place("upstream_tokens", "a row", row + "x")]:
        with pytest.raises(CannotOpen):
            both.open(sealed, place)
    with pytest.raises(CannotOpen):
        old.open(both.seal(Secret(text), PLACE), PLACE)
    for spoilt in (sealed[:-3], sealed.replace("v1.", "v2."), "", "v1.x.y.z", row):
        with pytest.raises(CannotOpen):
            both.open(spoilt, PLACE)


def test_a55_nobody_is_answered_for_another() -> None:
    """Twenty users with fifty calls each, all at once through one client: each reads its own canary."""

    def act(connection: socket.socket, request: bytes, over: threading.Event) -> None:
        if request.startswith(b"POST /oauth/token"):
            Api()(connection, request, over)
            return
        account = next(
            line.split(b": ")[1] for line in request.split(b"\r\n") if line.startswith(b"X-Cyclr-Account")
        )
        path = unquote(request.split(b" ")[1].decode())
        item = {"Id": int(path.rsplit("/", 1)[1]), "Name": account.decode(), "Authenticated": True}
        document = json.dumps(item | {"Connector": {"Id": 1, "Name": "a"}}).encode()
        send(connection, 200, document, "Set-Cookie: user=" + account.decode())

    with play(act) as (url, seen), ThreadPoolExecutor(50) as pool:
        client = client_of(url)

        def call(number: int) -> bool:
            user = f"canary-{number % 20}"
            found = client.get_account_connector(AccountRef(user, user), number)
            return found is not None and (found.id, found.name) == (number, user)

        assert all(pool.map(call, range(1000)))
        assert not any(b"cookie:" in request.lower() for request in seen)
