"""Inside a host's own Flask app: cookies say who is signed in, and nothing else is taken on trust."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest
import requests

from tests.support.mounted import create_host
from tests.support.servers import serve
from tests.support.world import World, open_world

HEADERS = {"X-Hitchpost": "1"}


@pytest.fixture(scope="module")
def mounted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, World]]:
    """The host application's URL, and the partner service behind it."""
    folder = tmp_path_factory.mktemp("mounted")
    with contextlib.ExitStack() as stack:
        world = stack.enter_context(open_world(folder))
        yield stack.enter_context(serve(lambda url: create_host(url, folder, world.partner))), world


@pytest.fixture
def browser(mounted: tuple[str, World]) -> requests.Session:
    """A browser that is signed in to the host application."""
    found = requests.Session()
    found.get(f"{mounted[0]}/sign-in/ada", timeout=10)
    return found


def test_a_whole_click_by_cookie(mounted: tuple[str, World], browser: requests.Session) -> None:
    """The page calls its own origin with its own cookie, and the sign-in ends connected."""
    url, world = mounted
    headers = {**HEADERS, "Origin": url}
    base = f"{url}/hitchpost"
    made = browser.post(f"{base}/v1/attempts", json={"connector": "sandbox"}, headers=headers, timeout=10)
    assert made.status_code == 201, made.text
    attempt = made.json()
    opening = browser.get(f"{base}/connect/opening?product=embedded&origin={url}", timeout=10)
    assert f'action="{base}/connect/launch"' in opening.text
    launched = requests.post(
        f"{base}/connect/launch",
        data={"launch_token": attempt["launch_token"]},
        headers={"Origin": url},
        allow_redirects=False,
        timeout=10,
    )
    world.sign_in(launched.headers["Location"])
    same_origin = {**HEADERS, "Sec-Fetch-Site": "same-origin"}
    told = browser.get(f"{base}/v1/attempts/{attempt['id']}", headers=same_origin, timeout=10)
    assert told.json()["status"] == "connected"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "own"}, 422),
        ({"X-Hitchpost": "1"}, 403),
        ({"X-Hitchpost": "1", "Origin": "https://evil.example"}, 403),
        ({"X-Hitchpost": "1", "Origin": "null"}, 403),
        ({"X-Hitchpost": "0", "Origin": "own"}, 422),
    ],
)
def test_a_cookie_needs_the_header_and_the_exact_origin(
    mounted: tuple[str, World], browser: requests.Session, headers: dict[str, str], status: int
) -> None:
    """Without either, a foreign page could act for the user."""
    sent = {name: mounted[0] if value == "own" else value for name, value in headers.items()}
    answer = browser.post(
        f"{mounted[0]}/hitchpost/v1/attempts", json={"connector": "sandbox"}, headers=sent, timeout=10
    )
    assert answer.status_code == status


@pytest.mark.parametrize("site", [None, "cross-site", "same-site", "none"])
def test_a_read_by_cookie_comes_from_the_same_origin(
    mounted: tuple[str, World], browser: requests.Session, site: str | None
) -> None:
    """A GET carries no Origin: the browser's own word on where it comes from is needed instead."""
    headers = {**HEADERS, **({"Sec-Fetch-Site": site} if site else {})}
    assert browser.get(f"{mounted[0]}/hitchpost/v1/config", headers=headers, timeout=10).status_code == 403


def test_nobody_is_signed_in_without_the_hosts_word(mounted: tuple[str, World]) -> None:
    """`identify` returns None: 401."""
    headers = {**HEADERS, "Origin": mounted[0]}
    answer = requests.get(f"{mounted[0]}/hitchpost/v1/config", headers=headers, timeout=10)
    assert (answer.status_code, answer.json()["code"]) == (401, "not_signed_in")


def test_the_hosts_own_pages_stay_its_own(mounted: tuple[str, World]) -> None:
    """An unknown page of the host is the host's 404, not a problem document of ours."""
    answer = requests.get(f"{mounted[0]}/nothing", timeout=10)
    assert answer.status_code == 404
    assert answer.headers["Content-Type"].startswith("text/html")
