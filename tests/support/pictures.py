"""Small images, made byte by byte."""

from __future__ import annotations

import struct
import zlib
from typing import Final

NS: Final = 'xmlns="http://www.w3.org/2000/svg"'
XLINK: Final = 'xmlns:xlink="http://www.w3.org/1999/xlink"'

LOSSLESS: Final = b"\x2f" + struct.pack("<I", 15 | 15 << 14 | 1 << 28) + bytes.fromhex("071011118888fe0700")
"""The body of a WebP of 16 by 16 pixels of one colour, as an encoder wrote it."""


def png(width: int = 16, height: int = 16, *more: tuple[bytes, bytes]) -> bytes:
    """A grey picture, with chunks of one's own before its end."""
    rows = zlib.compress((b"\0" + b"\x80" * width) * height)
    return chunked((b"IHDR", head(width, height)), (b"IDAT", rows), *more, (b"IEND", b""))


def head(width: int, height: int) -> bytes:
    """What a PNG says of its size: eight bits of grey."""
    return struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)


def chunked(*chunks: tuple[bytes, bytes]) -> bytes:
    """A PNG of these chunks."""
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )


def segment(marker: int, body: bytes) -> bytes:
    """A part of a JPEG."""
    return bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body


def jpeg(width: int = 16, height: int = 16, frame: int = 0xC0, more: bytes = b"") -> bytes:
    """A grey picture: every coefficient is nought, so that a block takes two bits for DC and AC each.

    ``more`` stands before its frame.
    """
    blocks = -(-width // 8) * -(-height // 8)
    bits = "0" * (2 * blocks)
    bits += "1" * (-len(bits) % 8)
    scan = int(bits, 2).to_bytes(len(bits) // 8, "big").replace(b"\xff", b"\xff\0")
    code = bytes([1]) + bytes(15) + b"\0"  # one code of one bit
    return b"".join(
        (
            b"\xff\xd8",
            segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\0\0"),
            segment(0xDB, b"\0" + b"\1" * 64),
            more,
            segment(frame, struct.pack(">BHHB", 8, height, width, 1) + b"\1\x11\0"),
            segment(0xC4, b"\0" + code + b"\x10" + code),
            segment(0xDA, b"\1\1\0\0\x3f\0"),
            scan,
            b"\xff\xd9",
        )
    )


def riff(*chunks: tuple[bytes, bytes]) -> bytes:
    """A WebP of these chunks."""
    return webp(
        b"".join(kind + struct.pack("<I", len(body)) + body + bytes(len(body) % 2) for kind, body in chunks)
    )


def webp(parts: bytes) -> bytes:
    """A WebP that says of itself that it is as long as it is."""
    return b"RIFF" + struct.pack("<I", len(parts) + 4) + b"WEBP" + parts


def lossy(width: int, height: int, tag: int = 0x10) -> bytes:
    """The head of a key frame; the rest is the browser's business."""
    return bytes([tag, 0, 0]) + b"\x9d\x01\x2a" + struct.pack("<HH", width, height) + bytes(10)


def lossless(width: int, height: int) -> bytes:
    """The same of a picture without loss."""
    return b"\x2f" + struct.pack("<I", width - 1 | height - 1 << 14) + bytes(5)


def canvas(width: int, height: int) -> bytes:
    """The head of an extended WebP."""
    return bytes(4) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")


def svg(inner: str, attributes: str = "") -> bytes:
    """An SVG of 24 by 24."""
    return f'<svg {NS} {XLINK} viewBox="0 0 24 24" {attributes}>\n{inner}\n</svg>'.encode()
