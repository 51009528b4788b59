"""Finds slips in the templates of a catalogue entry that would be sent to the third party as they are."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Final

from bff.partner.providers import templates
from bff.partner.providers.entries import CatalogueConnector

SET_BY_HTTP: Final = frozenset({"connection", "content-length", "host", "transfer-encoding"})
"""Headers that the HTTP client sets itself."""
_HEADER: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
"""Matches a header name (RFC 9110, section 5.6.2)."""
_OTHER_FORMS: Final = re.compile(r"[$%#]\{[^{}]*\}|\{\{[^{}]*\}\}")
"""Matches placeholders in the form of a shell, of Ruby, or of Mustache and Postman."""
_STRAY: Final = re.compile(r"[{}]")
_ADVICE: Final = "write {name}, with the name of a field or value, and nothing else around it"


def header_faults(table: str, headers: dict[str, str]) -> Iterator[str]:
    """Header names and values that cannot be sent."""
    seen: set[str] = set()
    for name, text in headers.items():
        if name.lower() in seen:
            yield f"{table}: {name.lower()} is there more than once"
        seen.add(name.lower())
        if not _HEADER.fullmatch(name):
            yield f"{table}: {name!r} is no name of a header"
        if name.lower() in SET_BY_HTTP:
            yield f"{table}: {name} is set by the service itself; leave it out"
        if not all(" " <= character <= "~" for character in text):
            yield f"{table}: {name}: holds characters that no header can carry"


def placeholder_faults(texts: Iterable[tuple[str, str]], known: set[str]) -> Iterator[str]:
    """Placeholders in another form than ``{name}``. ``known``: the names that the entry has a value for."""
    for place, text in texts:
        if found := _slip_in(place, text, known):
            yield f"{place}: {found!r} is sent as it is; {_ADVICE}"


def check_faults(
    item: CatalogueConnector, texts: Iterable[tuple[str, str]], secrets: set[str]
) -> Iterator[str]:
    """A check that sends none of ``secrets`` (names of values) would accept every value.

    A name that has no value is a fault of its own, so that a check with one is left alone.
    """
    if item.check is None or item.auth not in {"api_key", "basic", "client_credentials"}:
        return
    named = {name for place, text in texts if place.startswith("check.") for name in templates.names_in(text)}
    if not named & secrets and named <= {entry.name for entry in item.user_fields}:
        yield (
            "check: sends nothing of what the user typed, so that every value would count as right; use"
            f" {' or '.join(f'{{{name}}}' for name in sorted(secrets))} in it"
        )


def _slip_in(place: str, text: str, known: set[str]) -> str | None:
    """The first slip in a template. In parameters, other braces may be JSON or GraphQL."""
    if _is_json(text):
        return None
    names = "|".join(map(re.escape, sorted(known, key=len, reverse=True))) or "(?!)"
    if found := _OTHER_FORMS.search(text) or re.search(rf"\{{(?:{names})(?![\w.}}-])|<(?:{names})>", text):
        return found[0]
    stray = None if "params" in place else _STRAY.search(templates.NAME.sub("", text))
    return stray and stray[0]


def _is_json(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict | list)
    except (ValueError, RecursionError):
        return False
