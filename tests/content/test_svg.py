"""Which SVG files may be logos: shapes and text; nothing that acts, or reaches out, or never ends."""

from __future__ import annotations

import re
from typing import Final

import pytest

from bff.content.logos.logo import FaultyImage, check_logo
from bff.content.logos.svg import MOST_DEPTH, MOST_DRAWN
from tests.support.pictures import NS, XLINK, svg

GOOD: Final = {
    "many-parts": svg(
        '<defs><linearGradient id="a"><stop offset="0" stop-color="#fff"/></linearGradient>'
        '<clipPath id="c"><rect width="9" height="9"/></clipPath><g id="u"><path d="M0 0"/></g></defs>'
        "<style>.x{fill:url(#a);clip-path:url('#c')} .y{fill:rgb(1 2 3)}</style>"
        '<g class="x" transform="translate (1 2) rotate(3)"><use xlink:href="#u"/><use href=" #u "/></g>'
        '<text style="fill: #fff" aria-label="A (B)" data-name="@">A &amp; B</text>',
    ),
    "declaration": b'<?xml version="1.0" encoding="UTF-8"?>\n<!-- drawn -->\n' + svg("<g/>"),
    "declaration-without-encoding": b'<?xml version="1.0"?>' + svg("<g/>"),
    "ascii": b'<?xml version="1.0" encoding="US-ASCII"?>' + svg("<g/>"),
    "white-space-in-a-value": svg('<g transform="translate\n  (1 2)" fill="url(  \'#a\'\t)"/>'),
    "what-names-and-describes": svg('<g xml:space="preserve" xml:lang="de" role="img" lang="de"/>'),
    "a-style-for-two-classes": svg("<style>.x , .y-2 { fill: URL( #a ) }\n.z { fill: red }</style>"),
    "a-style-without-references-for-anything": svg("<style>g > path, #a { fill: red }</style>"),
    "text-that-is-only-text": svg("<text>url(//evil.example) javascript: @import</text>"),
    "the-deepest": svg("<g>" * (MOST_DEPTH - 1) + "</g>" * (MOST_DEPTH - 1)),
    "references-to-nothing": svg('<use href="#z"/>' * (MOST_DRAWN // 2 + 1)),
}


@pytest.mark.parametrize("data", GOOD.values(), ids=GOOD)
def test_a_drawing_may_be_a_logo(data: bytes) -> None:
    """As drawing programs save them."""
    assert check_logo(data).media_type == "image/svg+xml"


def refusal(data: bytes) -> str:
    """Why it cannot be a logo."""
    with pytest.raises(FaultyImage) as caught:
        check_logo(data)
    return str(caught.value)


def taken_out(data: bytes, what: str, where: str) -> None:
    """It is refused for this, with the place."""
    assert (
        re.sub(r"line \d+", "line N", refusal(data)) == f"an SVG with {what}: {where}, in line N; take it out"
    )


STYLE: Final = "a style that is not allowed"
ELSEWHERE: Final = "a link to elsewhere"
NO_SVG: Final = "something that is no SVG (save it as plain SVG)"
UNNEEDED: Final = "what is not needed (save it as plain SVG)"

ELEMENTS: Final = [
    ("<script>alert(1)</script>", "script", "script"),
    ('<s:script xmlns:s="http://www.w3.org/2000/svg"/>', "script", "script"),
    ('<h:script xmlns:h="http://www.w3.org/1999/xhtml"/>', NO_SVG, "script"),
    ('<h:g xmlns:h="http://www.w3.org/1999/xhtml"/>', NO_SVG, "g"),
    ('<script xmlns="">x</script>', NO_SVG, "script"),
    ("<foreignObject/>", "a page in it", "foreignObject"),
    ('<a href="javascript:alert(1)"><g/></a>', "a link", "a"),
    ('<image href="https://evil.example/a.png"/>', "an image from elsewhere", "image"),
    ('<image href="data:image/png;base64,AA"/>', "an image from elsewhere", "image"),
    ("<filter><feImage/></filter>", "what a logo does not need", "filter"),
    ('<set attributeName="href" to="x"/>', "animation", "set"),
    ('<animate attributeName="href"/>', "animation", "animate"),
    ("<g>" * MOST_DEPTH + "</g>" * MOST_DEPTH, "too many elements one in another", "g"),
]


@pytest.mark.parametrize(("inner", "what", "name"), ELEMENTS)
def test_an_element_that_acts_or_reaches_out_is_refused(inner: str, what: str, name: str) -> None:
    """By its name and why: its maker can find it and take it out."""
    taken_out(svg(inner), what, f"element <{name}>")


ATTRIBUTES: Final = [
    ('<g ONCLICK="x()"/>', "script", "ONCLICK of <g>"),
    ('<g xlink:onload="x()"/>', "script", "onload of <g>"),
    ('<use href="javascript:alert(1)"/>', ELSEWHERE, "href of <use>, 'javascript:alert(1)'"),
    ('<use xlink:href="other.svg#a"/>', ELSEWHERE, "href of <use>, 'other.svg#a'"),
    (
        '<use q:href="//evil.example/#a" xmlns:q="http://www.w3.org/1999/xlink"/>',
        ELSEWHERE,
        "href of <use>, '//evil.example/#a'",
    ),
    ('<use href="&#106;avascript:x"/>', ELSEWHERE, "href of <use>, 'javascript:x'"),
    ('<use href="data:image/svg+xml,x#a"/>', ELSEWHERE, "href of <use>, 'data:image/svg+xml,x#a'"),
    ('<g xml:base="https://evil.example/"/>', UNNEEDED, "base of <g>"),
    ('<g xlink:actuate="onLoad"/>', UNNEEDED, "actuate of <g>"),
    ('<g ev:event="x" xmlns:ev="http://www.w3.org/2001/xml-events"/>', UNNEEDED, "event of <g>"),
]


@pytest.mark.parametrize(("inner", "what", "where"), ATTRIBUTES)
def test_an_attribute_that_acts_or_reaches_out_is_refused(inner: str, what: str, where: str) -> None:
    """However it is spelt."""
    taken_out(svg(inner), what, f"attribute {where}")


STYLES: Final = [
    ("<style>@import 'x';</style>", "@ in element <style>"),
    ("<style><![CDATA[@import 'x';]]></style>", "@ in element <style>"),
    ("<style>g{fill:url(//evil.example)}</style>", "url() in element <style>"),
    ("<style>g{fill:UR\\4c(x)}</style>", "\\ in element <style>"),
    ("<style>g{fill:java<![CDATA[script]]>:x}</style>", "javascript: in element <style>"),
    ("<style>g{mask:url(#a)}</style>", "url() for 'g'"),
    ("<style>.x, g{mask:url(#a)}</style>", "url() for 'g'"),
    ("<style>.x .y{mask:url(#a)}</style>", "url() for '.x .y'"),
    ("<style>.x{.y{mask:url(#a)}}</style>", "url() for '.x'"),
    ("<g style=\"background:image-set('x' 1x)\"/>", "image-set() in attribute style of <g>"),
    ('<g style="width:expression(x)"/>', "expression() in attribute style of <g>"),
    ('<g style="width: (x)"/>', "() in attribute style of <g>"),
    ('<g style="fill: JavaScript:x"/>', "javascript: in attribute style of <g>"),
    ('<g style="&lt;/style>"/>', "< in attribute style of <g>"),
    ('<g fill="url( https://evil.example/#a )"/>', "url() in attribute fill of <g>"),
    ('<g fill="url(#a) url(b)"/>', "url() in attribute fill of <g>"),
    ('<g mask="url(&quot;data:x&quot;)"/>', "url() in attribute mask of <g>"),
]


@pytest.mark.parametrize(("inner", "where"), STYLES)
def test_a_style_that_acts_or_reaches_out_is_refused(inner: str, where: str) -> None:
    """A function that is not listed, another file; a reference of which it is not plain whose it is."""
    taken_out(svg(inner), STYLE, where)


LAUGHS: Final = (
    '<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>'
    f"<svg {NS}><text>&b;</text></svg>"
)
AROUND: Final = [
    (svg("", 'onload="alert(1)"'), "script", "attribute onload of <svg>"),
    (
        f'<x:svg xmlns:x="http://www.w3.org/2000/svg" {XLINK}><x:script/></x:svg>'.encode(),
        "script",
        "element <script>",
    ),
    (b'<?xml-stylesheet href="x.css"?>' + svg(""), "an instruction", "<?xml-stylesheet?>"),
    (LAUGHS.encode(), "a DOCTYPE", "<!DOCTYPE>"),
    (b'<!DOCTYPE svg SYSTEM "file:///etc/passwd">' + svg(""), "a DOCTYPE", "<!DOCTYPE>"),
    (b"<!DOCTYPE html><html></html>", "a DOCTYPE", "<!DOCTYPE>"),
    (b'<?xml version="1.0" encoding="utf-7"?>' + svg(""), "an encoding other than UTF-8", "utf-7"),
    (svg('<g id="a"/><g id="a"/>'), "two elements of one id", "id 'a'"),
]


@pytest.mark.parametrize(("data", "what", "where"), AROUND)
def test_a_file_that_is_more_than_one_drawing_is_refused(data: bytes, what: str, where: str) -> None:
    """What stands around the shapes, and how it is written, can act as well."""
    taken_out(data, what, where)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"<html><script>alert(1)</script></html>", "its root is <html>"),
        (b"<svg/>", "its root is <svg>, not <svg xmlns="),
        (f"<g {NS}/>".encode(), "its root is <g>"),
        (b"<!doctype html><p>logo.png", "well-formed XML"),
        (svg("&xxe;"), "well-formed XML: undefined entity"),
        (svg("")[:-3], "well-formed XML"),
        (svg("") + b"<script/>", "well-formed XML"),
    ],
)
def test_what_is_no_svg_at_all_is_refused_as_such(data: bytes, said: str) -> None:
    """A page that calls itself a logo, for example."""
    assert said in refusal(data)


def test_the_place_is_told_by_its_line() -> None:
    """As an editor counts them."""
    assert "element <script>, in line 4;" in refusal(svg("<g/>\n\n<script/>"))


@pytest.mark.parametrize(
    "long",
    [
        '<use href="{}"/>',
        "<?{}?>",
        "<style>{}{{mask:url(#a)}}</style>",
        '<g style="x:{}()"/>',
    ],
)
def test_of_something_long_only_the_beginning_is_repeated(long: str) -> None:
    """Forty characters are enough to find it."""
    said = refusal(svg(long.format("x" * 60)))
    assert "x" * 40 in said
    assert "x" * 41 not in said


WAYS: Final = {
    "use": ('<use href="#a"/>', 1, ""),
    "old-use": ('<use xlink:href="#a"/>', 1, ""),
    "attribute": ('<g fill="url(#a)"/>', 1, ""),
    "style": ("<g style=\"mask:url( '#a' )\"/>", 1, ""),
    "class": ('<g class="y x"/>', 1, "<style>.x{mask:url(#a)}</style>"),
    "one-class-of-two": ('<g class="x"/>', 1, "<style>.w, .x{mask:url(#a)}</style>"),
    "two-attributes": ('<g fill="url(#a)" mask="url(#a)"/>', 2, ""),
    "two-in-one": ('<g style="fill:url(#a);mask:url(#a)"/>', 2, ""),
    "class-and-attribute": ('<g class="x" fill="url(#a)"/>', 2, "<style>.x{mask:url(#a)}</style>"),
    "two-rules": ('<g class="x"/>', 2, "<style>.x{mask:url(#a)} .x{fill:url(#a)}</style>"),
}


@pytest.mark.parametrize(("one", "times", "style"), WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("last", [False, True])
def test_what_is_referred_to_is_drawn_each_time(one: str, times: int, style: str, last: bool) -> None:
    """By whatever way: it counts as often, and there is a most; the style may stand at the end (``last``)."""
    thousand = '<g id="a">' + "<g/>" * 999 + "</g>"
    spare = MOST_DRAWN - 1 - bool(style) - 1000 - 5 * (1 + 1000 * times)

    def drawing(more: int) -> bytes:
        shapes = thousand + one * 5 + "<g/>" * more
        return svg(shapes + style if last else style + shapes)

    assert check_logo(drawing(spare))
    assert f"draws more than {MOST_DRAWN} shapes" in refusal(drawing(spare + 1))


def test_what_would_be_drawn_for_ever_is_refused() -> None:
    """Thirty elements, each of which draws the next one twice."""
    twice = "".join(f'<g id="a{n}">{f"""<use href="#a{n + 1}"/>""" * 2}</g>' for n in range(30))
    assert f"draws more than {MOST_DRAWN} shapes" in refusal(svg(twice))


def chain(length: int) -> bytes:
    """Elements of which each draws the next."""
    links = "".join(f'<g id="a{n}"><use href="#a{n + 1}"/></g>' for n in range(length))
    return svg(f'{links}<g id="a{length}"/>')


@pytest.mark.parametrize(
    "data",
    [
        svg('<g id="a"><use href="#a"/></g>'),
        svg('<g id="a"><use href="#b"/></g><g id="b"><use href="#a"/></g>'),
        svg('<style>.m{mask:url(#m)}</style><mask id="m"><g class="m"/></mask>'),
        chain(MOST_DEPTH + 1),
    ],
)
def test_what_draws_itself_is_refused(data: bytes) -> None:
    """Directly, by way of another or of its style; a chain that is too long is called the same."""
    assert "in a circle" in refusal(data)


def test_a_chain_of_references_has_an_end() -> None:
    """The longest that is drawn."""
    assert check_logo(chain(MOST_DEPTH))
