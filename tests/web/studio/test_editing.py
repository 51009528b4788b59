"""Editing in the Studio: drafts, faults, two people at once."""

from __future__ import annotations

import re
import struct
import zlib

import pytest

from tests.support.studio import GRACE, Page, StudioWorld

pytestmark = pytest.mark.one_database

TEXT = "messages/default/text/*/*"
BUTTON_DE = "words/*/de/button"


def picture() -> bytes:
    """A small PNG."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 16, 16, 8, 2, 0, 0, 0)
    pixels = zlib.compress((b"\x00" + b"\xff" * 48) * 16)
    parts = chunk(b"IHDR", header), chunk(b"IDAT", pixels), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def test_a_faulty_text_is_kept_and_stops_publishing_only(studio: StudioWorld) -> None:
    """It is shown with its fault beside its field, and in a summary that links there."""
    editor = studio.editor()
    page = Page(editor.save("messages/default", {TEXT: "hello {nobody}"}).text)
    entry = page.fields[TEXT]
    assert entry.now == "hello {nobody}"
    assert entry.attributes["aria-invalid"] == "true"
    described = entry.attributes["aria-describedby"].split()
    assert f"{entry.attributes['id']}-faults" in described
    assert {"href": f"#{entry.attributes['id']}"} in page.tags("a")
    assert "{nobody} is no variable" in page.words
    refused = editor.publish()
    assert refused.status_code == 422
    assert "{nobody} is no variable" in refused.text
    editor.save("messages/default", {TEXT: "hello {user}"})
    assert editor.publish().status_code == 200


def test_an_empty_field_is_no_entry(studio: StudioWorld) -> None:
    """For a word the default applies, which the field shows; an untouched form changes nothing."""
    editor, where = studio.editor(), "words?locale=de&connector=hubspot"
    path = "words/hubspot/de/button"
    editor.save("words?locale=de", {BUTTON_DE: "Alle: {connector_name}"})
    assert editor.page(where).fields[path].attributes["placeholder"] == "Alle: {connector_name}"
    editor.save(where, {path: "Nur {connector_name}"})
    editor.save(where, {path: ""})
    assert editor.page(where).fields[path].now == ""
    before = editor.page("changes").hidden("revision")
    for page in ("messages/default", "messages/done", where, "look", "connectors"):
        editor.save(page, {})
    assert editor.page("changes").hidden("revision") == before


def test_a_text_keeps_its_form(studio: StudioWorld) -> None:
    """Line breaks, spaces and quotes of JSON come back as they were written."""
    editor, text = studio.editor(), '{\n  "type": "x y",\n  "who": "{user}"\n}'
    editor.save("messages/default", {"messages/default/format": "json", TEXT: text.replace("\n", "\r\n")})
    assert editor.page("messages/default").fields[TEXT].now == text
    assert "is no JSON" not in editor.page("messages/default").words


def test_two_who_edit_different_entries_never_meet(studio: StudioWorld) -> None:
    """Each saves a form that was loaded before the other saved; both texts stand."""
    ada, grace = studio.editor(), studio.editor(GRACE)
    seen = ada.page("messages/default"), grace.page("words?locale=de")
    ada.save("messages/default", {TEXT: "by ada"}, seen[0])
    grace.save("words?locale=de", {BUTTON_DE: "{connector_name}, von Grace"}, seen[1])
    assert ada.page("messages/default").fields[TEXT].now == "by ada"
    assert ada.page("words?locale=de").fields[BUTTON_DE].now == "{connector_name}, von Grace"
    assert "Changed by grace@acme.example" in ada.page("words?locale=de").words


def test_two_who_edit_the_same_entry_are_told(studio: StudioWorld) -> None:
    """Mine is still in its field, theirs stands beside it with who wrote it; other entries were saved."""
    ada, grace = studio.editor(), studio.editor(GRACE)
    seen = ada.page("messages/default")
    grace.save("messages/default", {TEXT: "by grace"})
    met = ada.save("messages/default", {TEXT: "by ada", "messages/default/kind": "plain"}, seen)
    assert met.status_code == 409
    page = Page(met.text)
    assert page.fields[TEXT].now == "by ada"
    assert page.fields[TEXT].was == "by grace"
    assert "by grace" in page.words
    assert "grace@acme.example" in page.words
    assert page.fields["messages/default/kind"].was == "plain"
    assert ada.page("messages/default").fields[TEXT].now == "by grace"
    # Keep mine: the same form again, now that its editor has seen the other text.
    assert ada.save("messages/default", {}, page).status_code == 200
    assert ada.page("messages/default").fields[TEXT].now == "by ada"


def test_the_others_text_can_be_taken(studio: StudioWorld) -> None:
    """Take theirs leaves the draft as the other wrote it."""
    ada, grace = studio.editor(), studio.editor(GRACE)
    seen = ada.page("messages/default")
    grace.save("messages/default", {TEXT: "by grace"})
    page = Page(ada.save("messages/default", {TEXT: "by ada"}, seen).text)
    pairs = []
    for path, entry in page.fields.items():
        pairs += [("path", path), ("was", entry.was), ("now", entry.now)]
    assert ada.post("messages/default", [*pairs, ("take", TEXT)]).status_code == 200
    assert ada.page("messages/default").fields[TEXT].now == "by grace"


def test_a_script_hears_the_same(studio: StudioWorld) -> None:
    """JSON in, JSON out: the revision, the faults of the draft, and what met another's change."""
    ada, grace = studio.editor(), studio.editor(GRACE)
    told = ada.send([(TEXT, "connected:{connector}", "by {ada}")]).json()
    assert "{ada} is no variable" in told["faults"][TEXT][0]
    assert told["clashes"] == []
    assert told["changes"] == 1
    assert grace.send([(TEXT, "by {ada}", "by grace")]).json()["revision"] > told["revision"]
    clash = ada.send([(TEXT, "by {ada}", "by ada")]).json()["clashes"][0]
    assert (clash["mine"], clash["theirs"], clash["by"]) == ("by ada", "by grace", GRACE)
    news = ada.get("news").json()
    assert news["others"][0]["label"] == "Message “default”: the text for everybody"
    assert news["others"][0]["by"] == GRACE


@pytest.mark.parametrize(
    "body",
    ["[]", "{}", '{"edits": 1}', '{"edits": [{"path": "", "was": "", "now": "x"}]}', "{", '{"edits": [{}]}'],
)
def test_a_script_that_sends_nonsense_is_told(studio: StudioWorld, body: str) -> None:
    """A problem document, and nothing is changed."""
    editor = studio.editor()
    headers = {
        "Origin": studio.world.bff,
        "X-Hitchpost-Csrf": editor.csrf,
        "Content-Type": "application/json",
    }
    answer = editor.browser.post(editor.url("save"), data=body, headers=headers, timeout=10)
    assert answer.status_code in {400, 422}
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_messages_come_and_go(studio: StudioWorld) -> None:
    """A new one has a text; a name that is none, or is taken, is refused beside its field."""
    editor = studio.editor()
    assert editor.post("messages", {"name": "crm-2"}).url.endswith("messages/crm-2")
    for name in ("crm-2", "A b", "", "x/y"):
        refused = editor.post("messages", {"name": name})
        assert refused.status_code == 422
        field = next(item for item in Page(refused.text).tags("input") if item.get("id") == "name")
        assert field["aria-invalid"] == "true"
        assert field["value"] == name
    editor.post("messages/crm-2/remove")
    assert editor.get("messages/crm-2").status_code == 404
    assert "same as version 1" in editor.page("changes").words


def test_a_text_for_some_users_wins(studio: StudioWorld) -> None:
    """A row is added by connector and language; the table says which text whose users get, and why."""
    editor = studio.editor()
    where = "messages/default?add=1&connector=hubspot&locale=de-at"
    path = "messages/default/text/hubspot/de-AT"
    editor.save(where, {path: "servus"}, editor.page(where))
    editor.save("messages/default", {path: "servus {connector_name}"})
    table = re.sub(r"\s+", " ", editor.page("messages/default").words)
    assert "HubSpot users in German (Austria)" in table
    assert "servus HubSpot" in table
    assert "They get the HubSpot text in German (Austria)." in table
    assert "the text for everybody, as there is none for Sandbox CRM or in German (Austria)" in table
    assert "of 2,000 characters" in table
    editor.save("messages/default", {path: ""})
    assert path not in editor.page("messages/default").fields
    assert "no language tag" in editor.page("messages/default?add=1&locale=d_e").words


def test_connectors_move_without_script(studio: StudioWorld) -> None:
    """A button moves one place, its focus stays, and the names written meanwhile are saved."""
    editor = studio.editor()
    shown_first = editor.page("connectors")
    pairs = []
    for path, entry in shown_first.fields.items():
        now = "Hub" if path == "connectors/hubspot/name" else entry.now
        pairs += [("path", path), ("was", entry.was), ("now", now)]
    moved = editor.post("connectors", [*pairs, ("order", ""), ("move", "hubspot:up")])
    page = Page(moved.text)
    assert "Hub is number 2 of 3 now" in page.words
    assert [item["value"] for item in page.tags("button") if "autofocus" in item] == ["hubspot:up"]
    editor.publish()
    names = [connector["name"] for connector in studio.config()["connectors"]]
    assert names == ["Sandbox CRM", "Hub", "Slow CRM"]


def test_the_order_is_an_entry_like_the_others(studio: StudioWorld) -> None:
    """Moving what another has moved meanwhile is told."""
    editor = studio.editor()
    editor.post("connectors", {"order": "", "move": "hubspot:up"})
    met = editor.post("connectors", {"order": "", "move": "sandbox:down"})
    assert met.status_code == 409
    assert "changed the order meanwhile" in met.text


def test_a_logo_is_checked_before_it_is_kept(studio: StudioWorld) -> None:
    """A good one is shown; a bad one is refused with the reason beside its field; nothing else changes."""
    editor = studio.editor()

    def upload(content: bytes) -> tuple[int, Page]:
        files = {"file": ("logo.png", content, "image/png")}
        answer = editor.post("look/logo", {}, files=files)
        return answer.status_code, Page(answer.text)

    status, page = upload(picture())
    assert status == 200
    source = next(item["src"] for item in page.tags("img"))
    kept = editor.browser.get(source, timeout=10)
    assert kept.headers["Content-Type"] == "image/png"
    for bad in (b"", b"<script>alert(1)</script>", b"GIF89a", b"\x89PNG\r\n\x1a\n" + bytes(300 * 1024)):
        status, page = upload(bad)
        assert status == 422
        assert next(item["src"] for item in page.tags("img")) == source
        assert any(item.get("aria-invalid") == "true" for item in page.tags("input"))
    status, page = upload(bytes(3 * 1024 * 1024))
    assert status == 413
    assert "200 KiB" in page.words
    editor.post("look/logo", {"remove": "1"})
    assert not editor.page("look").tags("img")
