"""The texts of the pages, from ``locales``, in the language of the ``Accept-Language`` header."""

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
"""The available languages, one file each. The first is the fallback."""
LONGEST_HEADER: Final = 1000
MOST_TAGS: Final = 20
"""Limits on the characters and languages that are read from ``Accept-Language``."""
_QUALITY: Final = re.compile(r"q\s{0,3}=\s{0,3}([01](?:\.[0-9]{0,3})?)", re.IGNORECASE)
_ISOLATED: Final = "\u2068{}\u2069"
"""Isolates the text direction of a name (Unicode FSI and PDI)."""


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
    """Separates the names of a list."""
    endings: Mapping[str, Mapping[str, str]]

    def ending(self, reason: Reason, names: Iterable[str] = ()) -> tuple[str, str]:
        """The title and explanation of a page. ``names`` are inserted unchanged."""
        text = self.endings[reason]
        return text["title"], text["explanation"].replace("{names}", self._listed(names))

    def _listed(self, names: Iterable[str]) -> str:
        if self.dir == "rtl":
            names = [_ISOLATED.format(name) for name in names]
        return self.separator.join(names)


def best(accept_language: str) -> Words:
    """The texts for an ``Accept-Language`` header (RFC 9110, section 12.5.4), by the highest quality.

    ``de-CH`` selects ``de`` with the same quality. (werkzeug's ``best_match`` would prefer an exact match of
    lower quality.) Quality 0 excludes a language. ``*`` is ignored (RFC 4647, section 3.4).
    """
    accepted = _accepted(accept_language)
    refused = {tag for tag, quality in accepted if quality == 0}
    for tag, quality in sorted(accepted, key=lambda pair: -pair[1]):
        base = tag.replace("_", "-").partition("-")[0]
        if quality > 0 and base in WORDS and base not in refused:
            return WORDS[base]
    return WORDS[LOCALES[0]]


def _accepted(header: str) -> list[tuple[str, float]]:
    accepted = []
    for item in header[:LONGEST_HEADER].split(",")[:MOST_TAGS]:
        tag, _, parameter = item.partition(";")
        quality = _QUALITY.fullmatch(parameter.strip())
        # A language with an invalid quality is ignored.
        if quality is not None or not parameter.strip():
            accepted.append((tag.strip().lower(), float(quality[1]) if quality else 1.0))
    return accepted


def _read(lang: str) -> Words:
    texts: dict[str, Any] = tomllib.loads((_FOLDER / f"{lang}.toml").read_text(encoding="utf-8"))
    single = {name: texts.pop(name) for name in ("dir", "go_back", "close", "try_again", "end", "separator")}
    return Words(lang=lang, endings=texts, **single)


WORDS: Final[Mapping[str, Words]] = {lang: _read(lang) for lang in LOCALES}
