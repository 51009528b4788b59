"""Which language a person is spoken to in, and which text is the closest in it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bff.core import wording
from bff.core.wording import ANY

AVAILABLE = ["en", "de", "fr", "es", "ja", "ar", "pt-BR"]


@pytest.mark.parametrize(
    ("wanted", "chosen"),
    [
        (["de"], "de"),
        (["de-AT", "fr"], "de"),
        (["DE-ch-1996"], "de"),
        (["pt-br"], "pt-BR"),
        (["pt", "fr"], "fr"),
        (["nonsense!", "", "ja"], "ja"),
        (["pt"], "en"),
        ([], "en"),
    ],
)
def test_the_first_wanted_language_that_there_is_is_spoken(wanted: list[str], chosen: str) -> None:
    """A regional tag stands for its language too; English is the last resort."""
    assert wording.choose(wanted, AVAILABLE) == chosen


@pytest.mark.parametrize(
    ("header", "tags"),
    [
        ("de-AT,de;q=0.9,en;q=0.8", ["de-AT", "de", "en"]),
        ("en;q=0.1, fr;q=0.9", ["fr", "en"]),
        (",en-US, en", ["en-US", "en"]),
        ("fr;q=0,*;q=0.5,de", ["de"]),
        ('"><script>, de;q=oops', ["de"]),
        ("", []),
    ],
)
def test_accept_language_is_read_by_its_weights(header: str, tags: list[str]) -> None:
    """RFC 9110, section 12.5.4; what makes no sense is left out, and nothing breaks."""
    assert wording.accepted(header) == tags


@given(st.text())
def test_no_header_breaks_the_reading(header: str) -> None:
    """Whatever a browser, or somebody else, sends: tags come out, or nothing."""
    assert all(wording.is_tag(tag) for tag in wording.accepted(header))


@pytest.mark.parametrize(
    ("tag", "direction"),
    [("ar", "rtl"), ("ar-EG", "rtl"), ("he", "rtl"), ("az-Arab", "rtl"), ("ur-Latn", "ltr"), ("de", "ltr")],
)
def test_the_direction_follows_the_script(tag: str, direction: str) -> None:
    """Arabic and its like run from right to left, unless the tag names another script."""
    assert wording.direction(tag) == direction


def test_the_connector_counts_for_more_than_the_language() -> None:
    """One connector in one language, that connector in any, all in that language, all in any."""
    texts = {(ANY, ANY): "d", (ANY, "de"): "c", ("crm", ANY): "b", ("crm", "de"): "a"}
    for expected in "abcd":
        place, text = wording.closest(texts, "crm", "de-AT") or (None, None)
        assert text == expected
        del texts[place]  # type: ignore[arg-type]
    assert wording.closest(texts, "crm", "de") is None
