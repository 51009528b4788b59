"""What the pages say: texts from ``locales``, in the language that ``Accept-Language`` asks for."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bff.partner.errors import Reason

_FOLDER: Final = Path(__file__).parent / "locales"
FALLBACK: Final = "en"
LOCALES: Final = (FALLBACK, *sorted({file.stem for file in _FOLDER.glob("*.toml")} - {FALLBACK}))
"""The languages that every text comes in, a file each; the first is for everybody else."""
LONGEST_HEADER: Final = 1000
MOST_TAGS: Final = 20
"""So many characters and languages of ``Accept-Language`` are read: nobody reads more."""
_QUALITY: Final = re.compile(r"q\s{0,3}=\s{0,3}([01](?:\.[0-9]{0,3})?)", re.IGNORECASE)
_ISOLATED: Final = "\u2068{}\u2069"
"""A text that keeps its own direction (Unicode's first strong isolate)."""


@dataclass(frozen=True)
class Words:
    """The texts in one language."""

    lang: str
    dir: str
    """The direction in which the language runs, for ``<html dir>``."""
    go_back: str
    close: str
    try_again: str
    end: str
    separator: str
    """Between the names of a list."""
    endings: Mapping[str, Mapping[str, str]]

    def ending(self, reason: Reason, names: Iterable[str] = ()) -> tuple[str, str]:
        """Title and explanation of a page. ``names`` are technical ones, inserted as they are."""
        text = self.endings[reason]
        return text["title"], text["explanation"].replace("{names}", self._listed(names))

    def _listed(self, names: Iterable[str]) -> str:
        if self.dir == "rtl":
            names = [_ISOLATED.format(name) for name in names]
        return self.separator.join(names)


def best(accept_language: str) -> Words:
    """The words for an ``Accept-Language`` header (RFC 9110, 12.5.4): of its languages the most wanted.

    ``de-CH`` is served by ``de``, in its place of the order (werkzeug's own ``best_match`` would let a
    less wanted ``en`` win). Quality 0 refuses a language; ``*`` tells nothing (RFC 4647, section 3.4).
    """
    accepted = _accepted(accept_language)
    refused = {tag for tag, quality in accepted if quality == 0}
    for tag, quality in sorted(accepted, key=lambda pair: -pair[1]):
        base = tag.replace("_", "-").partition("-")[0]
        if quality > 0 and base in WORDS and base not in refused:
            return WORDS[base]
    return WORDS[LOCALES[0]]


def _accepted(header: str) -> list[tuple[str, float]]:
    found = []
    for item in header[:LONGEST_HEADER].split(",")[:MOST_TAGS]:
        tag, _, parameter = item.partition(";")
        given = _QUALITY.fullmatch(parameter.strip())
        # What is no quality is passed over with its language, as nobody knows what was meant.
        if given is not None or not parameter.strip():
            found.append((tag.strip().lower(), float(given[1]) if given else 1.0))
    return found


def _read(lang: str) -> Words:
    found: dict[str, Any] = tomllib.loads((_FOLDER / f"{lang}.toml").read_text(encoding="utf-8"))
    single = {name: found.pop(name) for name in ("dir", "go_back", "close", "try_again", "end", "separator")}
    return Words(lang=lang, endings=found, **single)


WORDS: Final[Mapping[str, Words]] = {lang: _read(lang) for lang in LOCALES}
