"""What a person can see of a name."""

from __future__ import annotations

import pytest

from bff.common.legible import visible_id, visible_name, visible_name_and_id


@pytest.mark.parametrize(
    "name",
    ["", " ", "\u200b", "\u3164", "\u115f\u1160", "\u2800", "\u202e", "\u2066\u2069", "\ufeff", "\U000e0041",
     "\u034f", "\ufe0f", "\u0301", "\u00ad", "\u2028", "\ufffc", "\u180e", "\ue000", None],
)  # fmt: skip
def test_what_cannot_be_seen_is_no_name(name: str | None) -> None:
    """Alone or in company of its like."""
    assert visible_name(name) is None
    assert visible_name(f"{name}\u200b\u3164" if name else None) is None


NAMES = ["Acme", "Zoë & Söhne", "株式会社", "क्\u200dष", "👩\u200d💻", "1"]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_in_any_script_stays(name: str) -> None:
    """Joiners belong to how it is spelt."""
    assert visible_name(name) == name


def test_nothing_turns_a_name_around() -> None:
    """Controls are left out; white space is one space."""
    assert visible_name("Acme \u202eevil\u202c\n Inc.") == "Acme evil Inc."


def test_an_id_shows_what_it_hides() -> None:
    """So that two ids never look alike."""
    assert visible_id("acme") == "acme"
    assert visible_id("ac\u200bme\u202e") == "ac<U+200B>me<U+202E>"
    assert visible_id("a b\u00a0c") == "a b<U+00A0>c"


@pytest.mark.parametrize(
    ("name", "shown"),
    [("Acme", ("Acme", "a-1")), ("a-1", ("a-1", None)), ("\u3164", ("a-1", None)), (None, ("a-1", None))],
)
def test_the_id_stands_beside_the_name(name: str | None, shown: tuple[str, str | None]) -> None:
    """Once, where it is the name too."""
    assert visible_name_and_id(name, "a-1") == shown
