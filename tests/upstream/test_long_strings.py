"""Long strings leave JSON as it arrives, whatever the pieces it arrives in."""

from __future__ import annotations

import itertools
import json
import random

import pytest

from bff.outbound.long_strings import LongStrings

MOST = 12
SHORT = ["", "plain", 'quote "', "back\\slash", "é\u2028", "\\\\", '\\"']
LONG = ["x" * 13, '"' * 7, "\\" * 20, "data:image/png;base64," + "A" * 500]


def through(body: bytes, cuts: list[int]) -> bytes:
    """What is left of a body that arrives in pieces."""
    reader, ends = LongStrings(MOST), [0, *sorted(cuts), len(body)]
    left = [reader.feed(body[start:end]) for start, end in itertools.pairwise(ends)]
    return b"".join(left) + reader.end()


@pytest.mark.parametrize("seed", range(20))
def test_long_ones_become_empty_and_short_ones_stay(seed: int) -> None:
    """However it is cut: within an escape, at a quote, after a backslash."""
    chosen = random.Random(seed)
    texts = chosen.sample(SHORT + LONG, 6)
    document = {"first": texts, "then": {"n": [1, None, True, -2.5]}, "last": chosen.choice(texts)}
    body = json.dumps(document, ensure_ascii=False).encode()

    def kept(text: str) -> str:
        return text if len(json.dumps(text, ensure_ascii=False).encode()) - 2 <= MOST else ""

    cuts = [chosen.randrange(len(body)) for _ in range(chosen.randrange(30))]
    expected = document | {"first": [kept(text) for text in texts], "last": kept(str(document["last"]))}
    assert json.loads(through(body, cuts)) == expected
    assert json.loads(through(body, list(range(1, len(body))))) == expected


def test_what_is_held_is_bounded() -> None:
    """A string that never ends costs no memory."""
    reader = LongStrings(MOST)
    assert reader.feed(b'["') == b'["'
    assert all(reader.feed(b"x" * 10_000) == b"" for _ in range(100))
    assert reader.end() == b""


def test_what_is_no_json_passes() -> None:
    """Whoever parses it says so."""
    for body in (b"<html lang='en'>", b'{"a', b"\\", b""):
        assert through(body, []) == body
