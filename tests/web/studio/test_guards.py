"""What a change in the Studio needs, who may make which, and what every answer says of itself."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import requests
from structlog.testing import capture_logs

from bff.studio.access import Role
from tests.support.studio import GRACE, Page, StudioWorld

pytestmark = pytest.mark.one_database


def posts(studio: StudioWorld) -> list[str]:
    """Every address of the Studio that changes something for somebody who is signed in."""
    rules = studio.world.bff_app.url_map.iter_rules()
    found = [rule.rule for rule in rules if "POST" in (rule.methods or ()) and "/studio" in rule.rule]
    filled = [
        re.sub(r"<[^>]*number>", "1", rule).replace("<name>", "done").replace("<field>", "logo")
        for rule in found
    ]
    return [rule.removeprefix("/studio/") for rule in filled if "<token>" not in rule]


def test_a_change_needs_the_origin_and_the_token(studio: StudioWorld) -> None:
    """Each POST is refused without either, with another's token, and from elsewhere; nothing is changed."""
    editor, other = studio.editor(), studio.editor(GRACE)
    csrf = editor.csrf
    wrong = [
        {"csrf": None},
        {"csrf": ""},
        {"csrf": "x" * 43},
        {"csrf": other.csrf},
        {"csrf": csrf, "origin": None},
        {"csrf": csrf, "origin": "null"},
        {"csrf": csrf, "origin": "https://evil.example"},
        {"csrf": csrf, "origin": studio.world.bff + "0"},
        {"csrf": csrf, "origin": studio.origin},
    ]
    found = posts(studio)
    assert {"save", "publish", "sign-out", "discard", "messages/done/remove"} <= set(found)
    for path in found:
        for attempt in wrong:
            answer = editor.post(path, {}, **attempt)
            assert answer.status_code == 403, (path, attempt, answer.status_code)
    assert editor.get("messages").status_code == 200
    assert "same as version 1" in editor.page("changes").words


def test_signing_in_needs_the_origin(studio: StudioWorld) -> None:
    """Nobody is signed in by another site's form; the link stays good."""
    link = studio.link()
    for headers in ({}, {"Origin": "https://evil.example"}, {"Origin": "null"}):
        answer = requests.post(link, headers=headers, timeout=10)
        assert answer.status_code == 403
        assert "Set-Cookie" not in answer.headers
    assert requests.post(link, headers={"Origin": studio.world.bff}, timeout=10).status_code == 200


def test_every_answer_keeps_to_itself(studio: StudioWorld) -> None:
    """No cache, no frame, no other origin's script; no Referer ever carries a link; no COOP."""
    editor = studio.editor()
    answers = [
        requests.get(studio.link(), timeout=10),
        requests.get(studio.world.bff + "/studio/enter/nothing", timeout=10),
        requests.get(editor.url("messages"), timeout=10),
        editor.post("publish", {}, csrf=None),
        editor.get("nowhere"),
        editor.get("messages/unknown"),
        editor.get("news"),
        editor.get("session"),
        *(editor.get(path) for path in ("messages", "words", "look", "connectors", "changes", "history")),
        *(editor.get(path) for path in ("messages/default", "history/1", "snippet", "try", "discard")),
    ]
    for answer in answers:
        headers = answer.headers
        assert headers["Cache-Control"] == "no-store", answer.url
        assert "Cookie" in headers["Vary"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] in {"strict-origin", "no-referrer"}
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert "Cross-Origin-Opener-Policy" not in headers
        assert "Access-Control-Allow-Origin" not in headers


def test_an_editor_edits_and_a_publisher_publishes(studio: StudioWorld) -> None:
    """An editor is told why not, and is refused all the same when the form is sent."""
    editor = studio.editor(GRACE, Role.EDITOR)
    editor.save("messages/default", {"messages/default/text/*/*": "hello {connector}"})
    changes = editor.page("changes")
    assert "signed in as an editor" in changes.words
    assert "note" not in {item.get("name") for item in changes.tags("input")}
    revision = Page(studio.editor().get("changes").text).hidden("revision")
    assert editor.post("publish", {"revision": revision}).status_code == 403
    assert editor.post("history/1/restore", {"expected": "1"}).status_code == 403
    assert studio.editor().publish().status_code == 200


def test_the_product_is_the_sessions_own(studio: StudioWorld) -> None:
    """No request can name another: a query or a field of that name is nothing to the Studio."""
    editor = studio.editor()
    page = editor.get("messages?product=demo")
    assert "Demo SaaS" not in page.text
    answer = editor.post("messages", {"name": "mine", "product": "demo"})
    assert answer.status_code == 200
    other = studio.editor(product="demo")
    assert other.get("messages/mine").status_code == 404


def test_a_denial_says_who_was_denied(studio: StudioWorld) -> None:
    """An audit log without the person is of no use."""
    editor = studio.editor(GRACE, Role.EDITOR)
    with capture_logs() as logs:
        assert editor.post("publish", {"revision": "1"}).status_code == 403
        assert requests.get(editor.url("messages"), timeout=10).status_code == 401
    denied = [line for line in logs if line["event"] == "denied"]
    assert [(line["actor"], line.get("product"), line["route"]) for line in denied] == [
        (f"studio:{GRACE}", studio.product, "/studio/publish"),
        ("unknown", None, "/studio/messages"),
    ]


def test_the_snippet_is_the_documentations(studio: StudioWorld) -> None:
    """With the text that shows when the script does not load, and the fields that the widget reads."""
    shown = studio.editor().page("snippet").words
    readme = (Path(__file__).parents[3] / "README.md").read_text(encoding="utf-8")
    fallback = readme.partition("   <style>\n")[2].partition("   </style>")[0]
    assert "hitchpost-missing" in fallback
    assert [line.strip() for line in fallback.splitlines() if line.strip() not in shown] == []
    assert '{"token", "expires_in"}' in shown
