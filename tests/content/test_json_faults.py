"""A text that is no JSON: where, and why, for somebody who does not write JSON every day."""

from __future__ import annotations

import pytest

from bff.content.json_faults import json_fault


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "line 1, column 1: nothing is written"),
        ('{\n  "a": 1,\n}', "a comma after the last entry"),
        ("[1,]", "a comma after the last entry"),
        ('{"a" 1}', "line 1, column 6: a colon is missing"),
        ('{\n"a": 1\n"b": 2}', "line 3, column 1: a comma"),
        ("{'a': 1}", "straight double quotation marks"),
        ("{a: 1}", "double quotation marks"),
        ('{"a": yes}', "put the text in double quotation marks"),
        ('{"a": }', "something is missing here"),
        ('{"a": "b}', "no quotation mark at its end"),
        ('{"a": "b\nc"}', "a line break or a tab"),
        ('{"a": 1', "it ends too early"),
        ('{"a":', "it ends too early"),
        ('{"a": 1} b', "after the end of the object"),
        ('{"a": "\\d"}', "a backslash"),
        ('{"a": NaN}', "NaN is a number in JavaScript only"),
        ('{"a": "{account}", "b": {"c": 1, "c": 2}}', 'the name "c" stands twice'),
        ('{"a": 1, "\\u0061": 2}', 'the name "a" stands twice'),
        ("[" * 100_000, "nested too deeply"),
    ],
)
def test_it_is_said_in_plain_words_with_the_place(text: str, said: str) -> None:
    """Not in those of a parser, such as "Expecting property name"."""
    found = json_fault(text)
    assert found is not None
    assert said in found
    assert "Expecting" not in found


@pytest.mark.parametrize("text", ['{"a": "{b}"}', "[]", "null", '"x"', "1e3"])
def test_json_has_no_fault(text: str) -> None:
    """Whatever value it is."""
    assert json_fault(text) is None
