"""Who gets into the Studio, for how long, and what a change needs besides."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
import requests
from sqlalchemy import select, update

from bff.common.secret import fingerprint
from bff.storage.tables import studio_invites, studio_sessions
from tests.support.dump import dump
from tests.support.studio import COOKIE, StudioWorld

pytestmark = pytest.mark.one_database


def token_of(link: str) -> str:
    """The token in a link."""
    return link.rpartition("/")[2]


def press(link: str, studio: StudioWorld) -> requests.Response:
    """Press the button of a link's page."""
    headers = {"Origin": studio.world.bff}
    return requests.post(link, headers=headers, timeout=10, allow_redirects=False)


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


@pytest.mark.both_databases
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


@pytest.mark.both_databases
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


@pytest.mark.both_databases
def test_a_page_left_open_keeps_nobody_signed_in(studio: StudioWorld) -> None:
    """What the page asks by itself counts as no use; what its person does, does."""
    editor, long_ago = studio.editor(), datetime.now(UTC) - timedelta(hours=7)
    mine = select(studio_sessions.c.seen_at).where(
        studio_sessions.c.id_sha256 == fingerprint(editor.browser.cookies[COOKIE])
    )
    studio.turn_back(editor, seen_at=long_ago)
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
