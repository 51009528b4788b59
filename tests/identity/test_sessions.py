"""Sessions: their cookies and keys, how long they last, who ends them, what a cache keeps (A2, A8 to A12)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
import time_machine
from flask import Flask
from itsdangerous import URLSafeTimedSerializer
from sqlalchemy import select

from bff.common.errors import NotSignedIn
from bff.common.secret import Secret
from bff.identity.principal import AccountRef, Principal, User
from bff.identity.session_store import DatabaseSessionEnds
from bff.purge import DatabasePurger
from bff.serving.settings import FaultySettings
from bff.settings import load_settings
from bff.storage.tables import ended_sessions
from bff.studio.access import Role
from bff.web.kit.services import EXTENSION
from bff.web.kit.session_tokens import SALT, SessionTokens
from tests.support.mounted import create_host
from tests.support.routes import routes
from tests.support.studio import COOKIE, GRACE, StudioWorld
from tests.support.waiting import wait_for
from tests.support.world import CLIENT_ID, CLIENT_SECRET, HOST, OTHER_HOST, OTHER_SECRET_KEY, World, build_bff

pytestmark = pytest.mark.one_database

OLD, NEW = "old-" + "o" * 40, "new-" + "n" * 40
ADA = Principal("demo", AccountRef("acme", "Acme"), User("ada"))
LOOPBACK_COOKIE = {"HttpOnly", "SameSite=Lax", "Path=/"}


def enter(world: World, link: str, **cookies: str) -> requests.Response:
    """Press the button of an invite's page."""
    headers = {"Origin": world.bff}
    return requests.post(link, headers=headers, cookies=cookies, timeout=20, allow_redirects=False)


def parts_of(set_cookie: str) -> tuple[str, set[str]]:
    """A cookie's name, and what is said of it."""
    first, *rest = (part.strip() for part in set_cookie.split(";"))
    return first.partition("=")[0], set(rest)


def settings_of(**values: Any) -> Any:
    """Settings that are sound but for ``values``."""
    sound = {
        "public_url": "https://bff.example",
        "secret_keys": "k" * 40,
        "partner_api_url": "https://api.example",
        "partner_service_url": "https://pages.example",
        "partner_client_id": CLIENT_ID,
        "partner_client_secret": CLIENT_SECRET,
    }
    return load_settings(**sound | values)


def test_a2_the_cookie_is_the_hosts_own(studio: StudioWorld, tmp_path: Path) -> None:
    """Over https: `__Host-`, Secure, HttpOnly, Lax, the whole origin, no Domain; given and taken alike."""
    app = build_bff("https://bff.example", tmp_path, studio.world.partner)
    token = app.extensions[EXTENSION].teams.studio.invite("demo", "ada@acme.example", Role.EDITOR)
    browser, own = app.test_client(), {"Origin": "https://bff.example"}
    given = browser.post(f"/studio/enter/{token.reveal()}", headers=own, base_url="https://bff.example")
    page = browser.get("/studio/snippet", base_url="https://bff.example").text
    csrf = page.partition('name="csrf" value="')[2].partition('"')[0]
    taken = browser.post("/studio/sign-out", data={"csrf": csrf}, headers=own, base_url="https://bff.example")
    for answer in (given, taken):
        name, said = parts_of(answer.headers["Set-Cookie"])
        assert name == "__Host-hitchpost_studio"
        assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= said
        assert not any(part.lower().startswith("domain") for part in said)


def test_a2_on_loopback_the_cookie_lacks_only_what_http_cannot_keep(studio: StudioWorld) -> None:
    """HttpOnly, Lax, the whole origin, no Domain; no prefix and no Secure, which are for https."""
    name, said = parts_of(enter(studio.world, studio.link()).headers["Set-Cookie"])
    assert name == COOKIE
    assert said >= LOOPBACK_COOKIE
    assert not any(part.lower().startswith(("secure", "domain")) for part in said)


@pytest.mark.parametrize(
    "url", ["http://bff.example", "http://10.0.0.1:8001", "http://127.0.0.1.evil.example"]
)
def test_a2_plain_http_does_not_start(url: str) -> None:
    """A BFF that browsers reach by plain http, except on loopback, is refused: its cookie could leak."""
    with pytest.raises(FaultySettings, match="PUBLIC_URL"):
        settings_of(public_url=url)


@pytest.mark.parametrize(
    ("config", "named"),
    [
        ({"SESSION_COOKIE_NAME": "__Host-s"}, "SECURE"),
        ({"SESSION_COOKIE_NAME": "__Secure-s"}, "SECURE"),
        (
            {
                "SESSION_COOKIE_NAME": "__Host-s",
                "SESSION_COOKIE_SECURE": True,
                "SESSION_COOKIE_DOMAIN": "a.example",
            },
            "DOMAIN",
        ),
        (
            {"SESSION_COOKIE_NAME": "__Host-s", "SESSION_COOKIE_SECURE": True, "SESSION_COOKIE_PATH": "/a"},
            "PATH",
        ),
        ({"SESSION_COOKIE_SAMESITE": "None"}, "SAMESITE"),
        ({"SESSION_COOKIE_SAMESITE": "None", "SESSION_COOKIE_SECURE": True}, "PARTITIONED"),
        ({"SESSION_COOKIE_PARTITIONED": True}, "PARTITIONED"),
        ({"SESSION_COOKIE_HTTPONLY": False}, "HTTPONLY"),
    ],
)
def test_a2_a_cookie_that_cannot_work_stops_start_up(
    tmp_path: Path, config: dict[str, Any], named: str
) -> None:
    """In a host's app, whose cookie says who is signed in: the fault is named by its key."""
    with pytest.raises(FaultySettings, match=named):
        create_host("http://127.0.0.1:1", tmp_path, "http://127.0.0.1:2", **config)


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"SESSION_COOKIE_NAME": "__Host-s", "SESSION_COOKIE_SECURE": True, "SESSION_COOKIE_SAMESITE": "Lax"},
        {
            "SESSION_COOKIE_SECURE": True,
            "SESSION_COOKIE_SAMESITE": "None",
            "SESSION_COOKIE_PARTITIONED": True,
        },
    ],
)
def test_a2_a_sound_cookie_starts(tmp_path: Path, config: dict[str, Any]) -> None:
    """Flask's own, a prefixed one, and one for apps that are shown inside other sites."""
    create_host("http://127.0.0.1:1", tmp_path, "http://127.0.0.1:2", **config)


def test_a8_each_sign_in_has_an_id_of_its_own(studio: StudioWorld) -> None:
    """256 random bits, never the same twice; what was planted before is nobody's afterwards."""
    ids = [enter(studio.world, studio.link()).cookies[COOKIE] for _ in range(5)]
    assert len(set(ids)) == 5
    assert all(len(found) == 43 for found in ids)
    planted = "p" * 43
    given = enter(studio.world, studio.link(GRACE), **{COOKIE: planted}).cookies[COOKIE]
    after = enter(studio.world, studio.link(GRACE), **{COOKIE: given}).cookies[COOKIE]
    assert len({planted, given, after}) == 3
    page = f"{studio.world.bff}/studio/messages"
    for cookie, status in ((planted, 401), (given, 401), (after, 200)):
        assert requests.get(page, cookies={COOKIE: cookie}, timeout=20).status_code == status


def test_a9_a_studio_session_ends_by_itself(studio: StudioWorld) -> None:
    """After 8 hours without use, and after 7 days in any case."""
    editor, now = studio.editor(), datetime.now(UTC)
    studio.turn_back(editor, seen_at=now - timedelta(hours=7, minutes=59))
    assert editor.get("messages").status_code == 200
    studio.turn_back(editor, seen_at=now - timedelta(hours=8, minutes=1))
    assert editor.get("messages").status_code == 401
    another = studio.editor()
    studio.turn_back(another, expires_at=now)
    assert another.get("messages").status_code == 401


@pytest.mark.both_databases
def test_a9_signing_out_ends_it_at_the_server(studio: StudioWorld) -> None:
    """It needs the session's own token; twice is as good as once."""
    editor = studio.editor()
    cookie, csrf = editor.browser.cookies[COOKIE], editor.csrf
    assert editor.post("sign-out", csrf=None).status_code == 403
    assert editor.get("messages").status_code == 200
    assert editor.post("sign-out", csrf=csrf).status_code == 200
    assert COOKIE not in editor.browser.cookies
    assert requests.get(editor.url("messages"), cookies={COOKIE: cookie}, timeout=20).status_code == 401
    editor.browser.cookies.set(COOKIE, cookie)
    assert editor.post("sign-out", csrf=csrf).status_code == 401


@pytest.mark.both_databases
def test_a9_an_operator_ends_the_sessions_of_a_person(studio: StudioWorld) -> None:
    """Every browser of theirs is signed out, a link not used yet is useless; others stay."""
    first, second, other = studio.editor(), studio.editor(), studio.editor(GRACE)
    link = studio.link()
    ended = studio.world.bff_app.extensions[EXTENSION].teams.studio.end_sessions("ada@acme.example")
    assert ended.sessions >= 2
    assert [who.get("messages").status_code for who in (first, second, other)] == [401, 401, 200]
    assert enter(studio.world, link).status_code == 410


def works(world: World, token: str, origin: str = HOST) -> bool:
    """Whether a session token signs anybody in."""
    return world.page("GET", "/v1/config", token, origin=origin).status_code == 200


def end(world: World, **body: Any) -> requests.Response:
    """The host's server ends sessions."""
    return world.server("POST", "/v1/sessions/end", json=body)


def test_a9_the_host_ends_every_session_of_a_user(world: World) -> None:
    """All that began before, at once; not those of another user or product, nor one that begins later."""
    ada, again, grace = world.session(), world.session(), world.session(user="grace")
    elsewhere = world.session(key=OTHER_SECRET_KEY)
    assert works(world, ada)
    for _ in range(2):
        assert end(world, user={"id": "ada"}).status_code == 200
        assert not works(world, ada)
        assert not works(world, again)
        assert works(world, grace)
        assert works(world, elsewhere, OTHER_HOST)
    assert works(world, world.session())


@pytest.mark.both_databases
def test_a9_the_host_ends_the_sessions_of_one_account(world: World) -> None:
    """The user's sessions in another account go on."""
    here = world.session()
    world.account += "-two"
    there = world.session()
    assert end(world, user={"id": "ada"}, account={"id": world.account}).status_code == 200
    assert works(world, here)
    assert not works(world, there)


def test_a9_only_the_host_ends_sessions(world: World) -> None:
    """Not a page with a session token, and nobody for another product."""
    token = world.session()
    assert world.page("POST", "/v1/sessions/end", token, json={"user": {"id": "ada"}}).status_code == 401
    other = world.server("POST", "/v1/sessions/end", key=OTHER_SECRET_KEY, json={"user": {"id": "ada"}})
    assert other.status_code == 200
    assert works(world, token)


def test_a9_another_worker_knows_soon(studio: StudioWorld) -> None:
    """What one worker was told, another, which has just looked, knows after two seconds at most."""
    usual, mine = DatabaseSessionEnds(studio.engine), DatabaseSessionEnds(studio.engine, fresh=0.2)
    assert usual._ends.fresh <= 2
    assert usual._last.fresh <= 2
    principal = Principal("demo", AccountRef("acme", "Acme"), User("w-" + studio.product))
    now = datetime.now(UTC)
    assert not mine.is_ended(principal, now)
    usual.end("demo", principal.user.id, None, now)
    assert wait_for(lambda: mine.is_ended(principal, now), seconds=10)
    assert not mine.is_ended(principal, now + timedelta(microseconds=1))


def test_a9_one_question_serves_every_user_whose_session_is_newer(studio: StudioWorld) -> None:
    """Nobody's own row is read unless somebody's sessions were ended after theirs began."""
    ends, now = DatabaseSessionEnds(studio.engine, fresh=3600), datetime.now(UTC)
    ends.end(studio.product, "ben", None, now)
    for number in range(3):
        principal = Principal(studio.product, AccountRef("acme", "Acme"), User(f"newer-{number}"))
        assert not ends.is_ended(principal, now + timedelta(minutes=1))
    assert not ends._ends._values
    assert ends.is_ended(Principal(studio.product, AccountRef("acme", "Acme"), User("ben")), now)


def test_a9_what_no_token_can_outlive_is_forgotten(studio: StudioWorld) -> None:
    """A day after; never sooner, and never more rows at once than was said."""
    ends, now = DatabaseSessionEnds(studio.engine, fresh=0), datetime.now(UTC)
    old = now - timedelta(days=365)
    for number in range(5):
        ends.end(studio.product, f"user-{number}", None, old)
    ends.end(studio.product, "user-5", None, old + timedelta(days=1))
    purge = DatabasePurger(studio.engine, timedelta(days=3650))
    gone = [purge.delete_old(old + timedelta(days=1, seconds=1), 3)["ended sessions"] for _ in range(3)]
    assert gone == [3, 2, 0]
    left = select(ended_sessions.c.user_id).where(ended_sessions.c.product == studio.product)
    with studio.engine.connect() as connection:
        assert list(connection.execute(left).scalars()) == ["user-5"]


class Endless:
    """A ``SessionEnds`` that nobody has told anything."""

    def end(self, product: str, user: str, account: str | None, before: datetime) -> None:
        """Nothing is kept."""

    def is_ended(self, principal: Principal, issued_at: datetime) -> bool:
        """Nothing has ended."""
        return False


def tokens(*keys: str) -> SessionTokens:
    """Session tokens by these keys, newest first."""
    return SessionTokens([Secret(key) for key in keys], lambda: datetime.now(UTC), Endless())


def test_a11_keys_rotate() -> None:
    """The newest signs; the one of before verifies; one that is taken away does no longer."""
    before = tokens(OLD).issue(ADA)[0].reveal()
    both = tokens(NEW, OLD)
    assert both.read(before) == ADA
    after = both.issue(ADA)[0].reveal()
    assert tokens(NEW).read(after) == ADA
    for gone, token in ((NEW, before), (OLD, after)):
        with pytest.raises(NotSignedIn):
            tokens(gone).read(token)


def serializer(salt: str) -> URLSafeTimedSerializer:
    """The signer of session tokens, but for its salt."""
    from hashlib import sha256  # noqa: PLC0415

    options = {"digest_method": sha256, "key_derivation": "hmac"}
    return URLSafeTimedSerializer(NEW, salt=salt, signer_kwargs=options)


def test_a11_a_purpose_has_a_salt_of_its_own() -> None:
    """The same claims, signed by the same key for another purpose, sign nobody in."""
    claims = serializer(SALT).loads(tokens(NEW).issue(ADA)[0].reveal())
    assert tokens(NEW).read(str(serializer(SALT).dumps(claims))) == ADA
    for salt in ("hitchpost.session.v1", "itsdangerous", ""):
        with pytest.raises(NotSignedIn):
            tokens(NEW).read(str(serializer(salt).dumps(claims)))


def test_a11_a_token_has_an_age() -> None:
    """After a day none is taken, whatever it says of its own end; one from the future neither."""
    with time_machine.travel(0, tick=False) as clock:
        token = tokens(NEW).issue(ADA, timedelta(days=400))[0].reveal()
        clock.move_to(86_400)
        assert tokens(NEW).read(token) == ADA
        for moment in (86_401, 399 * 86_400, -6):
            clock.move_to(moment)
            with pytest.raises(NotSignedIn):
                tokens(NEW).read(token)


class EndedAfterwards(Endless):
    """A ``SessionEnds`` that is told of an end at any time."""

    over = False

    def is_ended(self, principal: Principal, issued_at: datetime) -> bool:
        """As it stands now."""
        return self.over


def test_a11_a_token_that_was_taken_before_is_looked_at_again() -> None:
    """What is remembered of a token is its signature alone: its end, and its age, are asked each time."""
    ends = EndedAfterwards()
    with time_machine.travel(0, tick=False) as clock:
        some = SessionTokens([Secret(NEW)], lambda: datetime.now(UTC), ends)
        token = some.issue(ADA)[0].reveal()
        old = some.issue(ADA, timedelta(days=400))[0].reveal()
        for one in (token, old):
            assert some.read(one) == ADA
        clock.move_to(3600)
        with pytest.raises(NotSignedIn, match="expired"):
            some.read(token)
        assert some.read(old) == ADA
        ends.over = True
        with pytest.raises(NotSignedIn, match="ended"):
            some.read(old)
        ends.over = False
        clock.move_to(86_401)
        with pytest.raises(NotSignedIn, match="expired"):
            some.read(old)


def rotated(world: World, folder: Path, keys: str) -> Flask:
    """A BFF over one and the same database, with these keys."""
    return build_bff("https://bff.example", folder, world.partner, secret_keys=keys)


def test_a11_a_running_bff_changes_its_keys(world: World, tmp_path: Path) -> None:
    """Sessions of before go on while their key is listed, and end with it: 401."""
    body = {"user": {"id": "ada"}, "account": {"id": "acme"}}
    server = {"Authorization": "Bearer sk_test_" + "a" * 24}
    first = rotated(world, tmp_path, OLD).test_client().post("/v1/sessions", json=body, headers=server)
    page = {"Authorization": f"Bearer {first.json['token']}", "Origin": HOST}
    read = f"/v1/attempts/att_{'x' * 24}"
    for keys, status in ((OLD, 404), (f"{NEW},{OLD}", 404), (NEW, 401)):
        assert rotated(world, tmp_path, keys).test_client().get(read, headers=page).status_code == status


def is_private(answer: requests.Response) -> bool:
    """Whether no cache keeps it, and one that did would not mix people up."""
    vary = {part.strip().lower() for part in answer.headers.get("Vary", "").split(",")}
    return answer.headers.get("Cache-Control") == "no-store" and {"cookie", "origin"} <= vary


def answers(studio: StudioWorld) -> Iterator[requests.Response]:
    """What everybody who is signed in is answered, on every route."""
    world, editor, token = studio.world, studio.editor(), studio.world.session()
    named = {"attempt_id": world.begin(token)["id"]}
    sound = {"user": {"id": "ada"}, "account": {"id": "acme"}}
    yield world.server("POST", "/v1/sessions", json=sound)
    yield world.page("POST", "/v1/attempts", token, json={"connector": "sandbox"})
    yield world.page("POST", "/v1/attempts", token, origin="https://evil.example", json={})
    for method in ("GET", "POST"):
        for path in routes(world.bff_app, method, "/v1/", named):
            yield world.page(method, path, token, json={})
            yield world.server(method, path, json={})
            yield requests.request(method, world.bff + path, timeout=20)
            yield requests.options(world.bff + path, headers={"Origin": HOST}, timeout=20)
    for path in routes(world.bff_app, "GET", "/studio/"):
        if not path.startswith("/studio/assets/"):
            yield editor.browser.get(world.bff + path, timeout=20, allow_redirects=False)
    yield enter(world, studio.link())
    yield editor.post("sign-out")
    yield editor.get("messages")


def test_a12_no_cache_keeps_what_is_somebodys(studio: StudioWorld) -> None:
    """Each answer to somebody signed in, or with a cookie, whatever its status: `no-store` and `Vary`.

    Browsers guess the type of none of them.
    """
    seen = []
    for answer in answers(studio):
        seen.append(answer)
        if answer.request.method != "OPTIONS":
            assert is_private(answer), (answer.request.method, answer.url, answer.status_code, answer.headers)
            assert answer.headers["X-Content-Type-Options"] == "nosniff", answer.url
    assert {200, 201, 401, 403, 404, 422} <= {answer.status_code for answer in seen}
    assert sum("Set-Cookie" in answer.headers for answer in seen) == 2


def test_a12_what_a_cookie_does_not_change_sets_none(world: World) -> None:
    """What caches may keep, the widget and the opening page above all, never comes with a cookie."""
    kept = 0
    for path in routes(world.bff_app, "GET", named={"version": "v1", "name": "hitchpost.js"}):
        answer = requests.get(world.bff + path, timeout=20, params={"product": "demo", "origin": HOST})
        if answer.headers.get("Cache-Control", "") != "no-store":
            kept += 1
            assert "Set-Cookie" not in answer.headers, path
    assert kept >= 3
