"""Checks uploaded logos: PNG, JPEG, WebP or SVG."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

from bff.content.logos.faulty_image import FaultyImage
from bff.content.logos.raster import JPEG_START, PNG_START, Size, jpeg_size, png_size, webp_size
from bff.content.logos.svg import check_svg

__all__ = ["FaultyImage", "Logo", "check_logo"]

MOST_IMAGES: Final = 250
"""Images of one product: two for each version of its history, and some for drafts."""
MOST_BYTES: Final = 200 * 1024
LEAST_PIXELS: Final = 16
MOST_PIXELS: Final = 1024

LIMITS: Final = (
    f"a PNG, JPEG, WebP or SVG file of at most {MOST_BYTES // 1024} KiB; pixels are {LEAST_PIXELS}"
    f" to {MOST_PIXELS} on each side, and an SVG holds no scripts, no links and nothing from elsewhere"
)
"""The limits, as the upload form shows them."""

_MEDIA_TYPES: Final = {"png": "image/png", "jpg": "image/jpeg", "webp": "image/webp", "svg": "image/svg+xml"}


@dataclass(frozen=True)
class Logo:
    """A checked image. ``name`` is the SHA-256 of its bytes, with the file extension."""

    name: str
    media_type: str
    data: bytes


def check_logo(data: bytes) -> Logo:
    """Check an image. Raises ``FaultyImage`` if it cannot be a logo."""
    if not data:
        raise FaultyImage("the file is empty; choose a PNG, JPEG, WebP or SVG image")
    if len(data) > MOST_BYTES:
        raise FaultyImage(
            f"the file has {len(data) // 1024} KiB; a logo has at most {MOST_BYTES // 1024} KiB"
        )
    extension, size = _type_and_size(data)
    if size:
        _check_size(*size)
    return Logo(f"{hashlib.sha256(data).hexdigest()}.{extension}", _MEDIA_TYPES[extension], data)


def _type_and_size(data: bytes) -> tuple[str, Size | None]:
    """The file extension, and the size in pixels (None for SVG). Checks the file's structure."""
    if data.startswith(PNG_START):
        return "png", png_size(data)
    if data.startswith(JPEG_START):
        return "jpg", jpeg_size(data)
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "webp", webp_size(data)
    if data.startswith((b"GIF87a", b"GIF89a")):
        raise FaultyImage("the file is a GIF; a logo is a PNG, JPEG, WebP or SVG image")
    if data.removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n").startswith(b"<"):
        check_svg(data)
        return "svg", None
    raise FaultyImage("the file is no PNG, JPEG, WebP or SVG image, whatever its name says")


def _check_size(width: int, height: int) -> None:
    if min(width, height) < LEAST_PIXELS or max(width, height) > MOST_PIXELS:
        raise FaultyImage(
            f"the image is {width} by {height} pixels; each side may have {LEAST_PIXELS} to {MOST_PIXELS}"
        )
