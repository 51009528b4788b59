"""What users meet is what was published, soon, in every worker, and nothing faulty."""

from __future__ import annotations

import base64
import hashlib
import html
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import requests

from bff.content.entries import path_of_text, path_of_word
from bff.content.store import ContentStore
from bff.products.store import DatabaseProducts
from bff.serving.database import open_database
from tests.support.waiting import wait_for
from tests.support.world import HOST, World, open_world

SEEN_WITHIN = 3.0
"""Seconds: two that a worker may show what it has read, and one for a busy machine."""
MARKUP = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</title><svg onload=alert(1)>",
    "{{ 7*7 }}{% raw %}",
    "&lt;b&gt; & ' \"",
    "javascript:alert(1)",
]


@pytest.fixture(scope="module")
def own_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A world whose product the tests here may change."""
    with open_world(tmp_path_factory.mktemp("published")) as world:
        yield world


@pytest.fixture
def world(own_world: World) -> Iterator[World]:
    """As it was at first: each test publishes for itself."""
    store = another_worker(own_world)[1]
    yield own_world
    store.publish("demo", store.version("demo", 1).content, "test")


def another_worker(world: World) -> tuple[DatabaseProducts, ContentStore]:
    """A second process' view of the same database."""
    engine = open_database(world.bff_database)
    return DatabaseProducts(engine), ContentStore(engine, lambda: datetime.now(UTC))


def publish_elsewhere(world: World, **entries: str) -> None:
    """Another worker publishes these entries on top of what stands."""
    _, store = another_worker(world)
    store.publish("demo", {**store.published("demo").content, **entries}, "grace@example.com")


def publish(world: World, **entries: str) -> None:
    """Publish them in the worker that answers: it shows them at once."""
    publish_elsewhere(world, **entries)
    world.bff_app.extensions["hitchpost"].products.forget("demo")


def test_every_worker_shows_what_another_published(world: World) -> None:
    """To whoever asks three seconds later, and without a restart."""
    token = world.session()

    def cancel() -> str:
        return str(world.page("GET", "/v1/config", token).json()["words"]["cancel"])

    assert cancel() == "Cancel"
    publish_elsewhere(world, **{path_of_word("cancel"): "Never mind"})
    published = time.monotonic()

    def is_shown() -> bool:
        asked, shown = time.monotonic(), cancel() == "Never mind"
        assert shown or asked < published + SEEN_WITHIN
        return shown

    wait_for(is_shown, every=0.1)


def test_a_message_follows_connector_and_language(world: World) -> None:
    """The closest of its texts is what the partner service is asked to post."""
    texts = {
        path_of_text("chosen"): "all",
        path_of_text("chosen", "google-drive"): "drive",
        path_of_text("chosen", locale="de"): "deutsch",
        path_of_text("chosen", "google-drive", "de"): "drive deutsch",
        "messages/chosen/kind": "plain",
    }
    publish(world, **texts)
    wanted = {
        ("sandbox", "fr"): "all",
        ("sandbox", "de-AT"): "deutsch",
        ("google-drive", "fr"): "drive",
        ("google-drive", "de"): "drive deutsch",
    }
    for (connector, locale), text in wanted.items():
        told = world.begin(world.session(), connector=connector, message="chosen", locale=locale)
        assert told["callback_message"] == text


def test_a_message_that_an_id_makes_too_long_is_refused_before_any_click(world: World) -> None:
    """A minted URL has 2,000 characters at most: the page's developer is told which message, and why."""
    publish(world, **{path_of_text("long"): "{user}" * 40, "messages/long/kind": "plain"})
    token = world.session(user="u" * 200)
    refused = world.page("POST", "/v1/attempts", token, json={"connector": "sandbox", "message": "long"})
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_request")
    assert "2000" in refused.json()["detail"]


def test_markup_in_any_text_is_shown_as_text(world: World) -> None:
    """On every page in the popup; the widget's own share is proven in browsers."""
    text = " ".join([*MARKUP, "{connector_name}"])
    publish(world, **{path_of_word("page_opening"): text, path_of_word("page_close"): text})
    asked = {"product": "demo", "origin": HOST, "connector": "sandbox"}
    shown = requests.get(f"{world.bff}/connect/opening", params=asked, timeout=20).text
    assert html.unescape(shown).count(text.replace("{connector_name}", "Sandbox CRM")) == 3
    assert [markup for markup in MARKUP if "<" in markup and markup in shown] == []


def test_what_stands_is_told_with_its_account(world: World) -> None:
    """Where the partner service tells whose it is; nobody reads braces before."""
    publish(world, **{path_of_word("connected"): "Connected to {connector_name} as {account}"})
    token = world.session(user="account-reader")

    def words() -> dict[str, str]:
        found: dict[str, str] = world.page("GET", "/v1/config", token).json()["words"]
        return found

    told = {key: text for key, text in words().items() if key.endswith("connected")}
    assert "sandbox connected" not in told
    assert not [text for text in told.values() if "{account}" in text]
    world.read(world.connect(token))
    assert words()["sandbox connected"] == "Connected to Sandbox CRM as ada@sandbox.example"


def test_the_look_is_inside_the_pages(world: World) -> None:
    """Allowed by its hash; and a stylesheet of its version, for ever the same."""
    publish(world, **{"look/accent": "#004080", "look/radius": "2px"})
    asked = {"product": "demo", "origin": HOST}
    page = requests.get(f"{world.bff}/connect/opening", params=asked, timeout=20)
    look = re.findall(r"<style>(.*?)</style>", page.text, re.DOTALL)[-1]
    digest = base64.b64encode(hashlib.sha256(look.encode()).digest()).decode()
    assert "#004080" in look
    assert f"'sha256-{digest}'" in page.headers["Content-Security-Policy"]
    address = f"{world.bff}/connect/look/demo/{another_worker(world)[1].published('demo').number}.css"
    style = requests.get(address, timeout=20)
    assert style.headers["Content-Type"].startswith("text/css")
    assert "immutable" in style.headers["Cache-Control"]
    assert style.text == look
    told = world.page("GET", "/v1/config", world.session()).json()
    assert "#004080" in told["style"]
    other = requests.get(f"{world.bff}/connect/look/demo/999999.css", timeout=20)
    assert "no-store" in other.headers["Cache-Control"]
