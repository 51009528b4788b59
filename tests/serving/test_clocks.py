"""Time that decides about stored things is the database's (A73): a machine's wrong clock ends nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import time_machine
from limits import RateLimitItemPerMinute
from sqlalchemy import Connection, Engine, event, func, select

from bff import wiring
from bff.common.errors import NotSignedIn
from bff.common.secret import Secret
from bff.content.logos.logo import check_logo
from bff.identity.principal import AccountRef, Principal, User
from bff.identity.sessions import CLOCK_TOLERANCE
from bff.partner.storage.database import Database
from bff.serving.database import open_database
from bff.serving.store_clock import ASK, StoreClock
from bff.settings import load_settings
from bff.storage.schema import SCHEMA
from bff.storage.sealing import Sealing
from bff.storage.tables import attempts
from bff.upstream.client import PartnerClient
from bff.web.kit.services import Services
from bff.web.kit.session_tokens import SessionTokens
from bff.wiring import build_services
from tests.serving.test_reload import world_of
from tests.serving.test_storage import LONG
from tests.support.databases import DatabaseUrl
from tests.support.pictures import png
from tests.support.ports import free_port
from tests.support.programs import ROOT, bff_environment, run, run_bff
from tests.support.raw_server import ACCOUNT, Api, play
from tests.support.waiting import wait_for
from tests.support.world import build_bff

DAYS = timedelta(days=100)
ADA = Principal("demo", AccountRef("acme", "Acme"), User("ada", None, None, None), None)


def ahead(by: timedelta) -> time_machine.travel:
    """In the block this machine's clock is wrong by so much; the database's is right."""
    return time_machine.travel(datetime.now(UTC) + by)


def test_one_clock_serves_all_of_a_bff(tmp_path: Path) -> None:
    """The database is asked at the start once: a clock of somebody's own would never be put right again."""
    asked: list[str] = []

    def note(connection: Connection, _cursor: object, statement: str, *_: object) -> None:
        # Programs of other tests may keep house in this process meanwhile.
        is_its = str(tmp_path) in str(connection.engine.url)
        asked.extend([statement] if is_its and statement in ASK.values() else [])

    event.listen(Engine, "before_cursor_execute", note)
    try:
        build_bff("https://bff.example", tmp_path, "http://127.0.0.1:1")
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    assert len(asked) == 1


@pytest.mark.parametrize("by", [DAYS, -DAYS, timedelta(seconds=20)])
def test_a73_the_present_is_the_databases(database_url: DatabaseUrl, tmp_path: Path, by: timedelta) -> None:
    """However wrong a machine's clock is, ahead or behind, both programs go by the database's."""
    for engine in (
        open_database(database_url(tmp_path, "bff")),
        Database(database_url(tmp_path, "partner")).engine,
    ):
        right = datetime.now(UTC)
        with ahead(by):
            told = StoreClock(engine)(), StoreClock(engine).cautious()
        assert all(abs(each - right) < CLOCK_TOLERANCE for each in told)
        engine.dispose()


def test_a73_a_clock_100_days_ahead_purges_nothing(
    database_url: DatabaseUrl, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Attempts of today stay, whatever the machine that keeps house believes."""
    url = database_url(tmp_path, "bff")
    for name, value in bff_environment(tmp_path, "http://127.0.0.1:9", free_port(), url).items():
        monkeypatch.setenv(name, value)
    engine = open_database(url)
    build_services(load_settings())
    put_attempts(engine)
    with ahead(DAYS):
        house = build_services(load_settings()).upkeep.housekeeping
        assert sum(house.delete_old().values()) == 0
        assert house.end_overdue() == 0
    with engine.connect() as connection:
        assert connection.execute(select(func.count()).select_from(attempts)).scalar_one() == 2
    engine.dispose()


def put_attempts(engine: Engine) -> None:
    """One that was prepared, and one that was launched."""
    now = datetime.now(UTC)
    row = {
        "product": "demo", "account_id": "acme", "account_name": "Acme", "user_id": "ada",
        "connector_key": "x", "connector_name": "X", "connector_reference": "x",
        "message": "", "callback_message": "", "locale": "en",
        "origin": "https://app.example", "delivery": "message", "created_at": now, "polls": 0,
        "expires_at": now + timedelta(minutes=10), "authenticated_before": False, "support_code": "ABCD-2345",
    }  # fmt: skip
    with engine.begin() as connection:
        for status, launched in (("created", None), ("launched", now)):
            more = {"id": f"att_{status}", "status": status, "launched_at": launched}
            connection.execute(attempts.insert().values(row | more | {"launch_token_sha256": status}))


def test_a73_a_clock_that_jumps_makes_nothing_old(tmp_path: Path) -> None:
    """SQLite's clock is the machine's: when both jump, what deletes goes on from where it was."""
    engine = open_database(f"sqlite:///{tmp_path / 'jump.db'}")
    SCHEMA.upgrade(engine)
    clock = StoreClock(engine)
    right = datetime.now(UTC)
    jumped = (datetime.now(UTC) + DAYS).timestamp() / 86400 + 2440587.5
    engine.dispose()
    event.listen(engine, "connect", lambda connection, _: connection.create_function(
        "julianday", 1, lambda _: jumped
    ))  # fmt: skip
    with ahead(DAYS):
        assert clock.cautious() - right < timedelta(minutes=1)
    engine.dispose()


def tokens(by: float) -> SessionTokens:
    """Those of a machine whose clock is wrong by so many seconds."""

    class NeverEnded:
        def end(self, *_: object) -> None:
            """None is."""

        def is_ended(self, *_: object) -> bool:
            return False

    clock: Callable[[], datetime] = lambda: datetime.now(UTC) + timedelta(seconds=by)  # noqa: E731
    return SessionTokens((Secret("k" * 40),), clock, NeverEnded())


@pytest.mark.parametrize("behind", [0.5, 2, 4])
def test_a73_a_fresh_session_is_good_on_a_machine_that_is_behind(behind: float) -> None:
    """Five seconds between two machines are tolerated, in either direction."""
    for signer, reader in ((0.0, -behind), (behind, 0.0), (-behind, 0.0)):
        token, _ = tokens(signer).issue(ADA)
        assert tokens(reader).read(token.reveal()).user.id == "ada"


def test_a73_a_session_from_the_future_is_none() -> None:
    """Beyond the tolerance a token is refused: somebody's clock, or somebody's intention, is wrong."""
    token, _ = tokens(60).issue(ADA)
    with pytest.raises(NotSignedIn):
        tokens(0).read(token.reveal())


def test_a73_a_session_is_stamped_by_the_clock_that_reads_it() -> None:
    """The library's own stamp would be the machine's: a wrong one would refuse its own tokens."""
    with ahead(DAYS):
        own = tokens(-DAYS.total_seconds())
        token, _ = own.issue(ADA)
        assert own.read(token.reveal()).user.id == "ada"


@pytest.fixture
def machines(
    database_url: DatabaseUrl, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Machines]:
    """Machines with one database, and a partner service that gives access tokens."""
    api = Api()
    with play(api) as (url, _):
        settings = bff_environment(tmp_path, url, free_port(), database_url(tmp_path, "bff"))
        for name, value in {**settings, "HITCHPOST_LIMITS_URL": "database://"}.items():
            monkeypatch.setenv(name, value)
        yield Machines(api)


@dataclass
class Machines:
    """Each is one whose clock is wrong by so much, right after its start."""

    api: Api

    @contextmanager
    def one(self, by: timedelta = timedelta(0)) -> Iterator[Services]:
        """The services of one, in whose block time is as it has it."""
        with ahead(by):
            yield build_services(load_settings())

    @contextmanager
    def client(self, by: timedelta = timedelta(0)) -> Iterator[PartnerClient]:
        """The client of the partner service of one."""
        settings = load_settings()
        with ahead(by):
            engine = open_database(settings.database_url)
            SCHEMA.upgrade(engine)
            store = wiring._Store(engine, StoreClock(engine), Sealing(settings.signing_keys()))
            yield wiring._partner_client(settings, store, "credential")
            engine.dispose()


@pytest.mark.parametrize("by", [DAYS, -DAYS, timedelta(seconds=20)])
def test_a73_what_the_partner_service_tells_one_machine_is_right_for_the_others(
    machines: Machines, by: timedelta
) -> None:
    """Its access token serves them for as long, and they leave it alone for as long as it wants."""
    with machines.client(by) as wrong:
        wrong.list_account_connectors(ACCOUNT)
        wrong.quiet.ask_for(30)
        assert 25 < wrong.quiet.left() < 35
    with machines.client() as right:
        right.list_account_connectors(ACCOUNT)
        assert 25 < right.quiet.left() < 35
    assert machines.api.tokens == 1


@pytest.mark.parametrize("by", [DAYS, -DAYS, timedelta(seconds=3), -timedelta(seconds=3)])
def test_a73_a_page_of_one_machine_is_sent_to_another(machines: Machines, by: timedelta) -> None:
    """The press on the page that asks first counts, and so does a form."""
    attempt: Any = SimpleNamespace(id="att_1")
    with machines.one(by) as one:
        proof = one.sessions.confirmations.issue(attempt)
        form = one.sessions.form_tokens.issue(attempt, 2, ["key"])
    with machines.one() as other, ahead(timedelta(seconds=1.5)):
        assert other.sessions.confirmations.is_pressed(attempt, proof)
        assert other.sessions.form_tokens.submitted_before(attempt, ["key"], form) == 2


def test_a73_an_image_of_a_machine_that_is_behind_is_not_old(machines: Machines) -> None:
    """Nor is one that a product file names just now."""
    logo = check_logo(png(16, 16))
    with machines.one(-DAYS) as wrong:
        wrong.teams.images.put(logo, "demo")
    with machines.one() as right:
        right.upkeep.housekeeping.delete_old()
        assert right.teams.images.get(logo.name) is not None


@pytest.mark.parametrize("by", [DAYS, -DAYS])
def test_a73_a_limit_ends_when_its_window_does(machines: Machines, by: timedelta) -> None:
    """Whoever meets it at a machine whose clock is wrong is told the same time."""
    limit = RateLimitItemPerMinute(1)
    with machines.one(by) as wrong:
        counting = wrong.limits._counts.limiter
        assert [counting.hit(limit, "k"), counting.hit(limit, "k")] == [True, False]
        assert 50 < counting.get_window_stats(limit, "k").reset_time - time.time() <= 61


@LONG
def test_a73_two_machines_one_of_which_is_100_days_ahead(tmp_path: Path, postgresql_url: str) -> None:
    """Both serve one database: sessions and attempts of each are good at the other, and none is purged."""
    ours, theirs = tmp_path / "right", tmp_path / "wrong"
    ours.mkdir()
    theirs.mkdir()
    (theirs / "sitecustomize.py").write_text(
        "import time_machine, datetime as d\n"
        "time_machine.travel(d.datetime.now(d.UTC) + d.timedelta(days=100), tick=True).start()\n"
    )
    port = free_port()
    settings = bff_environment(theirs, "http://127.0.0.1:9", port, postgresql_url)
    settings |= {"PYTHONPATH": f"{theirs}:{ROOT}"}
    with (
        run_bff(ours, lambda _, __: postgresql_url) as right,
        run(["bff", "serve"], settings, f"http://127.0.0.1:{port}", theirs / "bff.log") as wrong,
    ):
        wrong.line(event="clock differs from the database's")
        made = []
        for one, other in ((right, wrong), (wrong, right)):
            token = world_of(one).session()
            attempt = world_of(one).begin(token)
            assert world_of(other).read(attempt["id"])["status"] == "created"
            assert world_of(other).page("GET", f"/v1/attempts/{attempt['id']}", token).status_code == 200
            made.append(attempt["id"])
        # A round of housekeeping is at most thirty seconds away.
        ends = time.monotonic() + 35
        wait_for(lambda: time.monotonic() > ends)
        assert [world_of(right).read(each)["status"] for each in made] == ["created"] * 2
