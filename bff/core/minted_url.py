"""How long a minted URL gets: everything on its way takes 2,000 characters, and not everything takes more."""

from __future__ import annotations

import json
from collections.abc import Iterable
from operator import le
from typing import Final
from urllib.parse import quote_plus

from bff.core import messages
from bff.core.errors import InvalidRequest
from bff.core.model import MessageTemplate
from bff.core.secret import Secret
from bff.core.sign_in_urls import sign_in_url

MOST: Final = 2000
"""Characters of a whole minted URL."""

TOKEN: Final = Secret("+" * 32)
"""Stands for a sign-in token that is not minted yet: 96 characters in a URL, longer than any real one seen
(the embedded service's have 88 at most when encoded; Cyclr documents none)."""

CONNECTOR_ID: Final = 9_999_999_999


def url_length(service_url: str, origin: str, wire: str) -> int:
    """Characters of the minted URL that has this callback message, by a token of the greatest length."""
    return len(sign_in_url(service_url, CONNECTOR_ID, TOKEN, origin, wire).reveal())


def require_short(service_url: str, origin: str, wire: str) -> None:
    """Raises ``InvalidRequest`` when this account's or user's id would make the URL too long."""
    if (length := url_length(service_url, origin, wire)) > MOST:
        raise InvalidRequest(
            f"message: the sign-in URL would have {length} characters, and {MOST} is the most that every"
            " browser takes; leave {account} or {user} out of the message, or shorten it"
        )


def longest_of(connectors: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Of connectors (keys and names) those that can make a message longest, whatever it says of them."""
    found: dict[tuple[int, ...], tuple[str, str]] = {}
    for pair in connectors:
        size = tuple(size for text in pair for size in (_encoded(text), _encoded(json.dumps(text))))
        if any(all(map(le, size, other)) for other in found):
            continue
        found = {other: kept for other, kept in found.items() if not all(map(le, other, size))}
        found[size] = pair
    return list(found.values())


def _encoded(text: str) -> int:
    return len(quote_plus(text))


def length_fault(
    template: MessageTemplate,
    service_url: str,
    origins: Iterable[str],
    connectors: Iterable[tuple[str, str]],
) -> list[str]:
    """Says by how much a message is too long, for accounts and users whose ids are of the usual length.

    ``connectors`` are keys and names; the longest URL counts. A sound template is expected.
    """
    wires = [
        messages.preview(template, {**messages.SAMPLE, "connector": key, "connector_name": name}).wire
        for key, name in connectors
    ]
    # Each is a part of the URL by itself: the longest are tried, not each with each.
    longest = url_length(service_url, max(origins, key=_encoded), max(wires, key=_encoded))
    if longest <= MOST:
        return []
    return [
        (
            f"the sign-in URL that carries it would have {longest} characters, {longest - MOST} more than the"
            f" {MOST} that every browser takes; shorten it (a letter beyond a-z counts for up to twelve)"
        )
    ]
