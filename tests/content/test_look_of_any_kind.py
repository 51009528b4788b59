"""Whatever colours and texts a team chooses: what is told, what can be read, what reaches a stylesheet."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from bff.content import look
from bff.content.colours import mix, nearest, ratio, rgb
from bff.content.look import FIELDS, contrast, faults, page_style, suggestion, widget_style

HEX = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")
COLOURS = [name for name, field in FIELDS.items() if field.kind == "colour"]


@given(HEX, HEX)
def test_for_any_two_colours_a_colour_is_found(first: str, second: str) -> None:
    """It passes, and is a colour."""
    found = nearest(first, lambda tried: contrast(tried, second) >= 4.5)
    assert found
    assert re.fullmatch(r"#[0-9a-f]{6}", found)
    assert contrast(found, second) >= 4.5


@settings(deadline=None, max_examples=25)
@given(HEX, HEX)
def test_what_is_suggested_for_any_button_passes(accent: str, text: str) -> None:
    """Taken over, the pair is no fault any more."""
    given_look = {"accent": accent, "accent_ink": text}
    for field, said in faults(given_look).items():
        for fault in said:
            if fault.startswith("button text"):
                changed = given_look | {field: suggestion(fault) or ""}
                assert contrast(changed["accent"], changed["accent_ink"]) >= 4.5


@settings(deadline=None, max_examples=25)
@given(st.dictionaries(st.sampled_from(COLOURS), HEX))
def test_where_no_fault_is_told_everything_can_be_read(chosen: dict[str, str]) -> None:
    """In both schemes, whatever was chosen and whatever stands in for the rest."""
    told = faults(chosen)
    for dark in ("", "_dark"):
        seen = look.colours_of(chosen, dark)
        least = min(
            contrast(seen["accent_ink"], seen["accent"]),
            contrast(seen["ink"], seen["paper"]),
            contrast(seen["accent"], seen["paper"]),
            ratio(mix(seen["ink"], look.QUIET, seen["paper"]), rgb(seen["paper"])),
        )
        assert least >= 4.5 or any(field.endswith("_dark") == bool(dark) for field in told)


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from([*FIELDS, "other"]), st.text(max_size=30)))
def test_no_text_breaks_out_of_a_stylesheet(chosen: dict[str, str]) -> None:
    """Whatever is written."""
    assert re.fullmatch(r"(:root\{(--[a-z-]+:[^;{}]+;)+\}\n)?", page_style(chosen))
    assert re.fullmatch(r"((--hitchpost-[a-z-]+|font-family):[^;{}]+;)*", widget_style(chosen))
    assert faults(chosen) is not None
