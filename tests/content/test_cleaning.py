"""What pasting brings along is cleaned; what somebody meant is kept."""

from __future__ import annotations

import pytest

from bff.content.cleaning import cleaned
from bff.content.entries import path_of_text, path_of_word

WORD, TEXT = path_of_word("cancel"), path_of_text("default")


@pytest.mark.parametrize(
    ("path", "pasted", "kept"),
    [
        (WORD, "Never\tmind", "Never mind"),
        (WORD, "  Never \r\n mind\n", "Never mind"),
        (WORD, "Never\u2028mind\u200b\ufeff", "Never mind"),
        (WORD, "Never\u00a0mind", "Never mind"),
        (WORD, "Jamais\u202f! Vraiment\u00a0: «\u00a0non\u00a0» \u2013 10\u202f000", None),
        (WORD, "\u0646\u0645\u06cc\u200c\u062e\u0648", None),
        (WORD, "\u201cNever\u201d mind, it\u2019s fine", None),
        (TEXT, "done\t", "done"),
        (TEXT, "done\u00a0now\u200b", "done now"),
        (TEXT, "all\u2009done\u2062\u2003now", "all done now"),
        (WORD, "Never\u2009mind \u3000", "Never\u2009mind"),
        (TEXT, "{connector}: done", None),
        (TEXT, "{connector} is connected\r\n", "{connector} is connected"),
        (TEXT, "{connector}\u00a0is\u200b done ", "{connector} is done"),
        (TEXT, "{connector} is “done” \u200f", "{connector} is “done” \u200f"),
        (TEXT, '{“type”: “done”,\n "say": "a\u00a0b"} ', '{"type": "done", "say": "a\u00a0b"}'),
        ("look/accent", "\u00a0#004080\t", "#004080"),
        ("look/accent", "004080", "#004080"),
        ("look/font", "Inter, “Segoe\u00a0UI”", 'Inter, "Segoe UI"'),
        ("look/radius", " 8px\n", "8px"),
        ("look/radius", "8", "8px"),
        ("look/radius", "8 px", "8px"),
        ("look/radius", "8PX;", "8px"),
        ("look/radius", "0,5 rem", "0.5rem"),
        ("look/radius", "0", "0"),
        ("look/radius", "8%", "8%"),
        ("look/accent", "rgb(29, 78, 216)", "#1d4ed8"),
        ("look/accent", "RGB(29 78 216)", "#1d4ed8"),
        ("look/accent", "rgba(29, 78, 216, 1);", "#1d4ed8"),
        ("look/accent", "rgba(29, 78, 216, 0.5)", "rgba(29, 78, 216, 0.5)"),
        ("look/accent", "rgb(29, 78, 256)", "rgb(29, 78, 256)"),
        ("look/accent", "Teal", "#008080"),
        ("look/accent", "#0B5D4E;", "#0B5D4E"),
        ("look/font", "Inter, ", "Inter"),
        ("connectors/crm/name", "The\tCRM ", "The CRM"),
        ("messages/default/kind", "plain", None),
    ],
)
def test_a_text_of_one_line(path: str, pasted: str, kept: str | None) -> None:
    """Tabs, breaks and what cannot be seen go; typographers' own spaces, joiners and quotes stay."""
    assert cleaned(path, pasted) == (pasted if kept is None else kept)


@pytest.mark.parametrize(
    ("pasted", "kept"),
    [
        ("{“type”: “done”}", '{"type": "done"}'),
        ('{\u00a0"type”:\u00a0"done"\u200b}', '{ "type": "done"}'),
        ('{\u2003"type": "a\u2003b"}', '{ "type": "a\u2003b"}'),
        ('{"type": "a\tb"}', '{"type": "a b"}'),
        ("{„say“: „he said “hi” to me“}", '{"say": "he said “hi” to me"}'),
        ('{“say”: “a \\\\ and 1" wide”}', '{"say": "a \\\\ and 1\\" wide"}'),
        ('{"type": "done\u200b"}', '{"type": "done"}'),
        ('{"say": "“hi”,\u00a0you"}', None),
        ('{\n  "type": "x"\n}', None),
        ('{"type": “x}', None),
    ],
)
def test_json(pasted: str, kept: str | None) -> None:
    """What becomes JSON by cleaning is cleaned. What is JSON stays, and what cannot be mended."""
    assert cleaned(TEXT, pasted, "json") == (pasted if kept is None else kept)
