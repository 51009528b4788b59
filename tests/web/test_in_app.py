"""Browsers inside other apps: which delivery the page is told, and help where a third party refuses them."""

from __future__ import annotations

import pytest
import requests

from bff.web.kit.in_app import is_in_app, refuses_in_app
from tests.support.world import HOST, World

pytestmark = pytest.mark.one_database

IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
ANDROID = (
    "Mozilla/5.0 (Linux; Android 15; Pixel 9{wv}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0"
)
IN_APP = {
    "instagram": f"{IPHONE} Mobile/22F76 Instagram 390.0.0.28.85",
    "facebook": f"{IPHONE} Mobile/22F76 [FBAN/FBIOS;FBAV/510.0.0.37;FBBV/1;FBDV/iPhone15,2]",
    "linkedin": f"{IPHONE} Mobile/22F76 [LinkedInApp]/9.31.3064",
    "web-view-apple": f"{IPHONE} Mobile/15E148",
    "web-view-android": ANDROID.format(wv="; wv") + " Mobile Safari/537.36",
}
REAL = {
    "safari": f"{IPHONE} Version/18.5 Mobile/15E148 Safari/604.1",
    "chrome-apple": f"{IPHONE} CriOS/141.0.7390.26 Mobile/15E148 Safari/604.1",
    "chrome-android": ANDROID.format(wv="") + " Mobile Safari/537.36",
    "firefox": "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
    "none": "",
}


@pytest.mark.parametrize(
    ("agent", "delivery"),
    [*((agent, "return") for agent in IN_APP.values()), *((agent, "message") for agent in REAL.values())],
    ids=[*IN_APP, *REAL],
)
def test_the_page_is_told_how_to_sign_in(world: World, agent: str, delivery: str) -> None:
    """A browser inside an app is told to use the page's own tab; every other one a popup."""
    assert is_in_app(agent) == (delivery == "return")
    answer = world.page("GET", "/v1/config", world.session(), headers={"User-Agent": agent})
    assert answer.json()["delivery"] == delivery


@pytest.mark.parametrize(
    ("name", "key", "refuses"),
    [
        ("Google Drive", "gdrive", True),
        ("Mail", "gmail", True),
        ("Calendar", "google-calendar", True),
        ("Sandbox CRM", "sandbox", False),
        ("Googleplex Tours", "tours", False),
    ],
)
def test_google_is_known(name: str, key: str, *, refuses: bool) -> None:
    """Google signs nobody in inside an app, whichever of its products it is."""
    assert refuses_in_app(name, key) == refuses


def launch(world: World, token: str, agent: str, **more: str) -> requests.Response:
    """The page's own tab goes to the sign-in."""
    return requests.post(
        f"{world.bff}/connect/launch",
        data={"launch_token": token, **more},
        headers={"Origin": HOST, "User-Agent": agent},
        allow_redirects=False,
        timeout=30,
    )


def test_help_instead_of_a_dead_end(world: World) -> None:
    """Google in Instagram: a page that names the way out and uses nothing up; trying is still allowed."""
    attempt = world.begin(
        world.session(), "google-drive", delivery="return", return_url=f"{HOST}/tools?tab=2"
    )
    page = launch(world, attempt["launch_token"], IN_APP["instagram"])
    assert page.status_code == 200
    assert "does not allow signing in inside another app" in page.text
    assert f'value="{HOST}/tools?tab=2"' in page.text
    assert world.read(attempt["id"])["status"] == "created"
    assert launch(world, attempt["launch_token"], IN_APP["instagram"], anyway="1").status_code == 303


def test_a_real_browser_needs_no_help(world: World) -> None:
    """Google in Safari, and another third party in Instagram, are launched at once."""
    token = world.session()
    for connector, agent in (("google-drive", REAL["safari"]), ("sandbox", IN_APP["instagram"])):
        attempt = world.begin(token, connector, delivery="return", return_url=f"{HOST}/")
        assert launch(world, attempt["launch_token"], agent).status_code == 303
