"""What a host asserts of who is signed in is taken once, soon, and from nobody else (A10)."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey
from sqlalchemy import select

from bff.common.errors import KeysUnavailable
from bff.common.faulty_file import FaultyFile
from bff.identity.jwks import AGAIN_SECONDS, FRESH_SECONDS, RECOVER_SECONDS, JwksUrls
from bff.identity.session_store import UsedAssertions
from bff.products.file import read_products
from bff.purge import DatabasePurger
from bff.storage.tables import used_assertions
from bff.web.kit.services import EXTENSION
from tests.support.databases import DatabaseUrl
from tests.support.issuer import Issuer, bare, by_public_key, encoded
from tests.support.servers import serve
from tests.support.world import HOST, OTHER_HOST, World, build_bff

pytestmark = pytest.mark.one_database

PRODUCT = """
[[product]]
key = "{key}"
name = "Asserting"
origins = ["{origin}"]
secret_keys = ["sk_{key}_0123456789abcdef0123"]
connectors = ["sandbox", "sandbox-broken"]
"""


@dataclass
class Desk:
    """A BFF that takes what ``issuer`` asserts: of `filed` by keys in a file, of `fetched` by URL."""

    url: str
    app: Flask
    issuer: Issuer

    def exchange(
        self, assertion: Any, product: str = "filed", *, origin: str | None = HOST, **options: Any
    ) -> requests.Response:
        """What a page sends."""
        headers = {} if origin is None else {"Origin": origin}
        body = {"product": product, "assertion": assertion}
        return requests.post(
            f"{self.url}/v1/sessions/exchange", json=body, headers=headers, timeout=30, **options
        )

    def refused(self, assertion: Any, named: str, product: str = "filed") -> None:
        """An assertion that signs nobody in; the answer says what of it was wrong."""
        answer = self.exchange(assertion, product)
        assert answer.status_code == 401, answer.text
        assert answer.json()["code"] == "not_signed_in"
        assert named in answer.json()["detail"], answer.text
        assert "token" not in answer.json()


@pytest.fixture(scope="module")
def desk(
    shared_world: World, database_url: DatabaseUrl, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Desk]:
    """The BFF and the issuer, on sockets."""
    folder, issuer = tmp_path_factory.mktemp("assertions"), Issuer()
    (folder / "jwks.json").write_text(json.dumps(issuer.jwks()))
    with ExitStack() as stack:
        published = stack.enter_context(serve(lambda _: issuer.app()))
        text = (
            PRODUCT.format(key="filed", origin=HOST)
            + f'[product.assertion]\nissuer = "{issuer.name}"\njwks_file = "jwks.json"\n'
            + PRODUCT.format(key="fetched", origin=HOST)
            + f'[product.assertion]\nissuer = "{issuer.name}"\naudience = "fetched"\n'
            + f'jwks_url = "{published}/jwks"\n'
            + PRODUCT.format(key="silent", origin=HOST)
        )
        apps: list[Flask] = []

        def build(url: str) -> Flask:
            database = database_url(folder, "bff")
            apps.append(build_bff(url, folder, shared_world.partner, database=database, products_text=text))
            return apps[0]

        url = stack.enter_context(serve(build))
        issuer.audience = url
        yield Desk(url, apps[0], issuer)


@pytest.fixture(autouse=True)
def as_before(desk: Desk) -> Iterator[None]:
    """Each test meets the issuer as it was at first."""
    yield
    desk.issuer.published, desk.issuer.status, desk.issuer.body = ["r1", "e1"], 200, None


@pytest.mark.parametrize("kid", ["r1", "e1"])
def test_a10_an_assertion_becomes_a_session(desk: Desk, kid: str) -> None:
    """Signed by RS256 or ES256: the page gets a session token of that user and account, for an hour."""
    answer = desk.exchange(desk.issuer.sign(kid, connectors=["sandbox"]))
    assert answer.status_code == 201, answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Access-Control-Allow-Origin"] == HOST
    ends = datetime.fromisoformat(answer.json()["expires_at"]) - datetime.now(UTC)
    assert timedelta(minutes=59) < ends <= timedelta(hours=1)
    principal = desk.app.extensions[EXTENSION].sessions.tokens.read(answer.json()["token"])
    assert (principal.product, principal.user.id, principal.user.name) == ("filed", "ada", "Ada")
    assert (principal.account.id, principal.account.name) == ("acme", "Acme")
    assert principal.connectors == {"sandbox"}


def test_a10_the_account_may_be_an_object(desk: Desk) -> None:
    """As in `POST /v1/sessions`."""
    answer = desk.exchange(desk.issuer.sign(account={"id": "zeta", "name": "Zeta"}, account_name=None))
    principal = desk.app.extensions[EXTENSION].sessions.tokens.read(answer.json()["token"])
    assert (principal.account.id, principal.account.name) == ("zeta", "Zeta")


@pytest.mark.both_databases
def test_a10_an_assertion_is_taken_once(desk: Desk) -> None:
    """Of twenty exchanges at once one gets a session; also when the `jti` comes in another token."""
    assertion = desk.issuer.sign()
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: desk.exchange(assertion), range(20)))
    assert sorted(answer.status_code for answer in answers) == [201] + [401] * 19
    assert desk.exchange(desk.issuer.sign(jti="one")).status_code == 201
    desk.refused(desk.issuer.sign("e1", jti="one", sub="grace"), "jti")


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"iss": "https://evil.example"}, "iss: it must be 'https://app.example'"),
        ({"iss": "https://app.example/"}, "iss"),
        ({"iss": ["https://app.example"]}, "iss"),
        ({"iss": None}, "iss"),
        ({"aud": "https://other.example"}, "aud"),
        ({"aud": None}, "aud"),
        ({"aud": []}, "aud"),
        ({"jti": None}, "jti"),
        ({"jti": ""}, "jti"),
        ({"jti": 7}, "jti"),
        ({"jti": "j" * 256}, "jti"),
        ({"iat": None}, "iat"),
        ({"exp": None}, "exp"),
        ({"exp": "soon"}, "exp"),
        ({"exp": True}, "exp"),
        ({"exp": 10**400}, "exp"),
        ({"exp": 1e999}, "claims"),
        ({"exp": float("nan")}, "claims"),
        ({"iat": -(10**400)}, "iat"),
        ({"nbf": "x"}, "nbf"),
    ],
)
def test_a10_a_claim_that_is_not_exact_is_refused(desk: Desk, changes: dict[str, Any], named: str) -> None:
    """Issuer and audience letter by letter; times are numbers; nothing is left out."""
    desk.refused(desk.issuer.sign(**changes), named)


def test_a10_an_audience_is_meant_for_us_alone(desk: Desk) -> None:
    """A list that names somebody else too is a token that somebody else could use here."""
    assert desk.exchange(desk.issuer.sign(aud=[desk.url])).status_code == 201
    desk.refused(desk.issuer.sign(aud=[desk.url, "https://other.example"]), "aud")
    desk.refused(desk.issuer.sign(), "aud", product="fetched")


@pytest.mark.parametrize(
    ("iat", "exp", "nbf", "good"),
    [
        (0, 60, None, True),
        (0, 61, None, False),
        (0, 3600, None, False),
        (-50, 10, 0, True),
        (-61, -1, None, False),
        (-60, 0, None, False),
        (3, 63, None, True),
        (30, 90, None, False),
        (0, 60, 30, False),
    ],
)
def test_a10_it_lives_a_minute(desk: Desk, iat: int, exp: int, nbf: int | None, good: bool) -> None:
    """At most 60 seconds from `iat` to `exp`; neither past its time nor before it, but for 5 seconds."""
    now = int(time.time())
    assertion = desk.issuer.sign(iat=now + iat, exp=now + exp, nbf=None if nbf is None else now + nbf)
    assert desk.exchange(assertion).status_code == (201 if good else 401)


def pem(issuer: Issuer) -> bytes:
    """The public key as it is often published."""
    return issuer.keys["r1"].as_pem(private=False)


def test_a10_no_other_algorithm_is_taken(desk: Desk) -> None:
    """`none` in any spelling, HS256 by a public key, ES256 by an RSA key's id: refused (CVE-2024-37568)."""
    issuer = desk.issuer
    for none in ("none", "None", "NONE", "nOnE"):
        desk.refused(bare({"alg": none, "kid": "r1"}, issuer.claims()), "alg")
        desk.refused(bare({"alg": none, "kid": "r1"}, issuer.claims(), b"x"), "alg")
    for secret in (pem(issuer), pem(issuer).strip(), json.dumps(issuer.jwk("r1")).encode()):
        desk.refused(by_public_key(issuer, secret), "alg")
    for alg in ("RS384", "PS256", "ES384", "EdDSA", "HS256", "RS256 ", "rs256", ["RS256"], 7, {}, True):
        desk.refused(bare({"alg": alg, "kid": "r1"}, issuer.claims(), b"x" * 256), "assertion:")
    signed = issuer.sign("r1").split(".")
    for header in (
        {"alg": "ES256", "kid": "r1"},
        {"alg": "RS256", "kid": "e1"},
        {"alg": "ES256", "kid": "e1"},
    ):
        desk.refused(".".join([encoded(json.dumps(header).encode()), *signed[1:]]), "assertion:")


def test_a10_the_header_brings_no_key(desk: Desk) -> None:
    """A key that the token itself brings, or an address for one, is never looked at."""
    mine = RSAKey.generate_key(2048)
    own = Issuer(desk.issuer.name, desk.url, {"r1": mine, "evil": mine})
    jwk = own.jwk("r1")
    for kid in ("r1", "evil", None):
        for header in (
            {"jwk": {"kty": "RSA", "n": jwk["n"][:100], "e": jwk["e"]}},
            {"jku": f"{desk.url}/jwks"},
            {},
        ):
            desk.refused(own.sign("r1", header={"kid": kid, **header}), "assertion:")


def test_a10_a_changed_token_is_refused(desk: Desk) -> None:
    """Other claims, another signature, no signature, a part too many or too few."""
    header, _, signature = desk.issuer.sign().split(".")
    other = encoded(json.dumps(desk.issuer.claims(sub="grace")).encode())
    for forged in (
        f"{header}.{other}.{signature}",
        f"{header}.{other}.",
        f"{header}.{other}",
        f"{header}..{signature}",
        f"{header}.{other}.{signature}.x",
        f".{other}.{signature}",
        desk.issuer.sign()[:-8],
        "",
        "x",
        "...",
        "é.é.é",
        "{}",
        "null",
        desk.issuer.sign(header={"crit": ["kid"]}),
        desk.issuer.sign(header={"typ": "hitchpost-receipt+jwt"}),
    ):
        assert desk.exchange(forged).status_code in {401, 422}, forged


def test_a10_a_claim_that_stands_twice_is_refused(desk: Desk) -> None:
    """Two readers could take it for two users."""
    text = json.dumps(desk.issuer.claims())
    twice = text[:-1] + ', "sub": "grace"}'
    desk.refused(desk.issuer.sign_text(twice), "'sub' stands twice")
    for text in ("[]", '"x"', "null", "7", "{", "", '{"a":' * 3000):
        desk.refused(desk.issuer.sign_text(text), "assertion:")


def test_a10_what_is_too_long_is_not_parsed(desk: Desk) -> None:
    """More than 8 KiB is refused unread, more than 64 KiB with the body (CVE-2025-61920)."""
    desk.refused("a" * 8193, "more than 8192")
    desk.refused("." * 60_000, "more than 8192")
    assert desk.exchange(desk.issuer.sign(name="n" * 9000)).status_code == 401
    assert desk.exchange("a" * 1_000_000).status_code == 413


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(parts=st.lists(st.text() | st.binary().map(encoded), max_size=5), real=st.integers(0, 3))
def test_a10_no_text_breaks_it(desk: Desk, parts: list[str], real: int) -> None:
    """Whatever is sent: 401, or 422 or 400 for what is no text; never a 500, never a session."""
    sound = desk.issuer.sign().split(".")
    assert (
        desk.exchange(".".join(sound[:real] + parts)).status_code in {400, 401, 422} or parts == sound[real:]
    )


def test_a10_it_is_for_a_page_of_the_product(desk: Desk) -> None:
    """From another origin, none, or for a product that takes no assertions, it is refused and not used up."""
    assertion = desk.issuer.sign()
    for origin in (None, "null", "https://evil.example", OTHER_HOST):
        assert desk.exchange(assertion, origin=origin).status_code == 403
    for product in ("silent", "nothing", "filed~draft", "../filed"):
        desk.refused(assertion, "product", product)
    assert desk.exchange(assertion).status_code == 201


def test_a10_what_it_says_of_people_is_checked(desk: Desk) -> None:
    """Ids and names by the rules of `POST /v1/sessions`: 422, naming the fault."""
    for changes, named in (
        ({"sub": " ada"}, "claim sub (user.id): "),
        ({"sub": 7.5}, "claim sub (user.id): write a text or a whole number"),
        ({"sub": None}, "claim sub (user.id): write a text or a whole number"),
        ({"account": None}, "claim account (account.id): write a text or a whole number"),
        ({"account": ".."}, "claim account (account.id): "),
        ({"account": {"id": ".."}}, "claim account.id (account.id): "),
        ({"account_name": 7}, "claim account_name (account.name): write a text"),
        ({"account": {"id": "a", "tenant": "b"}}, "tenant"),
        ({"name": "a\nb"}, "claim name (user.name): "),
        ({"connectors": ["ghost"]}, "ghost"),
    ):
        answer = desk.exchange(desk.issuer.sign(**changes))
        assert answer.status_code == 422, answer.text
        assert named in answer.json()["detail"]


def test_a10_it_is_no_session_token(desk: Desk) -> None:
    """It is exchanged, never sent as a bearer: it lives a minute and is good once."""
    headers = {"Authorization": f"Bearer {desk.issuer.sign()}", "Origin": HOST}
    assert requests.get(f"{desk.url}/v1/config", headers=headers, timeout=20).status_code == 401


def test_a10_keys_come_by_url(desk: Desk) -> None:
    """Fetched once for many exchanges; a new key is fetched when it is first met."""
    issuer, before = desk.issuer, desk.issuer.asked
    for _ in range(5):
        assert desk.exchange(issuer.sign(aud="fetched"), "fetched").status_code == 201
    assert issuer.asked <= before + 1


class Ticking:
    """A clock that moves when it is told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """The time."""
        return self.now


@pytest.fixture
def published() -> Iterator[tuple[Issuer, str, Ticking, JwksUrls]]:
    """An issuer of its own, and a BFF's memory of its keys."""
    issuer, clock = Issuer(), Ticking()
    with serve(lambda _: issuer.app()) as url:
        yield issuer, f"{url}/jwks", clock, JwksUrls(clock)


def test_a10_an_unknown_key_is_asked_for_once_a_minute(
    published: tuple[Issuer, str, Ticking, JwksUrls],
) -> None:
    """Nobody makes us ask the host over and over by naming keys that it does not have."""
    issuer, url, clock, keys = published
    assert keys.find(url, "r1", "RS256") is not None
    clock.now += AGAIN_SECONDS - 1
    for number in range(20):
        assert keys.find(url, f"none-{number}", "RS256") is None
    assert issuer.asked == 1
    issuer.keys["r2"] = RSAKey.generate_key(2048)
    issuer.published = ["r2"]
    clock.now += 1
    assert keys.find(url, "r2", "RS256") is not None
    assert keys.find(url, "r1", "RS256") is None
    assert issuer.asked == 2


def test_a10_of_many_that_need_the_keys_one_asks(published: tuple[Issuer, str, Ticking, JwksUrls]) -> None:
    """The others wait for its answer."""
    issuer, url, _, keys = published
    issuer.gate.clear()
    with ThreadPoolExecutor(10) as pool:
        waiting = [pool.submit(keys.find, url, "r1", "RS256") for _ in range(10)]
        issuer.gate.set()
        assert all(found.result() is not None for found in waiting)
    assert issuer.asked == 1


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, None),
        (404, None),
        (302, None),
        (200, ""),
        (200, "<html>"),
        (200, "[]"),
        (200, '{"keys": {}}'),
        (200, '{"keys": [], "keys": []}'),
        (200, '{"keys": [' + " " * 70_000 + "]}"),
    ],
)
def test_a10_while_the_keys_are_missing_nobody_gets_in(
    published: tuple[Issuer, str, Ticking, JwksUrls], status: int, body: str | None
) -> None:
    """Keys past their time are not used in need, and an answer that is no key set changes nothing."""
    issuer, url, clock, keys = published
    assert keys.find(url, "r1", "RS256") is not None
    issuer.status, issuer.body = status, body
    clock.now += FRESH_SECONDS - 1
    assert keys.find(url, "r1", "RS256") is not None
    with pytest.raises(KeysUnavailable):
        keys.find(url, "unknown", "RS256")
    clock.now += 1
    with pytest.raises(KeysUnavailable):
        keys.find(url, "r1", "RS256")
    asked = issuer.asked
    with pytest.raises(KeysUnavailable):
        keys.find(url, "r1", "RS256")
    assert issuer.asked == asked
    issuer.status, issuer.body = 200, None
    clock.now += RECOVER_SECONDS + AGAIN_SECONDS
    assert keys.find(url, "r1", "RS256") is not None


def test_a10_an_outage_of_the_host_is_told_as_one(desk: Desk) -> None:
    """503 with a code of its own, and when to come again; the assertion is not used up."""
    desk.app.extensions[EXTENSION].sessions.assertions._jwks._sets.clear()
    assertion, desk.issuer.status = desk.issuer.sign(aud="fetched"), 500
    answer = desk.exchange(assertion, "fetched")
    assert (answer.status_code, answer.json()["code"]) == (503, "keys_unavailable")
    assert answer.headers["Retry-After"] == "5"
    desk.app.extensions[EXTENSION].sessions.assertions._jwks._sets.clear()
    desk.issuer.status = 200
    assert desk.exchange(assertion, "fetched").status_code == 201


def test_a10_keys_that_are_not_for_this_are_passed_over(
    published: tuple[Issuer, str, Ticking, JwksUrls],
) -> None:
    """Secrets, private keys, short keys, other curves, keys for encryption: none verifies anything."""
    issuer, url, _, keys = published
    short = RSAKey.generate_key(1024)
    unfit: list[Any] = [
        {**OctKey.generate_key(256).as_dict(private=True), "kid": "r1"},
        {**RSAKey.generate_key(2048).as_dict(private=True), "kid": "r1"},
        {**short.as_dict(private=False), "kid": "r1"},
        {**ECKey.generate_key("P-384").as_dict(private=False), "kid": "r1"},
        {**OKPKey.generate_key("Ed25519").as_dict(private=False), "kid": "r1"},
        {**issuer.jwk("r1"), "use": "enc"},
        {**issuer.jwk("r1"), "alg": "RS512"},
        {**issuer.jwk("r1"), "kid": 7},
        {"kty": "RSA", "kid": "r1"},
        {"kty": "RSA", "kid": "r1", "n": 7, "e": []},
        {"kty": ["RSA"]},
        "RSA",
        None,
    ]
    issuer.body = json.dumps({"keys": unfit})
    assert keys.find(url, "r1", "RS256") is None
    two = [issuer.jwk("r1"), {**RSAKey.generate_key(2048).as_dict(private=False), "kid": "r2"}]
    issuer.body = json.dumps({"keys": two})
    assert JwksUrls().find(url, None, "RS256") is None
    issuer.body = json.dumps({"keys": two[:1]})
    assert JwksUrls().find(url, None, "RS256") is not None


def test_a10_used_assertions_are_forgotten_in_time(desk: Desk) -> None:
    """Once they are past their own time, so many at once as was said."""
    engine = desk.app.extensions[EXTENSION].attempts.store._engine
    used, old = UsedAssertions(engine), datetime(2020, 1, 1, tzinfo=UTC)
    for number in range(5):
        assert used.use("issuer", str(number), old)
        assert not used.use("issuer", str(number), old)
    assert used.use("issuer", "later", old + timedelta(seconds=2))
    purge = DatabasePurger(engine, timedelta(days=3650))
    gone = [purge.delete_old(old + timedelta(seconds=1), 3)["used assertions"] for _ in range(3)]
    assert gone == [3, 2, 0]
    with engine.connect() as connection:
        left = connection.execute(select(used_assertions.c.until).order_by(used_assertions.c.until)).scalars()
        assert next(iter(left)) == old + timedelta(seconds=2)


def rsa() -> str:
    """A public key as it stands in a product file."""
    jwk = RSAKey.generate_key(2048).as_dict(private=False)
    return f'{{kty = "RSA", n = "{jwk["n"]}", e = "{jwk["e"]}"}}'


@pytest.mark.parametrize(
    ("table", "named"),
    [
        ("", "issuer"),
        ('issuer = "https://app.example"', "exactly one"),
        ('issuer = ""\njwks_url = "https://a.example/j"', "issuer"),
        ('issuer = "a b"\njwks_url = "https://a.example/j"', "issuer"),
        ('issuer = "i"\njwks_url = "https://a.example/j"\njwks_file = "x"', "exactly one"),
        ('issuer = "i"\njwks_url = "http://a.example/j"', "https"),
        ('issuer = "i"\njwks_url = "https://u:p@a.example/j"', "jwks_url"),
        ('issuer = "i"\njwks_url = "https://a.example/j#x"', "jwks_url"),
        ('issuer = "i"\njwks_url = "file:///etc/passwd"', "jwks_url"),
        ('issuer = "i"\njwks_file = "missing.json"', "no such file"),
        ('issuer = "i"\njwks_file = "empty.json"', "no key"),
        ('issuer = "i"\njwks_file = "list.json"', "no JWK set"),
        ('issuer = "i"\njwks_file = "private.json"', "private key"),
        ('issuer = "i"\nkeys = [{kty = "oct", k = "c2VjcmV0"}]', "kty"),
        ('issuer = "i"\nkeys = [{kty = "RSA", n = "AQAB", e = "AQAB"}]', "RSA"),
        ('issuer = "i"\nkeys = [RSA, RSA]', "kid of its own"),
        ('issuer = "i"\nkeys = [RSA]\nsurprise = 1', "surprise"),
    ],
)
def test_a10_a_faulty_rule_stops_start_up(tmp_path: Path, table: str, named: str) -> None:
    """The product file is refused, with file, product and key."""
    (tmp_path / "empty.json").write_text('{"keys": []}')
    (tmp_path / "list.json").write_text("[]")
    private = ECKey.generate_key("P-256").as_dict(private=True)
    (tmp_path / "private.json").write_text(json.dumps({"keys": [private]}))
    path = tmp_path / "products.toml"
    text = f"{PRODUCT.format(key='one', origin=HOST)}[product.assertion]\n{table}\n"
    path.write_text(text.replace("RSA]", rsa() + "]").replace("[RSA,", f"[{rsa()},"))
    with pytest.raises(FaultyFile) as refused:
        read_products(path)
    fault = "\n".join(refused.value.faults)
    assert str(path) in fault
    assert "one" in fault
    assert "assertion" in fault
    assert named in fault
    assert "c2VjcmV0" not in fault


def test_a10_two_products_share_no_audience(tmp_path: Path) -> None:
    """Where one issuer speaks for two, what it asserts for one must not be good for the other."""
    path, rule = tmp_path / "products.toml", f'[product.assertion]\nissuer = "i"\nkeys = [{rsa()}]\n'
    both = PRODUCT.format(key="one", origin=HOST) + rule + PRODUCT.format(key="two", origin=OTHER_HOST) + rule
    path.write_text(both)
    with pytest.raises(FaultyFile, match="one, two: assertion: these products"):
        read_products(path)
    path.write_text(both + 'audience = "two"\n')
    assert len(read_products(path)) == 2
