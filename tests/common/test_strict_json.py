"""JSON that two readers could read in two ways is refused, in words for whoever sent it."""

from __future__ import annotations

import pytest

from bff.common.strict_json import FaultyJson, loads


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": {"b": 1}, "c": [{"b": 2}, {"b": 3}]}', {"a": {"b": 1}, "c": [{"b": 2}, {"b": 3}]}),
        ("{}", {}),
        ('"NaN"', "NaN"),
        (b'["\xc3\xa9"]', ["é"]),
    ],
)
def test_json_that_means_one_thing_is_read(text: str | bytes, value: object) -> None:
    """Text or bytes; a name may stand in each object once."""
    assert loads(text) == value


@pytest.mark.parametrize(
    "text", ['{"a": 1, "user": 2, "user": 3}', '[{"user": 1, "user": 1}]', '{"user": 1, "us\\u0065r": 2}']
)
def test_a_name_that_stands_twice_is_refused_by_name(text: str) -> None:
    """One reader takes the first, another the last: however it is spelt, and be both values the same."""
    with pytest.raises(FaultyJson, match="'user' stands twice in one object"):
        loads(text)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_what_is_a_number_in_javascript_only_is_refused_by_name(number: str) -> None:
    """RFC 8259 has none of them."""
    with pytest.raises(FaultyJson, match=f"^{number} is no JSON"):
        loads(f'{{"a": {number}}}')


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no JSON"),
        ("{'a': 1}", "no JSON"),
        (b'"\xff"', "not UTF-8"),
        ("[" * 100_000 + "]" * 100_000, "nested too deeply"),
    ],
)
def test_what_is_no_json_is_refused_as_such(text: str | bytes, said: str) -> None:
    """Nothing of the text is repeated, nor is the error shown that does so: there may be a secret in it."""
    with pytest.raises(FaultyJson, match=said) as refused:
        loads(text)
    assert refused.value.__suppress_context__
