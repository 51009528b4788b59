"""Publishing in the Studio: what was seen is what is published; history; going back."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest

from bff.common.errors import Outdated
from bff.content import store as content_store
from bff.content.store import ContentStore
from tests.support.studio import ADA, GRACE, Page, StudioWorld

pytestmark = pytest.mark.one_database

TEXT = "messages/default/text/*/*"
BUTTON_DE = "words/*/de/button"


def test_what_is_saved_is_a_draft(studio: StudioWorld) -> None:
    """Users meet it only when it is published, then at once; going back undoes it at once."""
    editor = studio.editor()
    editor.save("words?locale=de", {BUTTON_DE: "{connector_name} anbinden"})
    assert studio.config("de")["words"]["sandbox button"] != "Sandbox CRM anbinden"
    assert editor.publish("German").url.endswith("history?published=2")
    assert studio.config("de")["words"]["sandbox button"] == "Sandbox CRM anbinden"
    assert editor.post("history/1/restore", {"expected": "2"}).url.endswith("history?published=3")
    assert studio.config("de")["words"]["sandbox button"] != "Sandbox CRM anbinden"


def test_the_oldest_version_that_is_kept_says_what_it_has(
    studio: StudioWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one before it is gone: it is shown without, and says so."""
    monkeypatch.setattr(content_store, "MOST_VERSIONS", 2)
    editor = studio.editor()
    for number in range(4):
        editor.save("messages/default", {TEXT: f"text {number}"})
        editor.publish(str(number))
    kept = [
        version.number
        for version in ContentStore(studio.engine, lambda: datetime.now(UTC)).history(studio.product)
    ]
    page = editor.get(f"history/{kept[-1]}")
    assert page.status_code == 200
    assert f"Version {kept[-1] - 1} is no longer kept" in page.text
    assert "no longer kept" not in editor.get(f"history/{kept[0]}").text


def test_a_colour_is_shown_beside_its_number(studio: StudioWorld) -> None:
    """Also the one that held before, where nothing was written."""
    editor = studio.editor()
    editor.save("look", {"look/accent": "#663399"})
    changes = editor.get("changes").text
    assert [f'fill="{colour}"' in changes for colour in ("#663399", "#1d4ed8")] == [True, True]


def test_publishing_over_a_newer_version_loses_nothing(studio: StudioWorld) -> None:
    """It says who published what; bringing that in shows what both changed; then it is published."""
    ada = studio.editor()
    ada.save("messages/default", {TEXT: "by ada"})
    revision = ada.page("changes").hidden("revision")
    _publish_beside(studio, {TEXT: "by grace", BUTTON_DE: "{connector_name}!"})
    refused = ada.post("publish", {"revision": revision, "note": "mine"})
    assert refused.status_code == 409
    assert "grace@acme.example has published version 2" in refused.text
    assert 'value="mine"' in refused.text
    assert "Bring version 2 into the draft" in ada.get("changes").text
    brought = ada.post("rebase")
    assert "by grace" in Page(brought.text).words
    assert ada.page("messages/default").fields[TEXT].now == "by ada"
    assert ada.page("words?locale=de").fields[BUTTON_DE].now == "{connector_name}!"
    assert ada.publish().status_code == 200


def _publish_beside(studio: StudioWorld, changes: dict[str, str]) -> None:
    """Grace publishes by a file, say, beside the draft."""
    store = ContentStore(studio.engine, lambda: datetime.now(UTC))
    store.publish(studio.product, {**store.published(studio.product).content, **changes}, GRACE, "by file")


def test_what_is_published_is_what_its_publisher_saw(studio: StudioWorld) -> None:
    """A draft that was changed after the publisher looked is not published, nor discarded."""
    ada, grace = studio.editor(), studio.editor(GRACE)
    ada.save("messages/default", {TEXT: "by ada"})
    seen = ada.page("changes").hidden("revision")
    grace.save("words?locale=de", {BUTTON_DE: "{connector_name}!"})
    for path in ("publish", "discard"):
        answer = ada.post(path, {"revision": seen})
        assert answer.status_code == 409
        assert "changed since you looked" in answer.text
    assert ada.page("messages/default").fields[TEXT].now == "by ada"


def test_going_back_is_of_what_its_publisher_saw(studio: StudioWorld) -> None:
    """A version published meanwhile is not undone unseen."""
    ada, grace = studio.editor(), studio.editor(GRACE)
    for text in ("one", "two"):
        ada.save("messages/default", {TEXT: text})
        ada.publish()
    grace.save("messages/default", {TEXT: "three"})
    grace.publish()
    answer = ada.post("history/2/restore", {"expected": "3"})
    assert answer.status_code == 409
    assert "grace@acme.example has published version 4" in answer.text


@pytest.mark.both_databases
def test_pressed_many_times_at_once_it_is_published_once(studio: StudioWorld) -> None:
    """Publishing and going back are compared and set: of twelve presses one makes a version."""
    ada, store = studio.editor(), ContentStore(studio.engine, lambda: datetime.now(UTC))
    ada.save("messages/default", {TEXT: "by ada"})
    revision = int(ada.page("changes").hidden("revision"))

    def press(act: Callable[[], Any]) -> bool:
        try:
            act()
        except Outdated:
            return False
        return True

    for act in (
        lambda: store.publish_draft(studio.product, revision, ADA),
        lambda: store.restore(studio.product, 1, ADA, expected=2),
    ):
        with ThreadPoolExecutor(12) as pool:
            assert sum(pool.map(press, [act] * 12)) == 1
    assert [version.number for version in store.history(studio.product)] == [3, 2, 1]


def test_changes_and_history_say_what_was_and_what_is(studio: StudioWorld) -> None:
    """Each difference by the entry's name, before and after, and who changed it; one can be undone."""
    ada, grace = studio.editor(), studio.editor(GRACE)
    ada.save("messages/default", {TEXT: "by ada"})
    grace.save("words?locale=de", {BUTTON_DE: "{connector_name}!"})
    words = ada.page("changes").words
    for text in ("Words: Button, German", "Message “default”: the text for everybody", GRACE, ada.email):
        assert text in words
    for text in ("connected:{connector}", "by ada"):
        assert text in words
    assert ada.post("undo", {"path": BUTTON_DE}).status_code == 200
    assert "Words: Button" not in ada.page("changes").words
    ada.publish("a note")
    history = ada.page("history").words
    assert "a note" in history
    assert "product file" in history
    assert "by ada" in ada.page("history/2").words


def test_discarding_asks_first(studio: StudioWorld) -> None:
    """A page of its own says what is lost; then the draft is what users meet."""
    editor = studio.editor()
    editor.save("messages/default", {TEXT: "by ada"})
    asked = editor.page("discard")
    assert "1 change of everybody" in asked.words
    editor.post("discard", {"revision": asked.hidden("revision")})
    assert editor.page("messages/default").fields[TEXT].now == "connected:{connector}"


def test_a_new_message_is_one_change(studio: StudioWorld) -> None:
    """Undone as a whole: what would be left of it is a fault, which keeps everything from being published."""
    ada = studio.editor()
    ada.post("messages", {"name": "crm2"})
    assert "Publish 1 change" in ada.page("changes").words
    ada.save("messages/crm2", {"messages/crm2/kind": "plain", "messages/crm2/text/*/*": "two"})
    assert "Publish 2 changes" in ada.page("changes").words
    assert ada.post("undo", {"path": "messages/crm2/text/*/*"}).status_code == 200
    assert "The draft is the same as version 1" in ada.page("changes").words
    assert ada.get("messages/crm2").status_code == 404


def test_the_default_message_is_there_already(studio: StudioWorld) -> None:
    """Adding it opens it, and changes nothing."""
    ada = studio.editor()
    assert ada.post("messages", {"name": "default"}).url.endswith("messages/default")
    assert "The draft is the same as version 1" in ada.page("changes").words


def test_what_is_done_already_is_said(studio: StudioWorld) -> None:
    """By another tab, or another person: not that it was done just now."""
    ada = studio.editor()
    ada.save("messages/default", {TEXT: "by ada"})
    assert ada.post("undo", {"path": TEXT}).status_code == 200
    again = ada.post("undo", {"path": TEXT})
    assert (again.status_code, "There is nothing to undo" in Page(again.text).words) == (409, True)
    revision = str(ContentStore(studio.engine, lambda: datetime.now(UTC)).draft(studio.product).revision)
    nothing = ada.post("publish", {"revision": revision, "note": "mine"})
    assert nothing.status_code == 409
    assert "There is nothing to publish; version 1 of product file is live" in Page(nothing.text).words
