"""Relates language tags where truncation does not: replaced codes, implied scripts, regional parents.

Source: the supplemental data of Unicode's CLDR: ``languageAlias``, ``likelySubtags``, ``parentLocales``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

REPLACED: Final = {"in": "id", "iw": "he", "ji": "yi", "jw": "jv", "mo": "ro", "sh": "sr-Latn"}
"""Deprecated codes of languages, which old Java and browsers still send."""
_SIMILAR: Final[Mapping[str, tuple[str, ...]]] = {
    "nb": ("no",), "nn": ("no", "nb"), "no": ("nb",), "fil": ("tl",), "tl": ("fil",),
    "sr-Cyrl": ("sr-RS",), "zh-Hans": ("zh-CN",), "zh-Hant": ("zh-TW",),
}  # fmt: skip
"""Tags whose texts a reader of the key understands as well."""
_WRITTEN_IN: Final = {
    "Arab": "ar arz ary apc azb bal ckb fa glk ks lrc mzn pnb prs ps sd sdh skr ug ur az-IQ az-IR ha-CM ha-SD"
    " kk-AF kk-CN kk-IR kk-MN ku-IQ ku-IR ku-LB ky-CN ms-CC pa-PK tg-PK uz-AF",
    "Armi": "arc",
    "Cyrl": "sr",
    "Deva": "sd-IN",
    "Hans": "zh",
    "Hant": "zh-AU zh-BN zh-GB zh-GF zh-HK zh-ID zh-MO zh-PA zh-PF zh-PH zh-SR zh-TH zh-TW zh-US zh-VN",
    "Hebr": "he lad yi",
    "Latn": "sr-ME sr-RO sr-TR",
    "Nkoo": "nqo",
    "Rohg": "rhg",
    "Syrc": "aii syr",
    "Thaa": "dv",
}
"""Languages, some in a region, by their likely script. Those that are written from left to right only are
left out, unless they have several scripts for which there are texts."""
_SCRIPTS: Final = {tag: script for script, tags in _WRITTEN_IN.items() for tag in tags.split()}
_REGIONS: Final = {
    "en-001": "150 AG AI AU BB BM BS BW BZ CC CK CM CX CY DG DM ER FJ FK FM GB GD GG GH GI GM GS GY HK ID"
    " IE IL IM IN IO JE JM KE KI KN KY LC LR LS MG MO MS MT MU MV MW MY NA NF NG NR NU NZ PG PK PN"
    " PW RW SB SC SD SG SH SL SS SX SZ TC TK TO TT TV TZ UG VC VG VU WS ZA ZM ZW",
    "en-150": "AT BE CH CZ DE DK EE ES FI FR GE HU IT LT LV NL NO PL PT RO SE SI SK UA",
    "es-419": "AR BO BR BZ CL CO CR CU DO EC GT HN JP MX NI PA PE PR PY SV US UY VE",
    "pt-PT": "AO CH CV FR GQ GW LU MO MZ ST TL",
    "zh-Hant-HK": "MO",
}
_PARENTS: Final = {
    f"{parent.rpartition('-')[0]}-{region}": parent
    for parent, regions in _REGIONS.items()
    for region in regions.split()
}
"""The parents of regional variants, where that is not the language alone."""
_PARTS: Final = re.compile(
    r"(?P<language>[a-z]+)(?P<extended>-[a-z]{3}\b)*(?:-(?P<script>[A-Z][a-z]{3}))?(?:-(?P<region>[A-Z]{2}|[0-9]{3}))?(?P<rest>-.*)?"
)


def script(tag: str) -> str:
    """The script that a canonical tag names or implies. Empty if it is not known, Latin for example."""
    if (parts := _PARTS.fullmatch(tag)) is None:
        return ""
    language, named, region = parts["language"], parts["script"], parts["region"]
    return named or _SCRIPTS.get(f"{language}-{region}") or _SCRIPTS.get(language, "")


def with_script(tag: str) -> str:
    """The tag with the script that it implies: zh-Hant-TW for zh-TW."""
    parts = _PARTS.fullmatch(tag)
    if parts is None or parts["script"] or parts["extended"] or not (implied := script(tag)):
        return tag
    language = parts["language"]
    return f"{language}-{implied}{tag.removeprefix(language)}"


def similar(tag: str) -> tuple[str, ...]:
    """Other tags for the same readers: zh-TW for zh-Hant-TW and for zh-Hant, no for nb."""
    parts = _PARTS.fullmatch(tag)
    if parts and parts["script"] and parts["region"]:
        without = tag.replace(f"-{parts['script']}", "", 1)
        return (without,) if with_script(without) == tag else ()
    return _SIMILAR.get(tag, ())


def parent(tag: str) -> str:
    """The next more general tag: es-419 for es-MX, es for es-419. Empty for a language alone."""
    return _PARENTS.get(tag) or tag.rpartition("-")[0]
