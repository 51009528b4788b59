"""Which text a person reads: the language that suits them, and the closest text that there is in it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final, TypeVar

ANY: Final = "*"
"""In place of a connector or a language: whichever it is."""

FALLBACK: Final = "en"
_TAG: Final = re.compile(r"[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8})*(\.[A-Za-z0-9-]{1,16})?(@[A-Za-z0-9]{1,16})?")
_RIGHT_TO_LEFT: Final = frozenset({"ar", "arc", "ckb", "dv", "fa", "he", "ks", "ps", "sd", "ug", "ur", "yi"})
_RIGHT_TO_LEFT_SCRIPTS: Final = frozenset({"arab", "hebr", "thaa", "syrc", "nkoo", "adlm"})
LONGEST_HEADER: Final = 1000
MOST_TAGS: Final = 20
"""So many characters and languages of ``Accept-Language`` are read: nobody reads more."""
_WEIGHT: Final = re.compile(r"q=(0(?:\.\d{1,3})?|1(?:\.0{1,3})?)", re.ASCII)

Text = TypeVar("Text")
Place = tuple[str, str]
"""For whom a text is written: connector key and language tag, each of them ``ANY`` at need."""


def is_tag(text: str) -> bool:
    """Whether ``text`` has the form of a language tag (RFC 5646), at most 35 characters.

    ``de_DE`` is one too: so write Unicode's CLDR, Java, Django and Babel; and ``de_DE.UTF-8``, as POSIX does.
    """
    return len(text) <= 35 and _TAG.fullmatch(text) is not None


def canonical(tag: str) -> str:
    """The tag in its usual case, ``de-AT`` or ``zh-Hant-TW`` (RFC 5646, 2.1.1)."""
    tag = tag.partition(".")[0].partition("@")[0]
    language, *rest = tag.replace("_", "-").split("-")
    cased = [
        part.title() if len(part) == 4 else part.upper() if len(part) == 2 else part.lower() for part in rest
    ]
    return "-".join([language.lower(), *cased])


def ladder(tag: str) -> list[str]:
    """The tag and what it is a kind of, closest first: zh-Hant-TW, zh-Hant, zh (RFC 4647, 3.4)."""
    parts = canonical(tag).split("-")
    return ["-".join(parts[:length]) for length in range(len(parts), 0, -1)]


def choose(wanted: Iterable[str], available: Iterable[str]) -> str:
    """The first of the wanted tags that is available, itself or more generally; English when none is."""
    there = {canonical(tag) for tag in available}
    for tag in wanted:
        for step in ladder(tag) if is_tag(tag) else ():
            if step in there:
                return step
    return FALLBACK


def accepted(header: str) -> list[str]:
    """The tags of an ``Accept-Language`` header (RFC 9110, 12.5.4), the most wanted first."""
    found: list[tuple[float, str]] = []
    for item in header[:LONGEST_HEADER].split(",")[:MOST_TAGS]:
        tag, _, parameter = (part.strip() for part in item.partition(";"))
        match = _WEIGHT.fullmatch(parameter.replace(" ", ""))
        weight = float(match[1]) if match else 1.0
        if is_tag(tag) and weight > 0:
            found.append((weight, tag))
    return [tag for _, tag in sorted(found, key=lambda pair: -pair[0])]


def direction(tag: str) -> str:
    """``rtl`` for languages (or scripts) that are written from right to left, else ``ltr``."""
    language, *rest = canonical(tag).split("-")
    scripts = {part.lower() for part in rest if len(part) == 4}
    right = scripts & _RIGHT_TO_LEFT_SCRIPTS if scripts else language in _RIGHT_TO_LEFT
    return "rtl" if right else "ltr"


def places(connector: str | None, locale: str) -> list[Place]:
    """Where to look for a text, in the order of preference: the connector counts for more than the language.

    This connector in this language (closest first), this connector in any, every connector in this language,
    every connector in any.
    """
    languages = [*ladder(locale), ANY]
    connectors = [connector, ANY] if connector else [ANY]
    return [(one, language) for one in connectors for language in languages]


def closest(texts: Mapping[Place, Text], connector: str | None, locale: str) -> tuple[Place, Text] | None:
    """The text that stands nearest, and for whom it was written; None where there is none at all."""
    return next(((place, texts[place]) for place in places(connector, locale) if place in texts), None)
