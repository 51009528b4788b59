"""Checks the structure of PNG, JPEG and WebP files from first to last byte, and reads their size.

A file must be one complete image and nothing else, so that it cannot also be a page or an archive. Pixels are
not decoded.
"""

from __future__ import annotations

import re
import struct
import zlib
from typing import Any, Final

from bff.content.logos.faulty_image import FaultyImage

Size = tuple[int, int]
"""Width and height, in pixels."""

PNG_START: Final = b"\x89PNG\r\n\x1a\n"
JPEG_START: Final = b"\xff\xd8\xff"

# Start-of-frame markers of the codings that browsers show: baseline, extended and progressive Huffman.
_FRAMES: Final = frozenset({0xC0, 0xC1, 0xC2})
_SCAN, _END = 0xDA, 0xD9
# Markers without a length and a segment.
_ALONE: Final = frozenset({0x01, *range(0xD0, 0xD9)})
# Fill bytes before the marker are not part of the pattern, which would take quadratic time on many of them.
_AFTER_SCAN: Final = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_FILL: Final = re.compile(rb"\xff+")
MOST_SCANS: Final = 100
"""Scans of a progressive JPEG, which usually has about ten. A browser decodes the whole image for each."""
_CUT: Final = "the {} image is cut off or damaged; save it anew"
_MORE: Final = "the {} image is followed by other data; save it anew"
_MOVES: Final = "the {} image is animated; a logo stands still"


def png_size(data: bytes) -> Size:
    """Check a PNG (ISO/IEC 15948) and return its size. Raises ``FaultyImage``."""
    chunks = dict[bytes, bytes]()
    at = len(PNG_START)
    while b"IEND" not in chunks:
        length, kind = _unpack(">I4s", data, at, "PNG")
        body, end = data[at + 8 : at + 8 + length], at + 8 + length
        (checksum,) = _unpack(">I", data, end, "PNG")
        if zlib.crc32(kind + body) != checksum or (kind == b"IHDR") == bool(chunks):
            raise FaultyImage(_CUT.format("PNG"))
        chunks.setdefault(kind, body)
        at = end + 4
    if at != len(data):
        raise FaultyImage(_MORE.format("PNG"))
    if b"acTL" in chunks:
        raise FaultyImage(_MOVES.format("PNG"))
    if b"IDAT" not in chunks or len(chunks[b"IHDR"]) != 13:
        raise FaultyImage(_CUT.format("PNG"))
    width, height = struct.unpack_from(">II", chunks[b"IHDR"])
    return width, height


def jpeg_size(data: bytes) -> Size:
    """Check a JPEG (ISO/IEC 10918-1) and return its size. Raises ``FaultyImage``."""
    size: Size | None = None
    scans = 0
    marker, at = _marker(data, 2)
    while marker != _END:
        if marker not in _ALONE:
            (length,) = _unpack(">H", data, at, "JPEG")
            if length < 2:
                raise FaultyImage(_CUT.format("JPEG"))
            if marker in _FRAMES:
                height, width = _unpack(">HH", data, at + 3, "JPEG")
                size = size or (width, height)
            at += length
        if marker == _SCAN:
            scans, at = scans + 1, _end_of_scan(data, at)
            if scans > MOST_SCANS:
                raise FaultyImage(f"the JPEG image has more than {MOST_SCANS} scans; save it anew")
        marker, at = _marker(data, at)
    if at != len(data):
        raise FaultyImage(_MORE.format("JPEG"))
    if size is None or not scans:
        raise FaultyImage(_CUT.format("JPEG"))
    return size


def webp_size(data: bytes) -> Size:
    """Check a WebP (RFC 9649) and return its size. Raises ``FaultyImage``."""
    (length,) = _unpack("<I", data, 4, "WebP")
    if length + 8 != len(data):
        raise FaultyImage((_CUT if length + 8 > len(data) else _MORE).format("WebP"))
    sizes = dict[bytes, Size]()
    at = 12
    while at < len(data):
        kind, length = _unpack("<4sI", data, at, "WebP")
        body = data[at + 8 : at + 8 + length]
        at += 8 + length + length % 2
        if len(body) != length or at > len(data):
            raise FaultyImage(_CUT.format("WebP"))
        if kind in {b"ANIM", b"ANMF"}:
            raise FaultyImage(_MOVES.format("WebP"))
        if kind in _WEBP_SIZES:
            sizes.setdefault(kind, _WEBP_SIZES[kind](body))
    picture = sizes.get(b"VP8 ") or sizes.get(b"VP8L")
    if picture is None or sizes.get(b"VP8X", picture) != picture:
        raise FaultyImage(_CUT.format("WebP"))
    return picture


def _unpack(form: str, data: bytes, at: int, what: str) -> tuple[Any, ...]:
    try:
        return struct.unpack_from(form, data, at)
    except struct.error:
        raise FaultyImage(_CUT.format(what)) from None


def _marker(data: bytes, at: int) -> tuple[int, int]:
    """The marker at ``at``, after any fill bytes, and the offset after it."""
    fill = _FILL.match(data, at)
    if fill is None or fill.end() >= len(data):
        raise FaultyImage(_CUT.format("JPEG"))
    return data[fill.end()], fill.end() + 1


def _end_of_scan(data: bytes, at: int) -> int:
    """The offset of the next marker that is neither a restart marker nor an escaped 0xFF."""
    match = _AFTER_SCAN.search(data, at)
    if match is None:
        raise FaultyImage(_CUT.format("JPEG"))
    return match.start()


def _lossy(body: bytes) -> Size:
    tag, start, width, height = _unpack("<H1x3sHH", body, 0, "WebP")
    if tag & 1 or start != b"\x9d\x01\x2a":
        raise FaultyImage(_CUT.format("WebP"))
    return width & 0x3FFF, height & 0x3FFF


def _lossless(body: bytes) -> Size:
    signature, bits = _unpack("<BI", body, 0, "WebP")
    if signature != 0x2F:
        raise FaultyImage(_CUT.format("WebP"))
    return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1


def _canvas(body: bytes) -> Size:
    width_low, width_high, height_low, height_high = _unpack("<4xHBHB", body, 0, "WebP")
    return (width_high << 16 | width_low) + 1, (height_high << 16 | height_low) + 1


_WEBP_SIZES: Final = {b"VP8 ": _lossy, b"VP8L": _lossless, b"VP8X": _canvas}
