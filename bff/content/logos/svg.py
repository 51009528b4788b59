"""SVG files that may be logos: shapes, text, gradients, clips and masks; nothing that acts or is elsewhere.

What is allowed is listed (``svg_names.py``); all else is refused by name and line. A file whose parts refer
to one another over and over is refused as well: drawing it could keep a browser busy for ever.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar
from xml.parsers import expat

from bff.content.logos.faulty_image import FaultyImage
from bff.content.logos.svg_names import ATTRIBUTES, ELEMENTS, FREE, FUNCTIONS, REASONS

MOST_DEPTH: Final = 64
MOST_DRAWN: Final = 20_000
"""So many elements may be drawn, each counted as often as it is referred to."""

_SVG: Final = "http://www.w3.org/2000/svg"
_XLINK_HREF: Final = "http://www.w3.org/1999/xlink href"
_XML: Final = "http://www.w3.org/XML/1998/namespace "
_FRAGMENT: Final = re.compile(r"#[\w.:-]+")
_REFERENCE: Final = re.compile(r"""url\(\s*(["']?)(#[\w.:-]+)\1\s*\)""", re.IGNORECASE)
_FUNCTION: Final = re.compile(r"(?<![\w-])([\w-]+) ?\(|\(")
_CLASS: Final = re.compile(r"\.([\w-]+)")
_CIRCLE: Final = "an SVG with parts that refer to one another in a circle; take one reference out"
_TOO_MUCH: Final = f"an SVG that draws more than {MOST_DRAWN} shapes; make it simpler"

Part = TypeVar("Part")


def check_svg(data: bytes) -> None:
    """Raises ``FaultyImage``, which says what was found and where, unless ``data`` is a harmless SVG."""
    checker = _Checker()
    try:
        checker.parser.Parse(data, True)
    except expat.ExpatError as error:
        raise FaultyImage(f"the SVG is no well-formed XML: {error}") from None
    checker.check_weight()


@dataclass
class _Element:
    name: str = ""
    id: str | None = None
    drawn: int = 0
    references: list[str] = field(default_factory=list)
    inside: list[_Element] = field(default_factory=list)
    text: list[str] = field(default_factory=list)

    def take_in(self, element: _Element) -> None:
        """Count what stands inside. One that others can refer to stays by itself, and is weighed once."""
        if element.id is not None:
            self.inside.append(element)
            return
        self.drawn += element.drawn
        self.references = _joined(self.references, element.references)
        self.inside = _joined(self.inside, element.inside)


class _Checker:
    def __init__(self) -> None:
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.parser.XmlDeclHandler = self._declaration
        self.parser.StartDoctypeDeclHandler = self._doctype
        self.parser.ProcessingInstructionHandler = self._instruction
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text
        self._root = _Element()
        self._open = [self._root]
        self._known: dict[str, _Element] = {}
        self._elements = 0

    def check_weight(self) -> None:
        """Raises ``FaultyImage`` if too much would be drawn. Each element is looked at once."""
        weighed: dict[int, tuple[int, int]] = {}
        begun: set[int] = set()
        waiting = [self._root]
        while waiting:
            element = waiting[-1]
            if id(element) in weighed:
                waiting.pop()
                continue
            parts = [*element.inside, *self._referred(element)]
            if id(element) not in begun:
                begun.add(id(element))
                missing = [part for part in parts if id(part) not in weighed]
                if any(id(part) in begun for part in missing):
                    raise FaultyImage(_CIRCLE)
                waiting += missing
                continue
            waiting.pop()
            found = [weighed[id(part)] for part in parts]
            depths = [depth + (at >= len(element.inside)) for at, (_, depth) in enumerate(found)]
            weighed[id(element)] = element.drawn + sum(weight for weight, _ in found), max(depths, default=0)
            if weighed[id(element)][1] > MOST_DEPTH:
                raise FaultyImage(_CIRCLE)
        if weighed[id(self._root)][0] > MOST_DRAWN:
            raise FaultyImage(_TOO_MUCH)

    def _referred(self, element: _Element) -> list[_Element]:
        return [self._known[name] for name in element.references if name in self._known]

    def _declaration(self, _version: str, encoding: str | None, _standalone: int) -> None:
        named = encoding or "utf-8"
        if named.lower() not in {"utf-8", "us-ascii"}:
            raise self._fault("an encoding other than UTF-8", named)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        namespace, _, local = name.rpartition(" ")
        if len(self._open) == 1 and (namespace, local) != (_SVG, "svg"):
            raise FaultyImage(f'the file is no SVG: its root is <{local}>, not <svg xmlns="{_SVG}">')
        if namespace != _SVG or local not in ELEMENTS:
            raise self._fault(_reason(namespace, local), f"element <{local}>")
        if len(self._open) > MOST_DEPTH:
            raise self._fault("too many elements one in another", f"element <{local}>")
        self._elements += 1
        if self._elements > MOST_DRAWN:
            raise FaultyImage(_TOO_MUCH)
        classes = [_class(name) for name in attributes.get("class", "").split()]
        element = _Element(local, attributes.get("id"), drawn=1, references=classes)
        for attribute, value in attributes.items():
            self._attribute(element, attribute, value)
        if element.id is not None and self._known.setdefault(element.id, element) is not element:
            raise self._fault("two elements of one id", f"id {element.id!r}")
        self._open.append(element)

    def _end(self, _name: str) -> None:
        element, parent = self._open.pop(), self._open[-1]
        if element.name == "style":
            self._sheet("".join(element.text))
        parent.take_in(element)

    def _text(self, text: str) -> None:
        if self._open[-1].name == "style":
            self._open[-1].text.append(text)

    def _attribute(self, element: _Element, name: str, value: str) -> None:
        local = name.rpartition(" ")[2]
        where = f"attribute {local} of <{element.name}>"
        if name in {"href", _XLINK_HREF}:
            if not _FRAGMENT.fullmatch(value.strip()):
                raise self._fault("a link to elsewhere", f"{where}, {value[:40]!r}")
            element.references.append(value.strip()[1:])
        elif local.lower().startswith("on"):
            raise self._fault("script", where)
        elif name in FREE or name.startswith(("data-", "aria-")) or name in {_XML + "space", _XML + "lang"}:
            pass
        elif name not in ATTRIBUTES:
            raise self._fault("what is not needed (save it as plain SVG)", where)
        else:
            self._value(element, value, where)

    def _value(self, element: _Element, text: str, where: str) -> None:
        """What an attribute or a rule says: no references but to parts of the file itself."""
        element.references += [match[2][1:] for match in _REFERENCE.finditer(text)]
        for found in _suspicious(_REFERENCE.sub("", text)):
            raise self._fault("a style that is not allowed", f"{found} in {where}")

    def _sheet(self, text: str) -> None:
        """A stylesheet's rules. Where one refers to something, it must be plain who does: by class only."""
        self._value(_Element(), text, "element <style>")
        for rule in text.split("}"):
            selectors, _, body = rule.partition("{")
            references = [match[2][1:] for match in _REFERENCE.finditer(rule)]
            # One for all of its selectors: each with a copy, the two lists' lengths would be multiplied.
            named = _Element(references=references)
            for selector in selectors.split(",") if references else ():
                match = _CLASS.fullmatch(selector.strip())
                if match is None or "{" in body:
                    raise self._fault("a style that is not allowed", f"url() for {selector.strip()[:40]!r}")
                known = self._known.setdefault(_class(match[1]), _Element())
                known.inside.append(named)

    def _doctype(self, *_: Any) -> None:
        raise self._fault("a DOCTYPE", "<!DOCTYPE>")

    def _instruction(self, target: str, _data: str) -> None:
        raise self._fault("an instruction", f"<?{target[:40]}?>")

    def _fault(self, what: str, where: str) -> FaultyImage:
        return FaultyImage(
            f"an SVG with {what}: {where}, in line {self.parser.CurrentLineNumber}; take it out"
        )


def _reason(namespace: str, local: str) -> str:
    if namespace != _SVG:
        return "something that is no SVG (save it as plain SVG)"
    return REASONS.get(local, "what a logo does not need")


def _suspicious(text: str) -> Iterator[str]:
    for sign in ("@", "\\", "<", "javascript:"):
        if sign in text.lower():
            yield sign
    for match in _FUNCTION.finditer(re.sub(r"\s+", " ", text)):
        if (match[1] or "").lower() not in FUNCTIONS:
            yield f"{(match[1] or '')[:40]}()"


def _joined(first: list[Part], second: list[Part]) -> list[Part]:
    # The shorter one moves: so nothing is copied more often than the logarithm of the file's length.
    longer, shorter = (first, second) if len(first) >= len(second) else (second, first)
    longer += shorter
    return longer


def _class(name: str) -> str:
    # No id that can be referred to has a space in it.
    return f"class {name}"
