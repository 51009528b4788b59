"""Chooses a language for a reader, and the most specific text in it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final, TypeVar

from bff.content.related_languages import REPLACED, parent, script, similar, with_script

ANY: Final = "*"
"""In place of a connector key or language tag: any of them."""

FALLBACK: Final = "en"
_TAG: Final = re.compile(r"[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8})*(\.[A-Za-z0-9-]{1,16})?(@[A-Za-z0-9]{1,16})?")
_RIGHT_TO_LEFT: Final = frozenset(
    {"Adlm", "Arab", "Aran", "Armi", "Hebr", "Mand", "Nkoo", "Rohg", "Samr", "Syrc", "Thaa"}
)
"""Scripts (ISO 15924)."""
LONGEST_HEADER: Final = 1000
MOST_TAGS: Final = 20
"""Characters and languages of ``Accept-Language`` that are read."""
_WEIGHT: Final = re.compile(r"q=(0(?:\.\d{1,3})?|1(?:\.0{1,3})?)", re.ASCII)

Text = TypeVar("Text")
Place = tuple[str, str]
"""The connector key and language tag that a text is for. Each may be ``ANY``."""


def is_tag(text: str) -> bool:
    """Whether ``text`` has the form of a language tag (RFC 5646), at most 35 characters.

    It also accepts ``de_DE``, as in CLDR, Java, Django and Babel, and ``de_DE.UTF-8``, as in POSIX.
    """
    return len(text) <= 35 and _TAG.fullmatch(text) is not None


@lru_cache(1000)
def canonical(tag: str) -> str:
    """The tag in canonical form, such as ``de-AT`` or ``zh-Hant-TW`` (RFC 5646, 2.1.1 and 4.5).

    Deprecated codes of languages are replaced: ``he`` for ``iw``.
    """
    tag = tag.partition(".")[0].partition("@")[0]
    language, *rest = tag.replace("_", "-").split("-")
    cased = [
        part.title() if len(part) == 4 else part.upper() if len(part) == 2 else part.lower() for part in rest
    ]
    return "-".join([REPLACED.get(language.lower(), language.lower()), *cased])


@lru_cache(1000)
def ladder(tag: str) -> tuple[str, ...]:
    """The tags whose texts suit a reader of ``tag``, nearest first.

    They are those of a look-up (RFC 4647, 3.4), with their parents and synonyms in CLDR: es-MX, es-419, es;
    or zh-TW, zh-Hant-TW, zh-Hant, zh.
    """
    tag = canonical(tag)
    steps, step = [tag], with_script(tag)
    while step:
        steps += [step, *similar(step)]
        step = parent(step)
    return tuple(dict.fromkeys(steps))


def choose(wanted: Iterable[str], available: Iterable[str]) -> str:
    """The available tag nearest to the first wanted one that has any. ``FALLBACK`` if none has."""
    known = {canonical(tag) for tag in available}
    for tag in wanted:
        for step in ladder(tag) if is_tag(tag) else ():
            if step in known:
                return step
    return FALLBACK


def accepted(header: str) -> list[str]:
    """The tags of an ``Accept-Language`` header (RFC 9110, 12.5.4), by descending weight."""
    weighted: list[tuple[float, str]] = []
    for item in header[:LONGEST_HEADER].split(",")[:MOST_TAGS]:
        tag, _, parameter = (part.strip() for part in item.partition(";"))
        match = _WEIGHT.fullmatch(parameter.replace(" ", ""))
        weight = float(match[1]) if match else 1.0
        if is_tag(tag) and weight > 0:
            weighted.append((weight, tag))
    return [tag for _, tag in sorted(weighted, key=lambda pair: -pair[0])]


def direction(tag: str) -> str:
    """``rtl`` for a language or script that is written from right to left, else ``ltr``."""
    return "rtl" if script(canonical(tag)) in _RIGHT_TO_LEFT else "ltr"


def places(connector: str | None, locale: str) -> list[Place]:
    """The places to look for a text, in order of preference. The connector counts more than the language.

    First this connector in this language (most specific tag first), then this connector in any language, then
    any connector in this language, then any connector in any language.
    """
    languages = [*ladder(locale), ANY]
    connectors = [connector, ANY] if connector else [ANY]
    return [(one, language) for one in connectors for language in languages]


def closest(texts: Mapping[Place, Text], connector: str | None, locale: str) -> tuple[Place, Text] | None:
    """The first text of ``places``, with its place. None if there is none."""
    return next(((place, texts[place]) for place in places(connector, locale) if place in texts), None)
