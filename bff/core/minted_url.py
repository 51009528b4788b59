"""How long a minted URL gets: everything on its way takes 2,000 characters, and not everything takes more."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

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
    longest = max(url_length(service_url, origin, wire) for origin in origins for wire in wires)
    if longest <= MOST:
        return []
    return [
        (
            f"the sign-in URL that carries it would have {longest} characters, {longest - MOST} more than the"
            f" {MOST} that every browser takes; shorten it (a letter beyond a-z counts for up to twelve)"
        )
    ]
