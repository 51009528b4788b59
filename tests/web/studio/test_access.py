"""Who gets into the Studio, for how long, and what a change needs besides."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests
from sqlalchemy import create_engine, select, update

from bff.common.secret import fingerprint
from bff.storage.tables import studio_invites, studio_sessions
from bff.studio.access import Role
from bff.studio.store import DatabaseStudio
from tests.support.dump import dump
from tests.support.studio import GRACE, Editor, StudioWorld
from tests.support.world import build_bff

COOKIE = "hitchpost_studio"


def token_of(link: str) -> str:
    """The token in a link."""
    return link.rpartition("/")[2]


def press(link: str, studio: StudioWorld, **cookies: str) -> requests.Response:
    """Press the button of a link's page."""
    headers = {"Origin": studio.world.bff}
    return requests.post(link, headers=headers, cookies=cookies, timeout=10, allow_redirects=False)


def test_looking_at_a_link_uses_nothing_up(studio: StudioWorld) -> None:
    """A prefetch or a mail scanner may look as often as it likes; the button signs in."""
    link = studio.link()
    for _ in range(3):
        looked = requests.get(link, timeout=10)
        assert looked.status_code == 200
        assert "Set-Cookie" not in looked.headers
    assert "ada@acme.example" in looked.text
    assert press(link, studio).status_code == 303


def test_a_link_signs_in_once(studio: StudioWorld) -> None:
    """The second time it says that it was used, and how to get another; nobody is signed in."""
    link = studio.link()
    press(link, studio)
    for again in (requests.get(link, timeout=10), press(link, studio)):
        assert again.status_code == 410
        assert "This link has been used" in again.text
        assert "hitchpost studio invite" in again.text
        assert "Set-Cookie" not in again.headers


def test_a_link_is_good_for_a_day(studio: StudioWorld) -> None:
    """After 24 hours it signs nobody in; one that was never made neither."""
    link = studio.link()
    late = update(studio_invites).where(studio_invites.c.token_sha256 == fingerprint(token_of(link)))
    with studio.engine.begin() as connection:
        row = connection.execute(
            select(studio_invites).where(studio_invites.c.token_sha256 == fingerprint(token_of(link)))
        ).one()
        assert timedelta(hours=23) < row.expires_at - datetime.now(UTC) <= timedelta(hours=24)
        connection.execute(late.values(expires_at=datetime.now(UTC) - timedelta(seconds=1)))
    assert "too old" in press(link, studio).text
    unknown = press(studio.world.bff + "/studio/enter/" + "x" * 43, studio)
    assert unknown.status_code == 410
    assert "not known here" in unknown.text


def test_two_who_press_at_once_are_one(studio: StudioWorld) -> None:
    """A link is compared and set: of two browsers one is signed in."""
    link = studio.link()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: press(link, studio).status_code, range(8)))
    assert sorted(answers) == [303, *[410] * 7]


def test_nothing_that_lets_anybody_in_is_stored_as_it_is(studio: StudioWorld) -> None:
    """Links and session ids stand in the database as SHA-256 only."""
    link = studio.link()
    session_id = press(link, studio).cookies[COOKIE]
    stored = dump(studio.world.bff_database)
    for secret in (token_of(link), session_id):
        assert secret not in stored
        assert fingerprint(secret) in stored


def test_the_cookie_is_the_browsers_alone(studio: StudioWorld) -> None:
    """On loopback: HttpOnly, SameSite=Lax, for the whole origin; without Secure, which http cannot keep."""
    given = press(studio.link(), studio).headers["Set-Cookie"]
    assert given.startswith(f"{COOKIE}=")
    parts = {part.strip() for part in given.split(";")}
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= parts
    assert "Secure" not in parts
    assert not any(part.startswith("Domain") for part in parts)


def test_over_https_nobody_else_can_set_the_cookie(studio: StudioWorld, tmp_path: Path) -> None:
    """The prefix __Host- binds it to this very host, and Secure to https."""
    app = build_bff("https://bff.example", tmp_path, studio.world.partner)
    engine = create_engine(f"sqlite:///{tmp_path}/bff.db")
    store = DatabaseStudio(engine, lambda: datetime.now(UTC), lambda: "t" * 43)
    token = store.invite("demo", "ada@acme.example", Role.EDITOR).reveal()
    headers = {"Origin": "https://bff.example"}
    given = app.test_client().post(f"/studio/enter/{token}", headers=headers).headers["Set-Cookie"]
    engine.dispose()
    assert given.startswith("__Host-hitchpost_studio=")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= {part.strip() for part in given.split(";")}


def test_without_a_session_the_way_in_is_told(studio: StudioWorld) -> None:
    """A person reads how to get a link (401); a script gets a problem document."""
    for cookies in ({}, {COOKIE: "planted" * 6}):
        page = requests.get(f"{studio.world.bff}/studio/messages", cookies=cookies, timeout=10)
        assert page.status_code == 401
        assert "hitchpost studio invite" in page.text
        news = requests.get(
            f"{studio.world.bff}/studio/news",
            cookies=cookies,
            headers={"Accept": "application/json"},
            timeout=10,
        )
        assert news.status_code == 401
        assert news.headers["Content-Type"] == "application/problem+json"
        assert news.json()["code"] == "not_signed_in"


def test_a_planted_session_is_never_taken_over(studio: StudioWorld) -> None:
    """Each sign-in has an id of its own, whatever the browser brought; the session of before ends."""
    first = studio.editor()
    before = first.browser.cookies[COOKIE]
    after = press(studio.link(GRACE), studio, **{COOKIE: before}).cookies[COOKIE]
    assert after != before
    assert requests.get(first.url("messages"), cookies={COOKIE: before}, timeout=10).status_code == 401
    planted = "p" * 43
    assert press(studio.link(), studio, **{COOKIE: planted}).cookies[COOKIE] != planted
    assert requests.get(first.url("messages"), cookies={COOKIE: planted}, timeout=10).status_code == 401


def test_signing_out_ends_the_session(studio: StudioWorld) -> None:
    """At the server, not only in the browser."""
    editor = studio.editor()
    cookie = editor.browser.cookies[COOKIE]
    assert editor.post("sign-out").status_code == 200
    assert COOKIE not in editor.browser.cookies
    assert requests.get(editor.url("messages"), cookies={COOKIE: cookie}, timeout=10).status_code == 401


def turn_back(studio: StudioWorld, editor: Editor, **values: datetime) -> None:
    """Let time have passed in a session."""
    mine = studio_sessions.c.id_sha256 == fingerprint(editor.browser.cookies[COOKIE])
    with studio.engine.begin() as connection:
        connection.execute(update(studio_sessions).where(mine).values(values))


def test_a_session_ends_by_itself(studio: StudioWorld) -> None:
    """After 8 hours without use, and after 7 days in any case."""
    editor, now = studio.editor(), datetime.now(UTC)
    turn_back(studio, editor, seen_at=now - timedelta(hours=7, minutes=59))
    assert editor.get("messages").status_code == 200
    turn_back(studio, editor, seen_at=now - timedelta(hours=8, minutes=1))
    assert editor.get("messages").status_code == 401
    another = studio.editor()
    turn_back(studio, another, expires_at=now)
    assert another.get("messages").status_code == 401


def test_a_page_left_open_keeps_nobody_signed_in(studio: StudioWorld) -> None:
    """What the page asks by itself counts as no use; what its person does, does."""
    editor, long_ago = studio.editor(), datetime.now(UTC) - timedelta(hours=7)
    mine = select(studio_sessions.c.seen_at).where(
        studio_sessions.c.id_sha256 == fingerprint(editor.browser.cookies[COOKIE])
    )
    turn_back(studio, editor, seen_at=long_ago)
    assert editor.get("news").status_code == 200
    with studio.engine.connect() as connection:
        assert connection.execute(mine).scalar_one() == long_ago
    editor.get("messages")
    with studio.engine.connect() as connection:
        assert connection.execute(mine).scalar_one() > long_ago


@pytest.mark.parametrize("path", ["", "/"])
def test_the_studio_begins_at_its_own_address(studio: StudioWorld, path: str) -> None:
    """/studio leads to the first room."""
    answer = studio.editor().browser.get(f"{studio.world.bff}/studio{path}", timeout=10)
    assert answer.url.endswith("/studio/messages")
