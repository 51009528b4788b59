"""Names of elements, attributes and functions that an SVG logo may use (SVG 2)."""

from __future__ import annotations

from typing import Final

_ELEMENTS: Final = """
    svg g defs symbol use title desc style path rect circle ellipse line polyline polygon text tspan
    linearGradient radialGradient stop clipPath mask
"""
ELEMENTS: Final = frozenset(_ELEMENTS.split())

REASONS: Final = {
    "script": "script",
    "handler": "script",
    "foreignObject": "a page in it",
    "image": "an image from elsewhere",
    "feImage": "an image from elsewhere",
    "a": "a link",
    "animate": "animation",
    "animateColor": "animation",
    "animateMotion": "animation",
    "animateTransform": "animation",
    "set": "animation",
    "metadata": "what is not needed (save it as plain SVG)",
}

FREE: Final = frozenset({"id", "class", "role", "lang", "version", "baseProfile"})
"""Attributes whose values have no effect on drawing and need no check."""

_ATTRIBUTES: Final = """
    style width height viewBox preserveAspectRatio x y x1 y1 x2 y2 cx cy r rx ry fx fy fr d points
    pathLength dx dy rotate textLength lengthAdjust transform gradientUnits gradientTransform spreadMethod
    offset clipPathUnits maskUnits maskContentUnits type media
    alignment-baseline baseline-shift clip clip-path clip-rule color color-interpolation color-rendering
    direction display dominant-baseline enable-background fill fill-opacity fill-rule font font-family
    font-size font-size-adjust font-stretch font-style font-variant font-weight image-rendering isolation
    letter-spacing
    mask mask-type mix-blend-mode opacity overflow paint-order shape-rendering stop-color stop-opacity stroke
    stroke-dasharray stroke-dashoffset stroke-linecap stroke-linejoin stroke-miterlimit stroke-opacity
    stroke-width text-anchor text-decoration text-rendering transform-origin unicode-bidi vector-effect
    visibility word-spacing writing-mode
"""
ATTRIBUTES: Final = frozenset(_ATTRIBUTES.split())

_FUNCTIONS: Final = """
    rgb rgba hsl hsla hwb lab lch oklab oklch color matrix translate translatex translatey scale scalex
    scaley rotate skewx skewy rect
"""
FUNCTIONS: Final = frozenset(_FUNCTIONS.split())
"""Functions allowed in values. ``url()`` is checked separately."""
