"""Checks SVG logos against an allow-list (``svg_names.py``): shapes, text, gradients, clips and masks.

Anything else is refused, with its name and line: scripts, links, animation, external resources. Files whose
references multiply ("billion laughs") or form a circle are refused too: a browser could draw them for ever.
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
"""Elements that are drawn, each counted as often as it is referenced."""

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
    """Raise ``FaultyImage``, with the name and line of what was found, unless ``data`` is a harmless SVG."""
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
        """Add a child. One with an id, which others may reference, stays separate and is counted once."""
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
        """Raise ``FaultyImage`` if too much would be drawn. The depth-first sum visits each element once."""
        weighed: dict[int, tuple[int, int]] = {}
        begun: set[int] = set()
        stack = [self._root]
        while stack:
            element = stack[-1]
            if id(element) in weighed:
                stack.pop()
                continue
            parts = [*element.inside, *self._referred(element)]
            if id(element) not in begun:
                begun.add(id(element))
                missing = [part for part in parts if id(part) not in weighed]
                if any(id(part) in begun for part in missing):
                    raise FaultyImage(_CIRCLE)
                stack += missing
                continue
            stack.pop()
            sums = [weighed[id(part)] for part in parts]
            depths = [depth + (at >= len(element.inside)) for at, (_, depth) in enumerate(sums)]
            weighed[id(element)] = element.drawn + sum(weight for weight, _ in sums), max(depths, default=0)
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
        """Check the value of an attribute or style: it may reference parts of the same file only."""
        element.references += [match[2][1:] for match in _REFERENCE.finditer(text)]
        for suspect in _suspicious(_REFERENCE.sub("", text)):
            raise self._fault("a style that is not allowed", f"{suspect} in {where}")

    def _sheet(self, text: str) -> None:
        """Check a stylesheet. A rule with references may select by class only, so that they are countable."""
        self._value(_Element(), text, "element <style>")
        for rule in text.split("}"):
            selectors, _, body = rule.partition("{")
            references = [match[2][1:] for match in _REFERENCE.finditer(rule)]
            # Shared by all selectors: a copy for each would take quadratic memory.
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
    # Append the shorter list to the longer one, so that each item is copied at most log(n) times.
    longer, shorter = (first, second) if len(first) >= len(second) else (second, first)
    longer += shorter
    return longer


def _class(name: str) -> str:
    # A key of ``_known`` that no id can equal, as ids of references have no spaces.
    return f"class {name}"
