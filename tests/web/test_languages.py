"""The language that a person reads: the tag's, else the user's own, else the page's, else the browser's."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import urlencode

import pytest
import requests

from bff.content.words import DEFAULTS
from tests.support.studio import StudioWorld
from tests.support.world import HOST, World

pytestmark = pytest.mark.one_database


def config(world: World, token: str, *, tag: str | None = None, header: str = "") -> dict[str, Any]:
    """What the page is told."""
    query = f"?locale={tag}" if tag else ""
    answer = world.page("GET", f"/v1/config{query}", token, headers={"Accept-Language": header})
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def of_user(world: World, locale: str | None) -> str:
    """A session token of a user whose language the host has told, or not."""
    user = {"id": "ada", **({"locale": locale} if locale else {})}
    return _session(world, user)


def _session(world: World, user: dict[str, str]) -> str:
    body = {"user": user, "account": {"id": world.account}}
    return str(world.server("POST", "/v1/sessions", json=body).json()["token"])


@pytest.mark.parametrize(
    ("tag", "user", "header", "lang"),
    [
        ("fr", "de", "es", "fr"),
        (None, "de", "es", "de"),
        (None, None, "es,en;q=0.5", "es"),
        (None, None, ",ja-JP,en", "ja"),
        ("xx", None, "de-CH", "de"),
        ("nonsense!", None, "de", "de"),
        ("de_DE", "fr", "es", "de"),
        (None, "fr_CA", "es", "fr"),
        (None, None, "ja_JP", "ja"),
        (None, None, "", "en"),
    ],
)
def test_the_first_that_is_named_and_known_is_spoken(
    world: World, tag: str | None, user: str | None, header: str, lang: str
) -> None:
    """The widget puts the page's language in front of the browser's, in `Accept-Language`."""
    told = config(world, of_user(world, user), tag=tag, header=header)
    assert told["lang"] == lang
    assert told["dir"] == "ltr"
    assert told["words"]["cancel"] == DEFAULTS[lang]["cancel"]
    assert told["words"]["error_network_title"] == DEFAULTS[lang]["error_network_title"]


def test_arabic_runs_from_right_to_left(world: World) -> None:
    """And every connector's button has its name in it already."""
    told = config(world, world.session(), tag="ar")
    assert told["dir"] == "rtl"
    assert "Google Drive" in told["words"]["google-drive button"]
    assert "{" not in told["words"]["google-drive button"]


@pytest.mark.parametrize(
    ("asked", "user", "locale"),
    [
        ("de-AT", "fr", "de-AT"),
        ("de_AT", None, "de-AT"),
        (None, "fr_FR", "fr-FR"),
        (None, "fr", "fr"),
        (None, None, "es"),
        ("xx", None, "xx"),
    ],
)
def test_an_attempt_speaks_the_same(world: World, asked: str | None, user: str | None, locale: str) -> None:
    """Its pages, its errors and the variable `{locale}`; what the host names is passed on as it stands."""
    body = {"connector": "sandbox", **({"locale": asked} if asked else {})}
    token = of_user(world, user)
    answer = world.page("POST", "/v1/attempts", token, json=body, headers={"Accept-Language": "es"})
    attempt = answer.json()
    page = requests.post(
        f"{world.bff}/connect/launch",
        data={"launch_token": attempt["launch_token"]},
        headers={"Origin": "https://elsewhere.example"},
        timeout=20,
        allow_redirects=False,
    )
    lang = {"xx": "en", "de-AT": "de", "fr-FR": "fr"}.get(locale, locale)
    assert f'<html lang="{lang}" dir="ltr"' in page.text
    assert DEFAULTS[lang]["page_account"] in page.text
    cancelled = world.page("POST", f"/v1/attempts/{attempt['id']}/cancel", token, json={}).json()
    assert cancelled["error"]["title"] == DEFAULTS[lang]["error_cancelled_title"]


@pytest.mark.parametrize(("user", "header"), [(None, "es"), ("es", "de")])
def test_an_error_is_in_the_language_of_the_button(world: World, user: str | None, header: str) -> None:
    """Also where there are no words in the one that the page names: the user's next one counts."""
    token, headers = of_user(world, user), {"Accept-Language": header}
    assert config(world, token, tag="it", header=header)["lang"] == "es"
    path = f"/v1/attempts/{world.begin(token, locale='it')['id']}"
    world.page("POST", f"{path}/cancel", token, json={}, headers=headers)
    told = world.page("GET", path, token, headers=headers).json()
    assert told["error"]["title"] == DEFAULTS["es"]["error_cancelled_title"]


def test_a_message_in_the_browsers_language_is_sent(studio: StudioWorld) -> None:
    """Also in one that has no words, neither the product's own nor Hitchpost's."""
    editor, world = studio.editor(), studio.world
    editor.send([("messages/default/text/*/pt", "", "ligado:{locale}")])
    assert editor.publish().status_code == 200
    body, token = {"connector": "sandbox"}, world.session(key=studio.secret_key)
    headers = {"Accept-Language": "pt-BR,es"}
    answer = world.page("POST", "/v1/attempts", token, origin=studio.origin, json=body, headers=headers)
    assert json.loads(answer.json()["callback_message"])["message"] == "ligado:pt"


@pytest.mark.parametrize(
    ("query", "header", "lang"), [("ar", "de", "ar"), ("", "de", "de"), ("xx", "fr", "fr"), ("", "", "en")]
)
def test_the_opening_page_speaks_what_the_button_spoke(
    world: World, query: str, header: str, lang: str
) -> None:
    """Named in its address, or as the browser says; a cache keeps the languages apart."""
    asked = {"product": "demo", "origin": HOST, "connector": "sandbox", "locale": query}
    page = requests.get(
        f"{world.bff}/connect/opening?{urlencode(asked)}", headers={"Accept-Language": header}, timeout=20
    )
    assert re.search(r'<html lang="([^"]+)"', page.text)[1] == lang  # type: ignore[index]
    assert "Accept-Language" in page.headers["Vary"]


def test_trouble_speaks_the_browsers_language(world: World) -> None:
    """A page that belongs to no attempt."""
    page = requests.get(f"{world.bff}/connect/nowhere", headers={"Accept-Language": "de"}, timeout=20)
    assert page.status_code == 404
    assert DEFAULTS["de"]["error_not_found_title"] in page.text
