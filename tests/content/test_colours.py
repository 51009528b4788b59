"""Colours: what is one, how well one is read on another, and the nearest one that will do."""

from __future__ import annotations

import pytest

from bff.content.colours import contrast, full, is_colour, mix, nearest, ratio, rgb


def test_what_is_a_colour() -> None:
    """Three or six digits to the base of 16 after a #, and nothing about them."""
    assert all(is_colour(text) for text in ("#048", "#8cF", "#004080", "#ABCDEF"))
    assert not any(
        is_colour(text) for text in ("", "048", "#04", "#0480", "#00408", "#0040801", "#00408g", " #048")
    )


def test_a_short_colour_says_each_digit_once_for_twice() -> None:
    """As in CSS; letters are small in what comes out."""
    assert full("#A0c") == "#aa00cc"
    assert full("#A0B1c2") == "#a0b1c2"


def test_a_colour_has_three_parts() -> None:
    """Red, green and blue, each from 0 to 1."""
    assert rgb("#ff0033") == (1.0, 0.0, 0.2)
    assert rgb("#f03") == (1.0, 0.0, 0.2)


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("#000", "#fff", 21.0),
        ("#fff", "#000", 21.0),
        ("#abc", "#aabbcc", 1.0),
        ("#777777", "#ffffff", 4.478),
        ("#767676", "#ffffff", 4.542),
        ("#ff0000", "#ffffff", 3.998),
        ("#0000ff", "#ffffff", 8.592),
    ],
)
def test_contrast_is_the_one_of_wcag(first: str, second: str, expected: float) -> None:
    """As other tools work it out, whichever of the two is the text."""
    assert contrast(first, second) == pytest.approx(expected, abs=0.001)


@pytest.mark.parametrize(
    ("grey", "expected"),
    [("#0a0a0a", 1.0607), ("#0b0b0b", 1.0669), ("#333333", 1.6621), ("#bcbcbc", 11.0577)],
)
def test_dark_greys_are_told_from_black_as_in_wcag(grey: str, expected: float) -> None:
    """The darkest ten by the straight part of the curve, the others by the bent one."""
    assert contrast(grey, "#000000") == pytest.approx(expected, abs=0.0002)


def test_each_part_of_a_colour_weighs_what_it_weighs_in_wcag() -> None:
    """Green is brightest to the eye, blue darkest; together they are white."""
    light = {colour: contrast(colour, "#000") * 0.05 - 0.05 for colour in ("#f00", "#0f0", "#00f")}
    assert light == {
        "#f00": pytest.approx(0.2126),
        "#0f0": pytest.approx(0.7152),
        "#00f": pytest.approx(0.0722),
    }


def test_a_ratio_needs_no_whole_steps() -> None:
    """Mixtures lie between what eight bits tell apart; the straight part of the curve ends at 0.04045."""
    black = (0.0, 0.0, 0.0)
    assert ratio((0.04045, 0.04045, 0.04045), black) == pytest.approx(1 + 0.04045 / 12.92 / 0.05)
    assert ratio(black, (1.0, 1.0, 1.0)) == pytest.approx(21)


def test_mixtures_are_those_of_css() -> None:
    """Three quarters of black on white are a quarter of white; each part is mixed for itself."""
    assert mix("#000", 0.75, "#fff") == (0.25, 0.25, 0.25)
    assert mix("#f00", 0.25, "#0f0") == (0.25, 0.75, 0.0)


def test_the_nearest_colour_is_as_close_as_can_be_and_of_the_same_hue() -> None:
    """The colour itself, if it will do; else a little lighter or darker; none, if none will do."""
    assert nearest("#004080", lambda _: True) == "#004080"
    assert nearest("#004080", lambda tried: rgb(tried)[2] > 0.6) == "#004d9a"
    assert nearest("#004080", lambda tried: rgb(tried)[2] < 0.4) == "#003265"
    assert nearest("#004080", lambda tried: tried == "#000000") == "#000000"
    assert nearest("#004080", lambda tried: tried == "#ffffff") == "#ffffff"
    assert nearest("#004080", lambda _: False) is None


def test_no_lightness_is_missed() -> None:
    """Of a grey, every other grey is found."""
    assert all(
        nearest("#808080", grey.__eq__) == grey for grey in ("#7f7f7f", "#818181", "#010101", "#fefefe")
    )
