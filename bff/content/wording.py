"""Chooses a language for a reader, and the most specific text in it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final, TypeVar

ANY: Final = "*"
"""In place of a connector key or language tag: any of them."""

FALLBACK: Final = "en"
_TAG: Final = re.compile(r"[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8})*(\.[A-Za-z0-9-]{1,16})?(@[A-Za-z0-9]{1,16})?")
_RIGHT_TO_LEFT: Final = frozenset({"ar", "arc", "ckb", "dv", "fa", "he", "ks", "ps", "sd", "ug", "ur", "yi"})
_RIGHT_TO_LEFT_SCRIPTS: Final = frozenset({"arab", "hebr", "thaa", "syrc", "nkoo", "adlm"})
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
    """The tag in canonical case, such as ``de-AT`` or ``zh-Hant-TW`` (RFC 5646, 2.1.1)."""
    tag = tag.partition(".")[0].partition("@")[0]
    language, *rest = tag.replace("_", "-").split("-")
    cased = [
        part.title() if len(part) == 4 else part.upper() if len(part) == 2 else part.lower() for part in rest
    ]
    return "-".join([language.lower(), *cased])


def ladder(tag: str) -> list[str]:
    """The tag and its more general ones, most specific first: zh-Hant-TW, zh-Hant, zh (RFC 4647, 3.4)."""
    parts = canonical(tag).split("-")
    return ["-".join(parts[:length]) for length in range(len(parts), 0, -1)]


def choose(wanted: Iterable[str], available: Iterable[str]) -> str:
    """The first of the wanted tags that is available, itself or more generally. ``FALLBACK`` if none is."""
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
    language, *rest = canonical(tag).split("-")
    scripts = {part.lower() for part in rest if len(part) == 4}
    right = scripts & _RIGHT_TO_LEFT_SCRIPTS if scripts else language in _RIGHT_TO_LEFT
    return "rtl" if right else "ltr"


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
