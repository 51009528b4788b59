"""What made the Studio's first users stop: each is told, asked, kept or picked now."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import delete

from bff.serving.database import open_database
from bff.storage.tables import studio_sessions
from bff.studio.access import Role
from bff.web.studio import access
from tests.support.studio import GRACE, Editor, Page, StudioWorld

pytestmark = pytest.mark.one_database

TEXT = "messages/default/text/*/*"
BUTTON_DE = "words/*/de/button"
CANCEL_DE = "words/*/de/cancel"


def signed_out(studio: StudioWorld, editor: Editor) -> None:
    """Let every session of this product end."""
    engine = open_database(studio.world.bff_database)
    with engine.begin() as connection:
        connection.execute(delete(studio_sessions).where(studio_sessions.c.product_key == studio.product))
    engine.dispose()
    assert editor.get("messages").status_code == 401


def sent_again(editor: Editor, shown: Page, path: str) -> Page:
    """Press the button of a page that keeps what was written."""
    pairs = [
        (item["name"], item["value"])
        for item in shown.tags("input")
        if item.get("type") == "hidden" and item["name"] != "csrf"
    ]
    csrf = next((item["value"] for item in shown.tags("input") if item.get("name") == "csrf"), None)
    return Page(editor.post(path, pairs, csrf=csrf).text)


def test_a_session_that_ended_loses_nothing_that_was_typed(studio: StudioWorld) -> None:
    """The page that asks to sign in has it; after that one press saves it, and every other change stands."""
    editor = studio.editor()
    seen = editor.page("messages/default")
    signed_out(studio, editor)
    pairs = [("path", TEXT), ("was", seen.fields[TEXT].was), ("now", "typed <b>for</b> an hour")]
    refused = editor.post("messages/default", pairs, csrf=seen.csrf)
    assert refused.status_code == 401
    kept = Page(refused.text)
    assert "typed <b>for</b> an hour" in kept.words
    editor.browser.post(studio.link(), headers={"Origin": studio.world.bff}, timeout=20)
    assert editor.page("messages/default").fields[TEXT].now == "connected:{connector}"
    renewed = sent_again(editor, kept, "messages/default")
    assert "You have signed in anew" in renewed.words
    sent_again(editor, renewed, "messages/default")
    assert editor.page("messages/default").fields[TEXT].now == "typed <b>for</b> an hour"


def test_a_form_of_another_site_keeps_nothing(studio: StudioWorld) -> None:
    """Only a page of the Studio itself is answered with its texts and a token."""
    editor = studio.editor()
    refused = editor.post(
        "messages/default", [("path", TEXT), ("was", ""), ("now", "x")], origin="https://evil.example"
    )
    assert refused.status_code == 403
    assert not Page(refused.text).tags("form")


def test_going_back_shows_what_it_changes_and_asks(studio: StudioWorld) -> None:
    """Against what is live, also where an entry is not set; nothing is published by looking."""
    editor = studio.editor()
    editor.save("words?locale=de", {BUTTON_DE: "{connector_name} anbinden"})
    editor.post("messages/done/remove")
    editor.publish()
    asked = editor.page("history/1/restore")
    assert "{connector_name} anbinden" in asked.words
    assert "Mit {connector_name} verbinden" in asked.words
    assert "Keep version 2" in asked.words
    assert {"href": f"{studio.world.bff}/studio/history/1/restore", "class": "button small"} in editor.page(
        "history"
    ).tags("a")
    assert not [form for form in editor.page("history").tags("form") if "restore" in form.get("action", "")]
    assert "Version 3" not in editor.page("history").words
    assert editor.post("history/1/restore", {"expected": asked.hidden("expected")}).url.endswith(
        "published=3"
    )


def test_not_set_is_what_users_read(studio: StudioWorld) -> None:
    """A change from no entry shows the text of before, and one to none the text of after."""
    editor = studio.editor()
    editor.save("words?locale=de&connector=hubspot", {"words/hubspot/de/button": "Nur {connector_name}"})
    editor.save("look", {"look/accent": "#004080"})
    words = editor.page("changes").words
    assert "Mit {connector_name} verbinden" in words
    assert "#1d4ed8" in words
    assert "not set" not in words
    editor.publish()
    editor.save("words?locale=de&connector=hubspot", {"words/hubspot/de/button": ""})
    assert "Mit {connector_name} verbinden" in editor.page("changes").words


def test_a_published_message_can_be_removed(studio: StudioWorld) -> None:
    """What happens to pages that ask for it is said first; of the default one Hitchpost's own is left."""
    editor = studio.editor()
    assert "unknown_message" not in editor.page("changes").words
    assert 'message="done"' in editor.page("messages/done").words
    assert "cannot connect" in editor.page("messages/done").words
    removed = Page(editor.post("messages/done/remove").text)
    assert "“done” is out of the draft" in removed.words
    assert "unknown_message" in editor.page("changes").words
    editor.save("messages/default", {TEXT: "ours"})
    editor.post("messages/default/remove")
    assert editor.publish().status_code == 200
    assert editor.get("messages/done").status_code == 404
    assert editor.page("messages/default").fields[TEXT].now == ""
    assert "connected:{connector}" in editor.page("messages").words


@pytest.mark.parametrize("path", ["messages/default", "words?locale=de"])
def test_a_language_is_picked_from_a_list(studio: StudioWorld, path: str) -> None:
    """The same on either page: the languages in use first, then every other one."""
    page = editor_page(studio, path)
    assert {"value": "pt-BR"} in page.tags("option")
    assert [item["label"] for item in page.tags("optgroup")] == ["In use", "All languages"]
    assert "datalist" not in page.source


def editor_page(studio: StudioWorld, path: str) -> Page:
    """A page, for somebody who has just signed in."""
    return studio.editor().page(path)


@pytest.mark.parametrize("path", ["messages/default?add=1&locale={}", "words?locale={}"])
def test_a_language_that_is_none_is_told_what_to_write(studio: StudioWorld, path: str) -> None:
    """A name, and a region that there is not; ``de_DE`` is de-DE."""
    editor = studio.editor()
    assert "write de for German" in editor.page(path.format("german")).words
    assert "write en-GB" in editor.page(path.format("en-UK")).words
    fields = editor.page(path.format("de_DE")).fields
    assert any("/de-DE" in found for found in fields)


def test_words_are_found_in_all_languages_and_connectors(studio: StudioWorld) -> None:
    """By what stands in them or what they are called; or only those that the team wrote itself."""
    editor = studio.editor()
    editor.save("words?locale=de&connector=hubspot", {"words/hubspot/de/cancel": "Lieber nicht"})
    assert set(editor.page("words?q=lieber+NICHT").fields) == {"words/hubspot/de/cancel"}
    assert {CANCEL_DE, "words/*/fr/cancel"} <= set(editor.page("words?q=cancel").fields)
    assert CANCEL_DE in editor.page("words?q=abbrechen").fields
    assert set(editor.page("words?ours=1").fields) == {"words/hubspot/de/cancel"}
    saved = editor.save("words?ours=1", {"words/hubspot/de/cancel": "Nein"})
    assert saved.url.endswith("ours=1&saved=1")
    assert not editor.page("words?q=there+is+no+such+text").fields


def test_words_are_folded_and_their_labels_say_a_thing_once(studio: StudioWorld) -> None:
    """One part is open; a part with a fault is; a link to a word opens its part."""
    editor = studio.editor()
    parts = editor.page("words?locale=de").tags("details")
    assert [part["id"] for part in parts if "open" in part] == ["s-button"]
    assert len(parts) == 7
    source = editor.get("words?locale=de").text
    assert "Error popup blocked" not in source
    path = "words/*/de/error_failed_title"
    editor.send([(path, "", "{nope}")])
    shown = editor.page("words?locale=de").tags("details")
    assert [part["id"] for part in shown if "open" in part] == ["s-button", "s-errors"]
    links = [item.get("href", "") for item in editor.page("changes").tags("a")]
    assert all("open=errors" in link for link in links if "#f-words" in link)


def test_a_placeholder_that_nothing_fills_is_refused_beside_its_field(studio: StudioWorld) -> None:
    """Of words and of names; what a state knows is no fault, and users read it filled."""
    editor, path = studio.editor(), "words/*/en/connected"
    page = Page(editor.save("words?locale=en", {path: "Connected to {nope}"}).text)
    assert "{nope}" in page.words
    assert page.fields[path].attributes["aria-invalid"] == "true"
    assert editor.publish().status_code == 422
    editor.save("words?locale=en", {path: "Connected to {connector_name} as {account}"})
    editor.save("words?locale=en", {"words/*/en/cancel": "Leave {product_name}"})
    assert editor.publish().status_code == 200
    words = studio.config()["words"]
    assert words["cancel"] == "Leave Ada's <SaaS>"
    own = {key: text for key, text in words.items() if key.rpartition(" ")[2] in {"connected", "cancel"}}
    assert own
    assert "{" not in "".join(own.values())
    named = Page(editor.save("connectors", {"connectors/hubspot/name": "Hub {nope}"}).text)
    assert named.fields["connectors/hubspot/name"].attributes["aria-invalid"] == "true"


def test_what_was_pasted_is_cleaned_and_told_back(studio: StudioWorld) -> None:
    """The script is told what was kept, so that its next save meets no change of its own."""
    editor = studio.editor()
    told = editor.send([(CANCEL_DE, "", "Lieber\tnicht\u200b ")]).json()
    assert told["texts"] == {CANCEL_DE: "Lieber nicht"}
    assert editor.send([(CANCEL_DE, "Lieber nicht", "Nein")]).json()["clashes"] == []
    editor.save("messages/default", {"messages/default/format": "json", TEXT: "{“type”: “done”}"})
    assert editor.page("messages/default").fields[TEXT].now == '{"type": "done"}'


def test_a_plain_message_carries_a_warning(studio: StudioWorld) -> None:
    """Where it is written and where it is tried; a sealed one does not."""
    editor = studio.editor()
    for path in ("messages/done", "try?message=done"):
        assert re.search(r"proves\s+nothing by itself", editor.page(path).words)
    for path in ("messages/default", "try?message=default"):
        assert "proves nothing" not in editor.page(path).words


def test_the_look_tells_what_holds_and_what_a_logo_may_be(studio: StudioWorld) -> None:
    """The other scheme's colour where it is lent; a logo's limits before anybody chooses a file."""
    editor = studio.editor()
    assert editor.page("look").fields["look/accent"].attributes["placeholder"] == "#1d4ed8"
    editor.save("look", {"look/accent": "#808890", "look/accent_ink": "#000000"})
    page = editor.page("look")
    assert page.fields["look/accent_dark"].attributes["placeholder"] == "#808890"
    assert page.words.count("at most 200 KiB") == 2
    assert page.words.count("16 to 1024") == 2


@pytest.mark.both_databases
def test_a_connector_goes_to_a_number_at_once(studio: StudioWorld) -> None:
    """By its button, or by Enter in the field; a number beyond the list is its end."""
    editor = studio.editor()
    moved = editor.post("connectors", {"order": "", "to-sandbox": "3", "move": "sandbox:to"})
    assert "Sandbox CRM is number 3 of 3 now" in Page(moved.text).words
    order = editor.page("connectors").hidden("order")
    assert order == "sandbox-slow hubspot sandbox"
    numbers = {"to-sandbox-slow": "1", "to-hubspot": "2", "to-sandbox": "1"}
    editor.post("connectors", {"order": order, **numbers})
    assert editor.page("connectors").hidden("order") == "sandbox sandbox-slow hubspot"
    editor.post(
        "connectors", {"order": "sandbox sandbox-slow hubspot", "to-sandbox": "99", "move": "sandbox:to"}
    )
    assert editor.page("connectors").hidden("order").endswith(" sandbox")


def test_two_at_one_text_can_see_what_stands_there_now(studio: StudioWorld) -> None:
    """Whoever has to choose sees the other's text as it is, not as it was."""
    ada, grace = studio.editor(), studio.editor(GRACE, Role.EDITOR)
    grace.save("messages/default", {TEXT: "by grace"})
    found = ada.get("news", params={"paths": f"{TEXT}\n{CANCEL_DE}"}).json()["texts"]
    assert found == {TEXT: {"text": "by grace", "by": GRACE}, CANCEL_DE: {"text": "", "by": None}}


@pytest.mark.both_databases
def test_a_preview_for_nobody_says_so_in_its_frame(studio: StudioWorld) -> None:
    """Our own words: a page that may not be framed would be the browser's own error page."""
    editor = studio.editor()
    signed_out(studio, editor)
    answer = editor.get("preview?scene=button")
    assert answer.status_code == 401
    assert "Sign in by a link" in answer.text
    assert "frame-ancestors 'self'" in answer.headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in access.HEADERS["Content-Security-Policy"]
