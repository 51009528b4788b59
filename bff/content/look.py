"""A product's look, for the widget and the popup's pages: colours for light and dark, shape, font, logo.

A look is a map of field to text. Every field is optional. A colour that is set for one scheme only (light or
dark) is used for the other too, unless its contrast there is too low. Then the default colour is used.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Final

from bff.content.colours import contrast, full, mix, nearest, ratio, rgb
from bff.content.look_fields import COLOURS, FIELDS, Field, families, syntax_fault

__all__ = ["FIELDS", "Field", "contrast", "faults", "logo_of", "page_style", "suggestion", "widget_style"]

Look = Mapping[str, str]
Scheme = Mapping[str, str]
"""The four colours of one scheme, by role: accent, accent_ink, ink and paper."""

WANTED: Final = 4.5
"""The least contrast of text (WCAG 2.2, 1.4.3, level AA)."""

QUIET: Final = 0.74
GROUND: Final = 0.04
"""Shares of ink in quiet text, and in the background around the pages' box, as in ``pages.css``."""

WARN: Final = MappingProxyType({"": "#8a4b00", "_dark": "#ffc27a"})
"""The colour of warnings in each scheme, unless its contrast to the paper is too low."""

# Pairs of colours that need contrast: foreground, background, and their description in faults.
_PAIRS: Final = (
    ("accent_ink", "accent", "{accent_ink} on {accent}"),
    ("ink", "paper", "{ink} on {paper}"),
    ("accent", "paper", "{accent} on {paper}, as of links,"),
    ("ink", "paper", "quiet text, a mix of {ink} and {paper},"),
)
_INK_PAIR: Final = 1
_QUIET_PAIR: Final = 3
_TOGETHER: Final = (("paper",), ("ink",), ("accent", "accent_ink"), ("accent",), ("accent_ink",))
_SUGGESTED: Final = re.compile(r"use (#[0-9a-f]{6})\Z")


def faults(look: Look) -> dict[str, list[str]]:
    """Faults by field. Each says what to write instead, for some a colour: see ``suggestion``."""
    found: dict[str, list[str]] = {}
    for field, text in look.items():
        if fault := syntax_fault(field, text):
            found.setdefault(field, []).append(fault)
    if "logo_dark" in look and "logo" not in look:
        found.setdefault("logo_dark", []).append("a logo for dark alone is not shown; put up the logo too")
    for dark in ("", "_dark"):
        for field, fault in _contrast_faults(look, dark):
            found.setdefault(field, []).append(fault)
    return found


def suggestion(fault: str) -> str | None:
    """The colour that a fault proposes. None if it proposes none."""
    match = _SUGGESTED.search(fault)
    return match[1] if match else None


def widget_style(look: Look) -> str:
    """CSS declarations for the widget's ``:host``, for the fields that are set.

    If one of accent and accent_ink is set, both are declared. Styles of the host page for the element take
    precedence (CSS Scoping 1, section 3.3.2).
    """
    sound = _sound(look)
    both = ("accent", "accent_ink")
    colours = _declared(sound, both) if any(_is_set(sound, colour) for colour in both) else {}
    named = {f"--hitchpost-{name}": value for name, value in (colours | _shape(sound)).items()}
    if family := named.pop("--hitchpost-font", None):
        named["font-family"] = family
    return "".join(f"{name}:{value};" for name, value in named.items())


def page_style(look: Look) -> str:
    """A stylesheet for the popup's pages: the fields that are set, as custom properties of ``pages.css``."""
    sound = _sound(look)
    values = _declared(sound, [colour for colour in COLOURS if _is_set(sound, colour)])
    if _is_set(sound, "paper"):
        values["warn"] = _light_dark(*(_warning(sound, dark) for dark in ("", "_dark")))
    values |= _shape(sound)
    if not values:
        return ""
    return ":root{" + "".join(f"--{name}:{value};" for name, value in values.items()) + "}\n"


def logo_of(look: Look) -> tuple[str | None, str | None]:
    """The names of the logo's images for light and dark. None where there is none."""
    sound = _sound(look)
    return sound.get("logo"), sound.get("logo_dark")


def colours_of(look: Look, dark: str) -> dict[str, str]:
    """The four colours that users see in a scheme. ``dark`` is ``""`` or ``"_dark"``."""
    other = "" if dark else "_dark"
    own = {colour for colour in COLOURS if colour + dark in look}
    colours = {colour: full(look.get(colour + dark) or FIELDS[colour + dark].default) for colour in COLOURS}
    for group in _TOGETHER:
        lent = {c: full(look[c + other]) for c in group if c not in own and c + other in look}
        if _broken(colours | lent) <= _broken(colours):
            colours |= lent
    return colours


def fallback(look: Look, field: str) -> str:
    """The value used for ``field`` while it is not set. Empty for no logo."""
    others = {name: text for name, text in _sound(look).items() if name != field}
    dark = "_dark" if field.endswith("_dark") else ""
    colour = field.removesuffix("_dark")
    if colour in COLOURS:
        return colours_of(others, dark)[colour]
    return others.get("logo", "") if field == "logo_dark" else FIELDS[field].default


def _sound(look: Look) -> dict[str, str]:
    return {field: text for field, text in look.items() if syntax_fault(field, text) is None}


def _is_set(sound: Look, colour: str) -> bool:
    return colour in sound or colour + "_dark" in sound


def _ratio(pair: int, colours: Scheme) -> float:
    if pair != _QUIET_PAIR:
        read, behind, _ = _PAIRS[pair]
        return contrast(colours[read], colours[behind])
    quiet, paper = mix(colours["ink"], QUIET, colours["paper"]), rgb(colours["paper"])
    return min(ratio(quiet, paper), ratio(quiet, mix(colours["ink"], GROUND, colours["paper"])))


def _broken(colours: Scheme, pairs: Iterable[int] = range(len(_PAIRS))) -> set[int]:
    return {pair for pair in pairs if _ratio(pair, colours) < WANTED}


def _contrast_faults(look: Look, dark: str) -> Iterator[tuple[str, str]]:
    sound = _sound(look)
    colours = colours_of(sound, dark)
    broken = _broken(colours)
    if _INK_PAIR in broken:
        broken -= {_QUIET_PAIR}  # Quiet text has less contrast than text, whose fault is reported.
    for pair in sorted(broken):
        first, second, description = _PAIRS[pair]
        named = {colour: f"{_label(colour, dark)} {colours[colour]}" for colour in (first, second)}
        # Rounded down, so that 4.499 does not read as 4.5.
        reached = int(_ratio(pair, colours) * 100) / 100
        start = f"{description.format(**named)} reaches a contrast of {reached}:1 and needs {WANTED}:1; "
        for changed, other in ((first, second), (second, first)):
            if changed + dark in sound:
                yield changed + dark, start + _remedy(pair, colours, changed, other, dark)


def _remedy(pair: int, colours: Scheme, changed: str, other: str, dark: str) -> str:
    """Propose a colour for ``changed`` that mends all its pairs; or to change the other one."""
    pairs = [number for number, colours_of_pair in enumerate(_PAIRS) if changed in colours_of_pair]
    if colour := _nearest_valid(colours, changed, pairs):
        return f"for {_label(changed, dark)}, use {colour}"
    instead = f"change {_label(other, dark)}"
    if colour := _nearest_valid(colours, changed, [pair]):
        return f"{instead}, or, for {_label(changed, dark)}, use {colour}"
    return instead


def _nearest_valid(colours: Scheme, changed: str, pairs: list[int]) -> str | None:
    return nearest(colours[changed], lambda tried: not _broken({**colours, changed: tried}, pairs))


def _label(colour: str, dark: str) -> str:
    return FIELDS[colour + dark].label.lower()


def _declared(sound: Look, names: tuple[str, ...] | list[str]) -> dict[str, str]:
    light, dark = colours_of(sound, ""), colours_of(sound, "_dark")
    return {name.replace("_", "-"): _light_dark(light[name], dark[name]) for name in names}


def _light_dark(light: str, dark: str) -> str:
    return f"light-dark({light},{dark})"


def _warning(sound: Look, dark: str) -> str:
    colours = colours_of(sound, dark)
    return WARN[dark] if contrast(WARN[dark], colours["paper"]) >= WANTED else colours["ink"]


def _shape(sound: Look) -> dict[str, str]:
    values = {}
    if "radius" in sound:
        # The stylesheets use it in calc(), where a bare 0 is a number and no length.
        values["radius"] = "0px" if sound["radius"] == "0" else sound["radius"]
    if "font" in sound:
        values["font"] = families(sound["font"])
    return values
