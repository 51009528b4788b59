"""Which files may be logos."""

from __future__ import annotations

import hashlib
import struct
import zlib
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bff.core.images import FaultyImage, check_logo

NS = 'xmlns="http://www.w3.org/2000/svg"'
XLINK = 'xmlns:xlink="http://www.w3.org/1999/xlink"'


def png(width: int = 16, height: int = 16, *more: tuple[bytes, bytes]) -> bytes:
    """A grey picture, with chunks of one's own before its end."""
    rows = zlib.compress((b"\0" + b"\x80" * width) * height)
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunks = [(b"IHDR", head), (b"IDAT", rows), *more, (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )


def segment(marker: int, body: bytes) -> bytes:
    """A part of a JPEG."""
    return bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body


def jpeg(width: int = 16, height: int = 16, frame: int = 0xC0) -> bytes:
    """A grey picture: every coefficient is nought, so that a block takes two bits for DC and AC each."""
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
            segment(frame, struct.pack(">BHHB", 8, height, width, 1) + b"\1\x11\0"),
            segment(0xC4, b"\0" + code + b"\x10" + code),
            segment(0xDA, b"\1\1\0\0\x3f\0"),
            scan,
            b"\xff\xd9",
        )
    )


def riff(*chunks: tuple[bytes, bytes]) -> bytes:
    """A WebP of these chunks."""
    parts = b"".join(k + struct.pack("<I", len(b)) + b + b"\0" * (len(b) % 2) for k, b in chunks)
    return b"RIFF" + struct.pack("<I", len(parts) + 4) + b"WEBP" + parts


# 16 by 16 pixels of one colour, as an encoder wrote them.
LOSSLESS = b"\x2f" + struct.pack("<I", 15 | 15 << 14 | 1 << 28) + bytes.fromhex("0710111188 88fe0700")


def lossy(width: int, height: int) -> bytes:
    """The head of a key frame; the rest is the browser's business."""
    return b"\x10\0\0\x9d\x01\x2a" + struct.pack("<HH", width, height) + bytes(10)


def canvas(width: int, height: int) -> bytes:
    """The head of an extended WebP."""
    return bytes(4) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")


def svg(inner: str, attributes: str = "") -> bytes:
    """An SVG of 24 by 24."""
    return f'<svg {NS} {XLINK} viewBox="0 0 24 24" {attributes}>\n{inner}\n</svg>'.encode()


def refusal(data: bytes) -> str:
    """Why it cannot be a logo."""
    with pytest.raises(FaultyImage) as caught:
        check_logo(data)
    return str(caught.value)


GOOD = [
    pytest.param(png(), "png", "image/png", id="png"),
    pytest.param(png(1024, 16, (b"tEXt", b"Comment\0<b>")), "png", "image/png", id="png-largest"),
    pytest.param(jpeg(), "jpg", "image/jpeg", id="jpeg"),
    pytest.param(jpeg(640, 480, 0xC2), "jpg", "image/jpeg", id="jpeg-progressive"),
    pytest.param(riff((b"VP8L", LOSSLESS)), "webp", "image/webp", id="webp-lossless"),
    pytest.param(riff((b"VP8 ", lossy(100, 50))), "webp", "image/webp", id="webp-lossy"),
    pytest.param(
        riff((b"VP8X", canvas(100, 50)), (b"EXIF", b"abc"), (b"VP8 ", lossy(100, 50))),
        "webp",
        "image/webp",
        id="webp-extended",
    ),
    pytest.param(svg('<path d="M0 0h24v24z" fill="#004080"/>'), "svg", "image/svg+xml", id="svg"),
    pytest.param(
        b'\xef\xbb\xbf<?xml version="1.0" encoding="UTF-8"?>\n<!-- drawn -->\n' + svg("<g/>"),
        "svg",
        "image/svg+xml",
        id="svg-with-declaration",
    ),
    pytest.param(
        svg(
            '<defs><linearGradient id="a"><stop offset="0" stop-color="#fff"/></linearGradient>'
            '<clipPath id="c"><rect width="9" height="9"/></clipPath><g id="u"><path d="M0 0"/></g></defs>'
            "<style>.x{fill:url(#a);clip-path:url('#c')} .y{fill:rgb(1 2 3)}</style>"
            '<g class="x" transform="translate (1 2) rotate(3)"><use xlink:href="#u"/><use href="#u"/></g>'
            '<text style="fill: #fff" aria-label="A (B)" data-name="@">A &amp; B</text>',
        ),
        "svg",
        "image/svg+xml",
        id="svg-of-many-parts",
    ),
]


@pytest.mark.parametrize(("data", "ending", "media_type"), GOOD)
def test_an_image_is_named_by_what_it_holds(data: bytes, ending: str, media_type: str) -> None:
    """Whoever puts up the same file again gets the same name."""
    logo = check_logo(data)
    assert logo.name == f"{hashlib.sha256(data).hexdigest()}.{ending}"
    assert (logo.media_type, logo.data) == (media_type, data)


RASTER = [png(), jpeg(), riff((b"VP8L", LOSSLESS)), riff((b"VP8 ", lossy(20, 20)))]


@pytest.mark.parametrize("data", RASTER, ids=["png", "jpeg", "lossless", "lossy"])
def test_an_image_that_is_cut_off_anywhere_is_refused(data: bytes) -> None:
    """Nothing half-loaded is shown to users."""
    for length in range(len(data)):
        assert refusal(data[:length])


@pytest.mark.parametrize("data", RASTER, ids=["png", "jpeg", "lossless", "lossy"])
@pytest.mark.parametrize("more", [b"\0", b"<script>alert(1)</script>", b"PK\3\4", b"\xff\xd9"])
def test_an_image_with_something_behind_it_is_refused(data: bytes, more: bytes) -> None:
    """It could be a second file: a page, or an archive."""
    assert "followed by other data" in refusal(data + more)


REFUSED = [
    pytest.param(b"", "is empty", id="empty"),
    pytest.param(b"GIF89a" + bytes(40), "is a GIF", id="gif"),
    pytest.param(b"%PDF-1.7", "no PNG, JPEG, WebP or SVG", id="pdf"),
    pytest.param(b"<!doctype html><p>logo.png", "well-formed XML", id="html-lower-case"),
    pytest.param(b"<!DOCTYPE html><html></html>", "a DOCTYPE", id="html"),
    pytest.param(b"<html><script>alert(1)</script></html>", "its root is <html>", id="html-bare"),
    pytest.param(b"GIF89a/*" + png(), "is a GIF", id="gif-then-png"),
    pytest.param(b"\x89PNG\r\n\x1a\n<script>alert(1)</script>", "cut off or damaged", id="png-head-only"),
    pytest.param(png()[:40] + b"!" + png()[41:], "cut off or damaged", id="png-changed"),
    pytest.param(png(16, 16, (b"acTL", bytes(8))), "animated", id="png-animated"),
    pytest.param(jpeg(frame=0xC3), "cut off or damaged", id="jpeg-lossless"),
    pytest.param(riff((b"VP8X", canvas(20, 20)), (b"ANIM", bytes(6))), "animated", id="webp-animated"),
    pytest.param(
        riff((b"VP8X", canvas(20, 20)), (b"VP8 ", lossy(2000, 2000))), "damaged", id="webp-two-sizes"
    ),
    pytest.param(riff((b"EXIF", b"abcd")), "cut off or damaged", id="webp-without-picture"),
    pytest.param(png(15, 16), "is 15 by 16 pixels", id="png-small"),
    pytest.param(png(1025, 16), "is 1025 by 16 pixels; each side may have 16 to 1024", id="png-large"),
    pytest.param(jpeg(16, 2000), "is 16 by 2000 pixels", id="jpeg-large"),
    pytest.param(riff((b"VP8 ", lossy(1025, 20))), "is 1025 by 20 pixels", id="webp-large"),
    pytest.param(png(16, 16, (b"tEXt", bytes(200 * 1024))), "at most 200 KiB", id="too-many-bytes"),
]


@pytest.mark.parametrize(("data", "said"), REFUSED)
def test_what_is_no_sound_image_is_refused_with_the_reason(data: bytes, said: str) -> None:
    """Whatever the file is called."""
    assert said in refusal(data)


LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>'
    f"<svg {NS}><text>&b;</text></svg>"
)
ACTING = [
    pytest.param(svg("<script>alert(1)</script>"), "script: element <script>, in line 2", id="script"),
    pytest.param(svg('<s:script xmlns:s="http://www.w3.org/2000/svg"/>'), "element <script>", id="prefixed"),
    pytest.param(svg('<h:script xmlns:h="http://www.w3.org/1999/xhtml"/>'), "no SVG (save", id="html-script"),
    pytest.param(svg('<script xmlns="">x</script>'), "element <script>", id="no-namespace"),
    pytest.param(
        f'<x:svg xmlns:x="http://www.w3.org/2000/svg" {XLINK}><x:script/></x:svg>'.encode(),
        "script: element <script>",
        id="all-prefixed",
    ),
    pytest.param(svg("", 'onload="alert(1)"'), "script: attribute onload of <svg>, in line 1", id="onload"),
    pytest.param(svg('<g ONCLICK="x()"/>'), "script: attribute ONCLICK", id="handler"),
    pytest.param(svg("<foreignObject/>"), "a page in it: element <foreignObject>", id="foreign"),
    pytest.param(svg('<a href="javascript:alert(1)"><g/></a>'), "a link: element <a>", id="link"),
    pytest.param(svg('<use href="javascript:alert(1)"/>'), "attribute href of <use>", id="javascript"),
    pytest.param(svg('<use xlink:href="other.svg#a"/>'), "attribute href of <use>", id="other-file"),
    pytest.param(
        f'<svg {NS}><use q:href="//evil.example/#a" xmlns:q="http://www.w3.org/1999/xlink"/></svg>'.encode(),
        "attribute href of <use>",
        id="other-prefix",
    ),
    pytest.param(svg('<use href="&#106;avascript:x"/>'), "attribute href", id="character-reference"),
    pytest.param(svg('<use href="data:image/svg+xml,x#a"/>'), "attribute href", id="data-url"),
    pytest.param(svg('<image href="https://evil.example/a.png"/>'), "an image from elsewhere", id="image"),
    pytest.param(svg('<image href="data:image/png;base64,AA"/>'), "element <image>", id="data-image"),
    pytest.param(svg("<filter><feImage/></filter>"), "element <filter>", id="filter"),
    pytest.param(svg('<set attributeName="href" to="x"/>'), "animation: element <set>", id="set"),
    pytest.param(svg('<animate attributeName="href"/>'), "animation: element <animate>", id="animate"),
    pytest.param(svg("<style>@import 'x';</style>"), "@ in element <style>", id="import"),
    pytest.param(svg("<style><![CDATA[@import 'x';]]></style>"), "@ in element", id="cdata"),
    pytest.param(svg("<style>g{fill:url(//evil.example)}</style>"), "url() in", id="style-url"),
    pytest.param(svg("<style>g{fill:UR\\4c(x)}</style>"), "\\ in element <style>", id="css-escape"),
    pytest.param(svg("<g style=\"background:image-set('x' 1x)\"/>"), "image-set()", id="image-set"),
    pytest.param(svg('<g style="width:expression(x)"/>'), "expression()", id="expression"),
    pytest.param(svg('<g fill="url( https://evil.example/#a )"/>'), "url() in attribute fill", id="fill"),
    pytest.param(svg('<g mask="url(&quot;data:x&quot;)"/>'), "url() in attribute mask", id="mask"),
    pytest.param(svg("<style>g{mask:url(#a)}</style>"), "url() for 'g'", id="style-for-all"),
    pytest.param(svg('<g xml:base="https://evil.example/"/>'), "attribute base of <g>", id="base"),
    pytest.param(svg('<g xlink:actuate="onLoad"/>'), "attribute actuate", id="xlink"),
    pytest.param(svg('<g ev:event="x" xmlns:ev="http://www.w3.org/2001/xml-events"/>'), "event", id="ev"),
    pytest.param(b'<?xml-stylesheet href="x.css"?>' + svg(""), "<?xml-stylesheet?>", id="stylesheet"),
    pytest.param(LAUGHS.encode(), "a DOCTYPE", id="billion-laughs"),
    pytest.param(b'<!DOCTYPE svg SYSTEM "file:///etc/passwd">' + svg(""), "a DOCTYPE", id="external"),
    pytest.param(svg("&xxe;"), "well-formed XML: undefined entity", id="undefined-entity"),
    pytest.param(b'<?xml version="1.0" encoding="utf-7"?>' + svg(""), "other than UTF-8", id="utf-7"),
    pytest.param(svg("").decode().encode("utf-16"), "no PNG, JPEG, WebP or SVG", id="utf-16"),
    pytest.param(svg("")[:-3], "well-formed XML", id="cut-off"),
    pytest.param(svg("") + b"<script/>", "well-formed XML", id="second-root"),
    pytest.param(svg("<g>" * 100 + "</g>" * 100), "one in another", id="deep"),
    pytest.param(svg('<g id="a"/><g id="a"/>'), "two elements of one id", id="one-id-twice"),
    pytest.param(svg('<g id="a"><use href="#a"/></g>'), "in a circle", id="circle"),
    pytest.param(
        svg('<style>.m{mask:url(#m)}</style><mask id="m"><g class="m"/></mask>'),
        "in a circle",
        id="circle-by-style",
    ),
    pytest.param(
        svg("".join(f'<g id="a{n}"><use href="#a{n + 1}"/><use href="#a{n + 1}"/></g>' for n in range(30))),
        "more than 20000 shapes",
        id="use-bomb",
    ),
]


@pytest.mark.parametrize(("data", "said"), ACTING)
def test_an_svg_that_acts_or_reaches_out_is_refused_by_name_and_place(data: bytes, said: str) -> None:
    """Its maker can find it and take it out."""
    assert said in refusal(data)


@given(st.binary(max_size=300), st.sampled_from([b"", b"<", b"\xff\xd8\xff", png()[:16], svg("")[:-6]]))
def test_whatever_is_put_up_there_is_an_answer(data: bytes, start: bytes) -> None:
    """Any bytes are a logo or a ``FaultyImage``, never a crash."""
    with suppress(FaultyImage):
        assert check_logo(start + data).data == start + data


@given(st.sampled_from([case.values[0] for case in GOOD]), st.integers(0, 4000), st.integers(0, 255))
def test_whatever_is_damaged_there_is_an_answer(data: bytes, at: int, value: int) -> None:
    """The same of images with one wrong byte."""
    assert isinstance(data, bytes)
    damaged = bytearray(data)
    damaged[at % len(data)] = value
    with suppress(FaultyImage):
        assert check_logo(bytes(damaged)).data == damaged
