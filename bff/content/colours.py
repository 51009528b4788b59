"""Colours as ``#rrggbb``: contrast (WCAG 2.2), mixing (CSS), the nearest colour that meets a condition."""

from __future__ import annotations

import colorsys
import re
from collections.abc import Callable
from typing import Final

Rgb = tuple[float, float, float]
"""Red, green and blue, each from 0 to 1, in sRGB."""

_HEX: Final = re.compile(r"#(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})")
_STEPS: Final = 510
"""Steps of lightness: twice those of eight bits, so that no 8-bit lightness is missed."""


def is_colour(text: str) -> bool:
    """Whether ``text`` is a colour, ``#rgb`` or ``#rrggbb``."""
    return _HEX.fullmatch(text) is not None


def full(colour: str) -> str:
    """The colour as ``#rrggbb``, in lower case."""
    digits = colour[1:].lower()
    return "#" + (digits if len(digits) == 6 else "".join(digit * 2 for digit in digits))


def rgb(colour: str) -> Rgb:
    """Convert to ``Rgb``."""
    digits = full(colour)[1:]
    red, green, blue = (int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4))
    return red, green, blue


def contrast(first: str, second: str) -> float:
    """The contrast ratio of two colours, from 1 to 21 (WCAG 2.2)."""
    return ratio(rgb(first), rgb(second))


def ratio(first: Rgb, second: Rgb) -> float:
    """The contrast ratio of two ``Rgb`` colours, from 1 to 21."""
    darker, lighter = sorted((_luminance(first), _luminance(second)))
    return (lighter + 0.05) / (darker + 0.05)


def mix(first: str, share: float, second: str) -> Rgb:
    """The result of CSS ``color-mix(in srgb, first share, second)``. ``share`` is from 0 to 1."""
    pairs = zip(rgb(first), rgb(second), strict=True)
    red, green, blue = (one * share + other * (1 - share) for one, other in pairs)
    return red, green, blue


def nearest(colour: str, passes: Callable[[str], bool]) -> str | None:
    """The colour of the same hue and saturation, nearest in lightness (HSL), that passes. None if none."""
    hue, lightness, saturation = colorsys.rgb_to_hls(*rgb(colour))
    for step in sorted(range(_STEPS + 1), key=lambda step: abs(step / _STEPS - lightness)):
        parts = colorsys.hls_to_rgb(hue, step / _STEPS, saturation)
        candidate = "#" + "".join(f"{round(part * 255):02x}" for part in parts)
        if passes(candidate):
            return candidate
    return None


def _luminance(colour: Rgb) -> float:
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
