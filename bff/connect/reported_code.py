"""Finds the support codes and attempt ids in what a user sent or read out."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from bff.connect.new_attempt import SUPPORT_ALPHABET

_CODE: Final = re.compile(
    rf"(?=(?<![0-9A-Z])([{SUPPORT_ALPHABET}]{{4}})[\W_]*([{SUPPORT_ALPHABET}]{{4}})(?![0-9A-Z]))"
)
"""Two groups of four, with no letter or digit between them. Finds overlapping ones: a word may precede."""
_ID: Final = re.compile(r"att_[A-Za-z0-9_-]{24}")
_REQUEST: Final = re.compile(
    r"\breq_[0-9a-f]+|\b[0-9a-f]{24,64}\b|\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", re.IGNORECASE
)
"""The id of a request, as the BFF or a proxy in front of it makes it."""
_LONGEST: Final = 1000
"""Characters that are read."""


def codes_in(text: str) -> list[str]:
    """The support codes that ``text`` may mean, each as it is stored, in the order of the text.

    Mail programs put other dashes, people leave the hyphen out, type small letters or a blank after each
    letter, and paste a whole sentence.
    """
    found = [f"{first}-{second}" for first, second in _CODE.findall(_in_capitals(text))]
    letters = _letters_of(text)
    if len(letters) == 8 and set(letters) <= set(SUPPORT_ALPHABET):
        found.append(f"{letters[:4]}-{letters[4:]}")
    return list(dict.fromkeys(found))


def ids_in(text: str) -> list[str]:
    """What may be the id of an attempt: all of ``text``, then each part that looks like an id of the BFF."""
    return list(dict.fromkeys([text.strip(), *_ID.findall(text[:_LONGEST])]))


def not_found(text: str) -> str:
    """Say why no attempt was found by ``text``, and where to look instead."""
    if request := _REQUEST.search(text):
        return (
            f"{request[0]} is the id of a request, which has no attempt; search the log of the BFF for this"
            " request_id"
        )
    if not codes_in(text) and (misread := _misread(text)):
        return (
            f"there is no attempt {text!r}; a support code has no {' and no '.join(misread)}: ask for it once"
            " more, letter by letter"
        )
    return f"there is no attempt {text!r}; a support code looks like ABCD-2345"


def _misread(text: str) -> list[str]:
    """The characters that no support code has, if the text otherwise looks like one."""
    letters = _letters_of(text)
    return sorted(set(letters) - set(SUPPORT_ALPHABET)) if len(letters) == 8 else []


def _in_capitals(text: str) -> str:
    """The start of ``text`` in capitals, with characters of other widths as the usual ones."""
    return unicodedata.normalize("NFKC", text[:_LONGEST]).upper()


def _letters_of(text: str) -> str:
    """The letters and digits of ``text`` in capitals."""
    return "".join(filter(str.isalnum, _in_capitals(text)))
