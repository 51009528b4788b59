"""Text in the Studio is never markup."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from bff.studio.access import Role
from tests.support.studio import Page, StudioWorld, open_studio, shown
from tests.support.world import World

pytestmark = pytest.mark.one_database

TEXT = "messages/default/text/*/*"
BUTTON_DE = "words/*/de/button"


TAGS = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "</textarea><script>alert(1)</script>",
    '"><svg onload=alert(1)>',
    "' onfocus=alert(1) autofocus='",
    "{{ 7 * 7 }}{% raw %}",
    "&lt;b&gt; & &amp;",
)
CORPUS = (" ".join(TAGS), "javascript:alert(1)", "\u202eevil")
"""All that could end what it stands in; and what means something only where it stands alone."""


@pytest.mark.parametrize("text", CORPUS, ids=["tags", "scheme", "unseen"])
def test_text_is_never_markup(shared_world: World, text: str) -> None:
    """Whatever a team writes is shown as it was written, on every page that shows it."""
    # A path of what cannot be seen is refused whole.
    name = text.replace("/", "") if text.isprintable() else "nds"
    content = {
        TEXT: text,
        "messages/default/kind": text,
        BUTTON_DE: text,
        "words/*/en/button": text,
        "words/*/en/page_opening": text,
        "look/accent": text,
        "connectors/hubspot/name": text,
        "connectors/order": text,
    }
    unknown = (f"messages/{name}/kind", f"words/*/{name}/button", name)
    with open_studio(shared_world, {}) as studio:
        editor = studio.editor()
        assert editor.send([(path, "", value) for path, value in content.items()]).status_code == 200
        for path in unknown:
            refused = editor.post("words", [("path", path), ("was", ""), ("now", text)])
            assert refused.status_code == (422 if text.isprintable() or path == name else 200)
            _is_plain(refused.text)
        pages = ("messages", "messages/default", "words?locale=de", "words?locale=en", "look", "connectors")
        written = quote(text, safe="")
        asked = f"words?locale={written}", f"messages/default?add=1&locale={written}"
        more = ("try", "changes", "history", "snippet", *asked)
        scenes = (
            "preview?scene=page_opening",
            "preview?scene=buttons",
            f"preview?scene={written}&locale={written}",
        )
        for path in (*pages, *more, *scenes):
            answer = editor.get(path)
            assert answer.status_code == 200, path
            _is_plain(answer.text)
        assert editor.page("messages/default").fields[TEXT].now == text
        assert editor.page("words?locale=de").fields[BUTTON_DE].now == text
        assert shown(text).replace("&#x27;", "&#39;").replace("&quot;", "&#34;") in editor.get("changes").text


def _is_plain(source: str) -> None:
    page = Page(source)
    for tag, attributes in page.elements:
        # One is ours: a colour beside its number.
        assert tag not in {"svg", "b"} or attributes.get("class") == "drop", source
        assert not [name for name in attributes if name.startswith("on")], source
        assert not attributes.get("href", "").startswith("javascript:")
        if tag == "script":
            assert attributes.get("src", "").startswith("http://127.0.0.1")
        if tag == "img":
            assert "/connect/logo/" in attributes["src"]
    assert "49" not in page.words.split()


def test_a_note_and_an_address_are_text_too(studio: StudioWorld) -> None:
    """What publishers write for the history, and who they are."""
    email = "a'b@acme.example"
    editor = studio.editor(email, Role.PUBLISHER)
    editor.save("messages/default", {TEXT: "x"})
    editor.publish("<script>alert(1)</script>")
    for path in ("history", "history/2"):
        page = editor.get(path)
        _is_plain(page.text)
        assert "<script>alert(1)</script>" in Page(page.text).words
