"""A product's look: what may be written, what can be read, and what of it reaches a stylesheet."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bff.content import look
from bff.content.colours import full, mix, ratio, rgb
from bff.content.look import FIELDS, contrast, fallback, faults, logo_of, page_style, suggestion, widget_style

WIDGET_CSS = Path(__file__).parents[2] / "static/widget/src/button-styles.ts"
PAGES_CSS = Path(__file__).parents[2] / "static/pages/pages.css"
LOGO = "0" * 64 + ".png"


def test_the_built_in_look_has_no_faults_even_when_it_is_written_out() -> None:
    """Nobody has to mend what comes with Hitchpost."""
    assert faults({}) == {}
    assert faults({name: field.default for name, field in FIELDS.items() if field.default}) == {}


def test_the_built_in_look_is_the_one_of_the_pages() -> None:
    """The check and the stylesheet start from the same colours and mix the same shares."""
    css = PAGES_CSS.read_text(encoding="utf-8")
    for name in ("accent", "accent_ink", "ink", "paper"):
        pair = [FIELDS[name].default, FIELDS[name + "_dark"].default]
        written = re.search(rf"--{name.replace('_', '-')}: light-dark\((.+), (.+)\);", css)
        assert written
        assert [rgb(colour) for colour in written.groups()] == [rgb(colour) for colour in pair]
    assert f"--radius: {FIELDS['radius'].default};" in css
    assert f"--font: {FIELDS['font'].default};" in css
    assert f"--warn: light-dark({look.WARN['']}, {look.WARN['_dark']});" in css
    for name, share in (("quiet", look.QUIET), ("field", look.GROUND)):
        assert f"--{name}: color-mix(in srgb, var(--ink) {share:.0%}, var(--paper));" in css


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("accent", "#004080"),
        ("accent", "#048"),
        ("radius", "0"),
        ("radius", "48px"),
        ("radius", ".5em"),
        ("radius", "3em"),
        ("radius", "3rem"),
        ("font", 'Inter, "Segoe UI", sans-serif'),
        ("font", "'Source Sans 3'"),
        ("font", "a" * 200),
        ("font", "X"),
        ("font", " Inter ,  'X 1' "),
        ("logo", LOGO),
    ],
)
def test_what_may_be_written(field: str, text: str) -> None:
    """Colours, lengths, fonts and images in the forms that the fields' descriptions name."""
    assert faults({field: text}) == {}


FAULTY = [
    ("shadow", "1px", "there is no such field; there are accent, accent_ink, ink, "),
    ("accent", "blue", "write # and six digits"),
    ("accent", "#12345", "write # and six digits"),
    ("accent", "#004080;}", "write # and six digits"),
    ("accent", "#004080\n", "write # and six digits"),
    ("radius", "8", "write 8px or 0.5rem"),
    ("radius", "-1px", "write 8px or 0.5rem"),
    ("radius", "49px", "0 to 48px"),
    ("radius", "3.01rem", "0 to 48px or 3rem"),
    ("radius", "px", "write 8px"),
    ("radius", "٣px", "write 8px"),
    ("radius", "calc(1px)", "write 8px"),
    ("font", "", "write names of letters"),
    ("font", "\tInter", "write names of letters"),
    ("font", "\t'Inter'", "write names of letters"),
    ("font", "X'Inter'", "write names of letters"),
    ("font", "a;}body{display:none", "write names of letters"),
    ("font", "'Inter", "write names of letters"),
    ("font", "'a\" , \"b'", "write names of letters"),
    ("font", "Inter,,Arial", "write names of letters"),
    ("font", "url(x)", "write names of letters"),
    ("font", "a" * 201, "has 201 characters; at most 200"),
    ("logo", "logo.png", "put the file up again"),
    ("logo", "0" * 64 + ".gif", "put the file up again"),
]


@pytest.mark.parametrize(("field", "text", "said"), FAULTY)
def test_what_may_not_be_written_is_told_and_never_reaches_a_stylesheet(
    field: str, text: str, said: str
) -> None:
    """The fault says what to write instead; the styles are those of a look without the field."""
    assert said in faults({field: text})[field][0]
    assert page_style({field: text}) == widget_style({field: text}) == ""
    assert logo_of({field: text}) == (None, None)
    kept = {"accent_dark": "#9db4ff"}
    assert page_style(kept | {field: text}) == page_style(kept)


def test_a_fault_shows_what_was_written_but_not_a_whole_book() -> None:
    """Forty characters are enough to know it again."""
    for field in ("accent", "radius", "font", "logo"):
        assert faults({field: "<" * 40})[field][0].startswith(repr("<" * 40) + " is no ")
        assert faults({field: "<" * 41})[field][0].startswith(repr("<" * 40 + "…") + " is no ")


def test_a_pair_that_cannot_be_read_names_both_colours_the_ratios_and_a_way_out() -> None:
    """Yellow under white text, and yellow links on white paper: one colour mends both."""
    said = faults({"accent": "#fc0"})["accent"]
    way_out = "reaches a contrast of 1.51:1 and needs 4.5:1; for accent, use #907300"
    assert said == [
        f"button text #ffffff on accent #ffcc00 {way_out}",
        f"accent #ffcc00 on paper #ffffff, as of links, {way_out}",
    ]
    assert [suggestion(fault) for fault in said] == ["#907300", "#907300"]
    assert faults({"accent": "#907300"}) == {}


def test_what_is_not_quite_enough_does_not_read_as_if_it_were() -> None:
    """4.499 is not 4.5."""
    assert "4.47:1" in faults({"accent": "#777777"})["accent"][0]


def test_a_fault_stands_at_the_colours_that_the_team_chose() -> None:
    """At both, if both are theirs; each with a colour for itself."""
    assert set(faults({"ink": "#999999"})) == {"ink"}
    assert set(faults({"ink": "#999999", "paper": "#aaaaaa"})) == {"ink", "paper"}


def test_light_and_dark_are_looked_at_apart() -> None:
    """A dark blue goes on white paper and not on dark paper."""
    assert faults({"accent": "#004080"}) == {}
    assert set(faults({"accent_dark": "#004080"})) == {"accent_dark"}


def test_quiet_text_has_to_be_read_as_well() -> None:
    """It is paler than the text it is mixed from."""
    assert contrast("#666666", "#ffffff") > 4.5
    (fault,) = faults({"ink": "#666666"})["ink"]
    assert "quiet text" in fault
    assert faults({"ink": suggestion(fault) or ""}) == {}


def test_quiet_text_has_to_be_read_on_the_ground_around_the_box_as_well() -> None:
    """The ground is a little nearer to the ink than the paper is."""
    quiet = mix("#444444", look.QUIET, "#ffffff")
    assert ratio(quiet, rgb("#ffffff")) > look.WANTED > ratio(quiet, mix("#444444", look.GROUND, "#ffffff"))
    (fault,) = faults({"ink": "#444444"})["ink"]
    assert "quiet text" in fault


def test_text_that_cannot_be_read_is_told_once_and_the_rest_beside_it() -> None:
    """Nothing is said of quiet text where the text itself is lost; a lost button is a fault of its own."""
    found = faults({"ink": "#999999", "accent_ink": "#2b50d8"})
    assert {field: len(said) for field, said in found.items()} == {"ink": 1, "accent_ink": 1}


def test_exactly_what_is_wanted_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """4.5:1 passes, as WCAG says "at least"; also for a warning."""
    monkeypatch.setattr(look, "WANTED", contrast("#888888", "#000000"))
    chosen = {"ink": "#000000", "paper": "#888888", "accent": "#000000"}
    assert not [fault for said in faults(chosen).values() for fault in said if fault.startswith("text #")]
    monkeypatch.setattr(look, "WANTED", contrast(look.WARN[""], "#ffffff"))
    assert f"--warn:light-dark({look.WARN['']}," in page_style({"paper": "#ffffff"})


def test_a_colour_that_would_break_another_pair_is_offered_with_the_other_way() -> None:
    """There is no paper for both this text and the accent that comes with Hitchpost."""
    (fault,) = faults({"ink": "#eeeeee", "paper": "#222222"})["paper"]
    assert "change accent, or, for paper, use #" in fault


def test_a_fault_without_a_colour_says_what_to_change() -> None:
    """Not even black can be read as quiet text on middling grey."""
    said = faults({"ink": "#000000", "paper": "#888888"})["ink"]
    assert said[-1].endswith("change paper")
    assert suggestion(said[-1]) is None


def test_an_empty_look_has_no_style() -> None:
    """The pages and the widget stay as they come."""
    assert page_style({}) == widget_style({}) == ""


def test_the_pages_style_says_what_is_set_and_no_more() -> None:
    """As the custom properties of pages.css."""
    assert page_style({"radius": "0"}) == ":root{--radius:0px;}\n"
    assert page_style({"accent": "#048", "accent_dark": "#8CF", "font": "Inter, 'Segoe UI', Sans-Serif"}) == (
        ':root{--accent:light-dark(#004488,#88ccff);--font:"Inter","Segoe UI",sans-serif;}\n'
    )


def test_the_widgets_two_colours_go_together() -> None:
    """The text on its button is the one that was checked. Ink and paper are the host page's own."""
    assert widget_style({"accent": "#004080", "radius": "2px"}) == (
        "--hitchpost-accent:light-dark(#004080,#93c5fd);--hitchpost-accent-ink:light-dark(#ffffff,#000000);"
        "--hitchpost-radius:2px;"
    )
    assert widget_style({"ink": "#000000", "paper": "#ffffff", "logo": LOGO}) == ""
    assert "--hitchpost-accent-ink:light-dark(#eeeeee,#eeeeee)" not in widget_style({"accent_ink": "#eeeeee"})


def test_the_widgets_font_is_one_that_a_host_page_can_overrule() -> None:
    """As the element's own font, and under no name of ours."""
    assert widget_style({"font": "Inter, serif"}) == 'font-family:"Inter",serif;'


def test_what_is_in_use_is_what_is_said_of_it() -> None:
    """A colour of one scheme is lent to the other; without any, button and window have the same."""
    assert fallback({}, "accent") == FIELDS["accent"].default
    assert fallback({"accent": "#808890", "accent_ink": "#000000"}, "accent_dark") == "#808890"
    assert fallback({"accent": "#004080"}, "accent") == FIELDS["accent"].default
    assert fallback({"logo": LOGO}, "logo_dark") == LOGO


def test_the_built_in_look_is_the_one_of_the_button() -> None:
    """What the Studio says holds without a choice is what the widget shows without one."""
    css = WIDGET_CSS.read_text(encoding="utf-8")
    for name in ("accent", "accent_ink"):
        written = re.search(rf"--hitchpost-{name.replace('_', '-')},light-dark\((#\w+),(#\w+)\)", css)
        assert written
        assert [full(colour) for colour in written.groups()] == [
            FIELDS[name].default,
            FIELDS[name + "_dark"].default,
        ]
    assert f"--hitchpost-radius,{FIELDS['radius'].default.removeprefix('0')}" in css


def test_a_scheme_takes_the_others_colour_where_it_can_be_read() -> None:
    """Else the one that comes with Hitchpost."""
    assert "--accent:light-dark(#3b5bdb,#93c5fd)" in page_style({"accent": "#3b5bdb"})
    assert "--accent-ink:light-dark(#ffffff,#000000)" in page_style({"accent_ink_dark": "#000000"})
    assert "--ink:light-dark(#000000,#eef1f6)" in page_style({"ink": "#000000"})
    assert "--paper:light-dark(#ffffff,#111111)" in page_style({"paper_dark": "#111111"})
    assert "--paper:light-dark(#222222,#222222)" in page_style({"paper": "#222222"})
    assert "--ink:light-dark(#000000,#000000)" in page_style({"ink_dark": "#000000"})


def test_a_keyword_is_no_font() -> None:
    """``inherit`` would undo the property."""
    assert page_style({"font": "inherit, 'X'"}) == ':root{--font:"inherit","X";}\n'


def test_a_warning_can_be_read_on_any_paper() -> None:
    """Where its own colour cannot, it has the text's."""
    style = page_style({"paper_dark": "#ffffff", "ink_dark": "#111111"})
    assert "--warn:light-dark(#8a4b00,#111111)" in style


def test_a_logo_for_dark_alone_is_no_logo() -> None:
    """Half of the users would not see it."""
    assert "put up the logo" in faults({"logo_dark": LOGO})["logo_dark"][0]
    assert faults({"logo": LOGO, "logo_dark": LOGO}) == {}
    assert logo_of({"logo": LOGO}) == (LOGO, None)
    other = LOGO.replace("0", "1")
    assert logo_of({"logo": LOGO, "logo_dark": other}) == (LOGO, other)
