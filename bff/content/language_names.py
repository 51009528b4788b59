"""English names of languages for the Studio, and checks of language tags.

Sources: BCP 47 (RFC 5646); names, languages (ISO 639) and regions (ISO 3166-1) as in Unicode's CLDR.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from bff.content.wording import ANY, canonical, is_tag

_READ: Final[dict[str, Any]] = tomllib.loads(
    (Path(__file__).parent / "languages.toml").read_text(encoding="utf-8")
)
_LANGUAGES: Final[Mapping[str, str]] = _READ["languages"]
_REGIONS: Final[Mapping[str, str]] = _READ["regions"]
_LONG: Final[Mapping[str, str]] = _READ["long"]
_PARTS: Final = {
    "Hans": "simplified", "Hant": "traditional", "Latn": "Latin", "Cyrl": "Cyrillic", "419": "Latin America",
}  # fmt: skip
_VARIANTS: Final = (
    "de-AT", "de-CH", "en-AU", "en-CA", "en-GB", "en-IE", "en-IN", "en-NZ", "en-US", "es-419",
    "es-AR", "es-CL", "es-CO", "es-ES", "es-MX", "fr-BE", "fr-CA", "fr-CH", "it-CH", "nl-BE",
    "pt-BR", "pt-PT", "sr-Cyrl", "sr-Latn", "zh-Hans", "zh-Hant", "zh-HK", "zh-TW",
)  # fmt: skip
"""Regional variants that the Studio offers."""
_MISTAKEN: Final = {"UK": "GB", "EN": "GB"}
"""Codes that are no regions, and the region that is meant."""
_PRIVATE_REGION: Final = re.compile(r"AA|Q[M-Z]|X[A-Z]|ZZ|EU|EZ|UN|[0-9]{3}")
_WHOLE: Final = re.compile(
    r"[a-z]{2,3}(?:-[a-z]{3}){0,3}(?:-[A-Z][a-z]{3})?(?:-(?P<region>[A-Z]{2}|[0-9]{3}))?"
    r"(?:-(?:[0-9][a-z0-9]{3}|[a-z0-9]{5,8}))*(?:-[0-9a-wyz](?:-[A-Za-z0-9]{2,8})+)*(?:-x(?:-[A-Za-z0-9]{1,8})+)?"
)
"""RFC 5646, section 2.1, in canonical case. No language of four or more letters is registered."""


def language(tag: str) -> str:
    """The English name of the language, or the tag itself if the name is unknown."""
    if tag == ANY:
        return "every language"
    first, *rest = tag.split("-")
    name = _LANGUAGES.get(first)
    if name is None:
        return tag
    kind = [_PARTS.get(part) or _REGIONS.get(part) or part for part in rest]
    return f"{name} ({', '.join(kind)})" if kind else name


@cache
def every_language() -> tuple[tuple[str, str], ...]:
    """Tag and name of the languages that the Studio offers, sorted by name."""
    return tuple(
        sorted(((tag, language(tag)) for tag in (*_LANGUAGES, *_VARIANTS)), key=lambda pair: pair[1])
    )


def is_language(tag: str) -> bool:
    """Whether the tag names a known language. Case, ``_`` for ``-``, and the region do not matter."""
    first = canonical(tag).partition("-")[0] if is_tag(tag) else ""
    return first in _LANGUAGES or (len(first) == 3 and first not in _LONG)


def tag_fault(text: str) -> str | None:
    """Say why ``text`` is no language tag (BCP 47), and what to write instead. None if it is one."""
    shown = text if len(text) <= 40 else text[:40] + "…"
    if not is_language(text):
        return f"{shown!r} is no language tag; {_instead(text)}"
    tag = canonical(text)
    match = _WHOLE.fullmatch(tag)
    if match is None:
        return f"{shown!r} is no language tag; write {tag.partition('-')[0]}, say"
    region = match["region"]
    if region and region not in _REGIONS and not _PRIVATE_REGION.fullmatch(region):
        meant = _MISTAKEN.get(region)
        start = tag.partition("-")[0]
        instead = f"write {start}-{meant}" if meant else f"write {start} alone, say"
        return f"{shown!r} is no language tag: there is no region {region}; {instead}"
    return None


def _instead(text: str) -> str:
    wanted = text.strip().casefold().replace("_", "-").partition("-")[0]
    for tag, name in (*_OWN_NAMES.items(), *_LANGUAGES.items()):
        if wanted and wanted in {name.casefold(), _LONG_OF.get(tag)}:
            return f"write {tag} for {_LANGUAGES[tag]}"
    if wanted in _LONG:
        return f"write {_LONG[wanted]} for {_LANGUAGES[_LONG[wanted]]}"
    return "write one such as de or pt-BR"


_OWN_NAMES: Final = {
    "ar": "العربية", "de": "Deutsch", "es": "Español", "fr": "Français", "it": "Italiano", "ja": "日本語",
    "nl": "Nederlands", "pl": "Polski", "pt": "Português", "zh": "中文",
}  # fmt: skip
_LONG_OF: Final = {short: long for long, short in _LONG.items()}
