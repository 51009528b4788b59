"""Which files may be logos; what of SVG may is in ``test_svg.py``."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bff.content.logos.logo import FaultyImage, check_logo
from tests.support.pictures import (
    LOSSLESS,
    canvas,
    chunked,
    head,
    jpeg,
    lossless,
    lossy,
    png,
    riff,
    segment,
    svg,
    webp,
)


def refusal(data: bytes) -> str:
    """Why it cannot be a logo."""
    with pytest.raises(FaultyImage) as caught:
        check_logo(data)
    return str(caught.value)


LARGEST: Final = 200 * 1024 - len(png(16, 16, (b"tEXt", b"")))
"""So long a comment makes a PNG as large as it may be."""

GOOD: Final = {
    "png": (png(), "png"),
    "png-widest": (png(1024, 16, (b"tEXt", b"Comment\0<b>")), "png"),
    "png-largest": (png(16, 16, (b"tEXt", bytes(LARGEST))), "png"),
    "jpeg": (jpeg(), "jpg"),
    "jpeg-progressive": (jpeg(640, 480, 0xC2), "jpg"),
    "jpeg-with-an-empty-part": (jpeg(more=segment(0xFE, b"")), "jpg"),
    "jpeg-with-a-long-part": (jpeg(more=segment(0xE1, bytes(40_000))), "jpg"),
    "jpeg-with-fill-bytes": (jpeg(more=b"\xff\xff\xff" + segment(0xFE, b"x")), "jpg"),
    "webp-lossless": (riff((b"VP8L", LOSSLESS)), "webp"),
    "webp-lossy": (riff((b"VP8 ", lossy(100, 50))), "webp"),
    "webp-lossy-version-1": (riff((b"VP8 ", lossy(100, 50, 0x12))), "webp"),
    "webp-extended": (
        riff((b"VP8X", canvas(100, 50)), (b"EXIF", b"abc"), (b"VP8 ", lossy(100, 50))),
        "webp",
    ),
    "webp-extended-lossless": (riff((b"VP8X", canvas(100, 50)), (b"VP8L", lossless(100, 50))), "webp"),
    "svg": (svg('<path d="M0 0h24v24z" fill="#004080"/>'), "svg"),
    "svg-after-white-space": (b"\r\n \t" + svg("<g/>"), "svg"),
    "svg-after-a-mark": (b"\xef\xbb\xbf" + svg("<g/>"), "svg"),
}
MEDIA_TYPES: Final = {"png": "image/png", "jpg": "image/jpeg", "webp": "image/webp", "svg": "image/svg+xml"}


@pytest.mark.parametrize(("data", "ending"), GOOD.values(), ids=GOOD)
def test_an_image_is_named_by_what_it_holds(data: bytes, ending: str) -> None:
    """Whoever puts up the same file again gets the same name."""
    logo = check_logo(data)
    assert logo.name == f"{hashlib.sha256(data).hexdigest()}.{ending}"
    assert (logo.media_type, logo.data) == (MEDIA_TYPES[ending], data)


RASTER: Final = [
    ("PNG", png()),
    ("JPEG", jpeg()),
    ("WebP", riff((b"VP8L", LOSSLESS))),
    ("WebP", riff((b"VP8 ", lossy(20, 20)))),
]


@pytest.mark.parametrize(("kind", "data"), RASTER)
def test_an_image_that_is_cut_off_anywhere_is_refused(kind: str, data: bytes) -> None:
    """Nothing half-loaded is shown to users; once it is plain what the file was, it is called so."""
    assert all(refusal(data[:length]) for length in range(12))
    for length in range(12, len(data)):
        assert refusal(data[:length]) == f"the {kind} image is cut off or damaged; save it anew"


@pytest.mark.parametrize(("kind", "data"), RASTER)
@pytest.mark.parametrize("more", [b"\0", b"<script>alert(1)</script>", b"PK\3\4", b"\xff\xd9"])
def test_an_image_with_something_behind_it_is_refused(kind: str, data: bytes, more: bytes) -> None:
    """It could be a second file: a page, or an archive."""
    assert refusal(data + more) == f"the {kind} image is followed by other data; save it anew"


def test_a_png_with_one_wrong_byte_is_refused() -> None:
    """Whichever it is: every part has a checksum."""
    data = png(16, 16, (b"tEXt", b"Comment\0hello"))
    for at, byte in enumerate(data):
        assert refusal(data[:at] + bytes([byte ^ 1]) + data[at + 1 :])


ENDLESS: Final = b"\xff\xff\xff\xf4tEXt"
"""A length of nearly 4 GiB, or of -12 for whoever misreads it: to the head of the same chunk, for ever."""

BROKEN: Final = {
    "png-head-only": ("PNG", b"\x89PNG\r\n\x1a\n<script>alert(1)</script>"),
    "png-without-pixels": ("PNG", chunked((b"IHDR", head(16, 16)), (b"IEND", b""))),
    "png-with-a-long-head": (
        "PNG",
        chunked((b"IHDR", head(16, 16) + b"\0"), (b"IDAT", b""), (b"IEND", b"")),
    ),
    "png-with-two-heads": ("PNG", png(16, 16, (b"IHDR", head(999, 999)))),
    "png-with-a-late-head": ("PNG", chunked((b"IDAT", b""), (b"IHDR", head(16, 16)), (b"IEND", b""))),
    "png-with-an-endless-part": (
        "PNG",
        chunked((b"IHDR", head(16, 16)), (b"IDAT", b""), (b"tEXt", b"")) + ENDLESS,
    ),
    "jpeg-in-a-coding-that-no-browser-shows": ("JPEG", jpeg(frame=0xC3)),
    "jpeg-without-a-scan": ("JPEG", jpeg().partition(b"\xff\xda")[0] + b"\xff\xd9"),
    "jpeg-with-other-data-between": ("JPEG", jpeg(more=segment(0xFE, b"")[1:])),
    "jpeg-with-a-part-of-no-length": ("JPEG", jpeg(more=b"\xff\xfe\0\0")),
    "jpeg-with-a-part-that-ends-in-its-length": ("JPEG", jpeg(more=b"\xff\xfe\0\1")),
    "webp-longer-than-the-file": ("WebP", b"RIFF\xff\xff\xff\xffWEBP"),
    "webp-without-a-picture": ("WebP", riff((b"EXIF", b"abcd"))),
    "webp-with-half-a-head": ("WebP", webp(b"VP8 ")),
    "webp-with-a-part-longer-than-the-file": ("WebP", webp(b"VP8L\xff\0\0\0" + LOSSLESS)),
    "webp-with-an-odd-part-at-its-end": ("WebP", webp(riff((b"VP8L", LOSSLESS))[12:] + b"EXIF\1\0\0\0a")),
    "webp-with-a-short-lossy-head": ("WebP", riff((b"VP8 ", lossy(20, 20)[:8]))),
    "webp-with-a-short-lossless-head": ("WebP", riff((b"VP8L", LOSSLESS[:4]))),
    "webp-with-a-short-canvas": ("WebP", riff((b"VP8X", canvas(20, 20)[:9]), (b"VP8 ", lossy(20, 20)))),
    "webp-that-is-a-difference": ("WebP", riff((b"VP8 ", lossy(20, 20, 0x11)))),
    "webp-without-the-sign-of-lossy": ("WebP", riff((b"VP8 ", lossy(20, 20).replace(b"\x2a", b"\x2b", 1)))),
    "webp-without-the-sign-of-lossless": ("WebP", riff((b"VP8L", b"\x2e" + LOSSLESS[1:]))),
    "webp-of-two-sizes": ("WebP", riff((b"VP8X", canvas(20, 20)), (b"VP8 ", lossy(2000, 2000)))),
    "webp-of-two-widths": ("WebP", riff((b"VP8X", canvas(65_556, 20)), (b"VP8 ", lossy(20, 20)))),
    "webp-of-two-heights": ("WebP", riff((b"VP8X", canvas(20, 65_556)), (b"VP8 ", lossy(20, 20)))),
}


@pytest.mark.parametrize(("kind", "data"), BROKEN.values(), ids=BROKEN)
def test_an_image_whose_parts_do_not_fit_together_is_refused(kind: str, data: bytes) -> None:
    """Two readers might see two images in it, or one of them something else."""
    assert refusal(data) == f"the {kind} image is cut off or damaged; save it anew"


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("PNG", png(16, 16, (b"acTL", bytes(8)))),
        ("WebP", riff((b"VP8X", canvas(20, 20)), (b"ANIM", bytes(6)))),
        ("WebP", riff((b"VP8X", canvas(20, 20)), (b"ANMF", bytes(16)))),
    ],
)
def test_an_image_that_moves_is_refused(kind: str, data: bytes) -> None:
    """Beside a form it would draw the eye for ever."""
    assert refusal(data) == f"the {kind} image is animated; a logo stands still"


SIZES: Final = [
    (png(15, 16), "15 by 16"),
    (png(16, 15), "16 by 15"),
    (png(1025, 16), "1025 by 16"),
    (chunked((b"IHDR", head(2**31, 16)), (b"IDAT", b""), (b"IEND", b"")), "2147483648 by 16"),
    (jpeg(16, 2000), "16 by 2000"),
    (jpeg(16, 40_000), "16 by 40000"),
    (riff((b"VP8 ", lossy(1025, 20))), "1025 by 20"),
    (riff((b"VP8 ", lossy(20, 1025))), "20 by 1025"),
    (riff((b"VP8L", lossless(15, 20))), "15 by 20"),
    (riff((b"VP8L", lossless(20, 1025))), "20 by 1025"),
]


@pytest.mark.parametrize(("data", "size"), SIZES)
def test_an_image_that_is_too_small_or_too_large_is_refused_with_its_size(data: bytes, size: str) -> None:
    """Each side counts, and the file itself is asked."""
    assert refusal(data) == f"the image is {size} pixels; each side may have 16 to 1024"


OTHERS: Final = [
    pytest.param(b"", "is empty", id="empty"),
    pytest.param(png(16, 16, (b"tEXt", bytes(LARGEST + 1))), "at most 200 KiB", id="too-many-bytes"),
    pytest.param(b"GIF89a" + bytes(40), "is a GIF", id="gif"),
    pytest.param(b"GIF87a" + bytes(40), "is a GIF", id="older-gif"),
    pytest.param(b"GIF89a/*" + png(), "is a GIF", id="gif-then-png"),
    pytest.param(b"%PDF-1.7", "no PNG, JPEG, WebP or SVG", id="pdf"),
    pytest.param(b"RIFF\4\0\0\0WAVE", "no PNG, JPEG, WebP or SVG", id="sound"),
    pytest.param(b"\4\0\0\0\4\0\0\0WEBP", "no PNG, JPEG, WebP or SVG", id="webp-without-riff"),
    pytest.param(b"\x0c" + svg(""), "no PNG, JPEG, WebP or SVG", id="form-feed"),
    pytest.param(svg("").decode().encode("utf-16"), "no PNG, JPEG, WebP or SVG", id="utf-16"),
]


@pytest.mark.parametrize(("data", "said"), OTHERS)
def test_what_is_no_such_image_is_refused_with_the_reason(data: bytes, said: str) -> None:
    """Whatever the file is called."""
    assert said in refusal(data)


@given(st.binary(max_size=300), st.sampled_from([b"", b"<", b"\xff\xd8\xff", png()[:16], svg("")[:-6]]))
def test_whatever_is_put_up_there_is_an_answer(data: bytes, start: bytes) -> None:
    """Any bytes are a logo or a ``FaultyImage``, never a crash."""
    with suppress(FaultyImage):
        assert check_logo(start + data).data == start + data


@given(st.sampled_from([data for data, _ in GOOD.values()]), st.integers(0, 4000), st.integers(0, 255))
def test_whatever_is_damaged_there_is_an_answer(data: bytes, at: int, value: int) -> None:
    """The same of images with one wrong byte."""
    damaged = bytearray(data)
    damaged[at % len(data)] = value
    with suppress(FaultyImage):
        assert check_logo(bytes(damaged)).data == damaged
