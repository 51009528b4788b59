"""The popup's error pages: what a person can do there, and the code that support can find."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from tests.support.studio import Page
from tests.support.world import OPENED_FOR, OTHER_HOST, World, open_world

pytestmark = pytest.mark.one_database


def buttons(page: Page) -> list[dict[str, str]]:
    """What can be pressed, the hidden copy button left out."""
    return [item for item in page.tags("button") if "data-copy" not in item]


def test_too_many_tries_can_be_tried_again(tmp_path: Path) -> None:
    """The launch token is as good as before: the button sends it once more."""
    with open_world(tmp_path, bff_settings={"limit_user_launches": 1}) as world:
        token = world.session()
        first, second = (world.begin(token)["launch_token"] for _ in range(2))
        assert world.launch(first).status_code == 303
        refused = world.launch(second)
        assert refused.status_code == 429
        page = Page(refused.text)
        fields = {item["name"]: item["value"] for item in page.tags("input")}
        assert fields == {"launch_token": second, **OPENED_FOR}
        assert [item["action"] for item in page.tags("form")] == [f"{world.bff}/connect/launch"]
        assert [item.get("type") for item in buttons(page)] == ["submit", "button"]


@pytest.mark.parametrize("origin", [OTHER_HOST, "https://evil.example", None])
def test_a65_trying_again_claims_nothing_for_another_page(tmp_path: Path, origin: str | None) -> None:
    """The error page's own form comes from the BFF: it says who sent the first, and not what they claimed."""
    with open_world(tmp_path, bff_settings={"limit_address": 1}) as world:
        token = world.session()
        first, second = (world.begin(token)["launch_token"] for _ in range(2))
        assert world.launch(first).status_code == 303
        refused = world.launch(second, origin=origin)
        assert refused.status_code == 429
        fields = {item["name"]: item["value"] for item in Page(refused.text).tags("input")}
        assert fields == {"launch_token": second, "origin": origin or ""}


def test_what_is_over_is_not_offered_again(world: World) -> None:
    """A launch token that was used is no good to anybody; the way back is."""
    token = world.begin(world.session())["launch_token"]
    assert world.launch(token).status_code == 303
    page = Page(world.launch(token).text)
    assert not page.tags("form")
    assert len(buttons(page)) == 1
    assert [item["href"] for item in page.tags("a")] == ["https://app.example"]


@pytest.mark.parametrize("path", ["connect/return/nothing", "connect/opening?product=none&origin=x"])
def test_every_error_page_shows_a_code(world: World, path: str) -> None:
    """Without an attempt it is that of the request, which stands in the log and in the answer's header."""
    answer = requests.get(f"{world.bff}/{path}", timeout=10)
    page = Page(answer.text)
    code = answer.headers["X-Request-Id"]
    assert code in page.words
    assert {"dir": "ltr", "id": "support-code", "aria-labelledby": "support-label"} in page.tags("code")
    assert "Support code:" in page.words


def test_the_return_page_can_offer_to_report_again(world: World) -> None:
    """Its script shows this while the server does not answer: nobody else reports how the sign-in ended."""
    attempt = world.begin(world.session(), delivery="return", return_url="https://app.example/")
    location = world.launch(attempt["launch_token"]).headers["Location"]
    page = Page(requests.get(parse_qs(urlsplit(location).query)["targetOrigin"][0], timeout=10).text)
    assert {"id": "lost", "hidden": ""} in page.tags("section")
    assert "data-again" in page.tags("button")[-1]
    assert "The connection service does not answer" in page.words


def test_a_code_never_breaks_at_its_hyphen() -> None:
    """It is read out, or selected, as a whole."""
    css = (Path(__file__).parents[2] / "static/pages/pages.css").read_text()
    assert ".support code { white-space: nowrap; user-select: all;" in css


@pytest.mark.parametrize("path", ["studio/enter/whatever", "connect/return/nothing"])
def test_a_database_that_cannot_be_read_is_no_fault_of_ours(tmp_path: Path, path: str) -> None:
    """503, which says when to try again, with a button that does: in the Studio as elsewhere."""
    with open_world(tmp_path) as world:
        database = Path(world.bff_database.removeprefix("sqlite:///"))
        for name in (database, *database.parent.glob(f"{database.name}-*")):
            name.write_bytes(b"a photograph" * 10_000)
        answer = requests.get(f"{world.bff}/{path}", timeout=20)
        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) >= 1
        assert {"class": "button", "href": ""} in Page(answer.text).tags("a")
        headers = {"Accept": "application/json"}
        told = requests.get(f"{world.bff}/studio/enter/whatever", headers=headers, timeout=20)
        assert (told.status_code, told.json()["code"]) == (503, "storage_unavailable")
        assert told.json()["title"]
        assert "error" not in told.json(), "the widget then repeats the call"
