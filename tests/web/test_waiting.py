"""A launch that meets a restart waits in its window: the page hands in the same launch again, by itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests
from sqlalchemy.exc import OperationalError

from bff.connect.store import DatabaseAttempts
from bff.partner.storage.database import Database
from bff.studio.store import DatabaseStudio
from tests.support.fault_proxy import Fault
from tests.support.faulty_world import FaultyWorld, open_faulty_world
from tests.support.waiting import wait_for
from tests.support.world import HOST, OTHER_HOST
from tests.web.test_forced_linking import asks_first, browser_of, post


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaultyWorld]:
    """A world whose partner service can be away."""
    with open_faulty_world(tmp_path_factory.mktemp("waiting")) as opened:
        yield opened


def away(monkeypatch: pytest.MonkeyPatch) -> None:
    """The database cannot be asked for anything."""

    def gone(*_: Any, **__: Any) -> None:
        raise OperationalError("SELECT", None, Exception("gone"))

    monkeypatch.setattr(DatabaseAttempts, "find_by_launch_token", gone)


def waits(answer: requests.Response) -> bool:
    """Whether it is the page that goes on by itself, soon."""
    soon = 0 < int(answer.headers.get("Retry-After", "0")) <= 10
    return answer.status_code == 503 and soon and 'data-seconds="' in answer.text


def test_the_page_hands_in_the_launch_until_the_partner_service_is_back(faulty: FaultyWorld) -> None:
    """As often as need be, whether an opening page or the host's own page began; then it leads on, once."""
    faulty.before_partner.switch(Fault.REFUSE)
    token = faulty.session()
    pages = [faulty.launch(faulty.begin(token)["launch_token"], origin=origin) for origin in ("bff", HOST)]
    for _ in range(2):
        assert all(waits(page) for page in pages)
        pages = [post(faulty, browser_of(page.text), faulty.bff) for page in pages]
    faulty.before_partner.switch(Fault.NONE)

    def again(page: requests.Response) -> int:
        return post(faulty, browser_of(page.text), faulty.bff).status_code

    for page in pages:
        # The breaker rests for two seconds: the page waits as long.
        wait_for(lambda page=page: again(page) == 303, every=0.1)
        assert again(page) == 410


def test_the_page_waits_for_the_database_too(faulty: FaultyWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing can be looked up then, and the launch is handed in again as it came."""
    attempt = faulty.begin(faulty.session())
    away(monkeypatch)
    page = faulty.launch(attempt["launch_token"])
    assert waits(page)
    monkeypatch.undo()
    assert post(faulty, browser_of(page.text), faulty.bff).status_code == 303


@pytest.mark.parametrize("origin", [OTHER_HOST, HOST, "https://evil.example", None])
def test_a65_the_page_claims_nothing_for_another_page(
    faulty: FaultyWorld, monkeypatch: pytest.MonkeyPatch, origin: str | None
) -> None:
    """What a page elsewhere posted while the database was away is asked about, as it would have been."""
    attempt = faulty.begin(faulty.session())
    away(monkeypatch)
    page = faulty.launch(attempt["launch_token"], origin=origin)
    assert waits(page)
    monkeypatch.undo()
    assert asks_first(post(faulty, browser_of(page.text), faulty.bff))


def test_a_page_that_only_reads_looks_again(faulty: FaultyWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a sign-in comes back while the database restarts, the page asks again by itself."""

    def gone(*_: Any, **__: Any) -> None:
        raise OperationalError("SELECT", None, Exception("gone"))

    monkeypatch.setattr(DatabaseAttempts, "get", gone)
    page = requests.get(f"{faulty.bff}/connect/complete/att_any?code={'c' * 32}", timeout=20)
    assert (page.status_code, page.headers["Refresh"]) == (503, "3")


def test_a_database_that_is_away_is_503_in_the_studio_too(
    faulty: FaultyWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page for a person, a problem document for a script: not as if something were broken on our side."""

    def gone(*_: Any, **__: Any) -> None:
        raise OperationalError("SELECT", None, Exception("gone"))

    monkeypatch.setattr(DatabaseStudio, "session", gone)
    cookie = {"Cookie": f"hitchpost_studio={'s' * 43}"}
    for more in ({}, {"Accept": "application/json"}):
        for path in ("words", "news", "look"):
            answer = requests.get(f"{faulty.bff}/studio/{path}", headers={**cookie, **more}, timeout=20)
            assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")


def test_a_page_of_the_embedded_service_looks_again(
    faulty: FaultyWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a browser arrives while its database restarts; nothing was used up."""
    launched = faulty.launch(faulty.begin(faulty.session())["launch_token"])

    def gone(*_: Any, **__: Any) -> None:
        raise OperationalError("SELECT", None, Exception("gone"))

    monkeypatch.setattr(Database, "writing", gone)
    monkeypatch.setattr(Database, "reading", gone)
    page = requests.get(launched.headers["Location"], timeout=20, allow_redirects=False)
    assert (page.status_code, page.headers["Refresh"]) == (503, "5")
    monkeypatch.undo()
    assert requests.get(launched.headers["Location"], timeout=20, allow_redirects=False).status_code == 302
