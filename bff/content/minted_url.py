"""The URL at the partner service that signs one browser in, and how long it may get.

Everything on its way takes 2,000 characters, and not everything takes more.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from operator import le
from typing import Final
from urllib.parse import quote_plus, urlencode

from bff.common.errors import InvalidRequest
from bff.common.secret import Secret
from bff.content import messages
from bff.content.product import MessageTemplate

SIGN_IN_PATH: Final = "/connectorauth/updateaccountconnectoroauth"

MOST: Final = 2000
"""Characters of a whole minted URL."""

TOKEN: Final = Secret("+" * 32)
"""Stands for a sign-in token that is not minted yet: 96 characters in a URL, longer than any real one seen
(the embedded service's have 88 at most when encoded; Cyclr documents none)."""

CONNECTOR_ID: Final = 9_999_999_999

# Tabs and line breaks arrive; NUL and its like end strings on their way, and halves of surrogate pairs have
# no form in a URL.
_UNFIT: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


def sign_in_url(
    service_url: str, account_connector_id: int, token: Secret, target: str, message: str | None
) -> Secret:
    """The one-time URL (Cyclr's documentation, "Build the URL to Redirect to").

    Every value is percent-encoded: a sign-in token is standard base64, and an unencoded ``+`` would arrive
    as a space. Without ``message`` the partner service redirects to ``target`` instead of posting.
    """
    values = {"id": str(account_connector_id), "token": token.reveal(), "targetOrigin": target}
    if message is not None:
        values["callbackMessage"] = message
    return Secret(f"{service_url}{SIGN_IN_PATH}?{urlencode(values)}")


def url_length(service_url: str, target: str, wire: str | None) -> int:
    """Characters of the minted URL that has this callback message, by a token of the greatest length."""
    return len(sign_in_url(service_url, CONNECTOR_ID, TOKEN, target, wire).reveal())


def require_short(service_url: str, origin: str, wire: str) -> None:
    """Raises ``InvalidRequest`` when this account's or user's id makes a URL that not everything takes."""
    _require_fit(
        "message", service_url, origin, wire, "leave {account} or {user} out of the message, or shorten it"
    )


def require_fit(service_url: str, target: str, message: str | None) -> None:
    """The same for a target and a message that a host's server chose by itself."""
    name = "target_origin" if message is None else "callback_message"
    _require_fit(name, service_url, target, message, "shorten it")


def _require_fit(name: str, service_url: str, target: str, wire: str | None, remedy: str) -> None:
    if wire is not None and (found := _UNFIT.search(wire)):
        raise InvalidRequest(f"{name}: there is a control character in it, {found[0]!a}; leave it out")
    if (length := url_length(service_url, target, wire)) > MOST:
        raise InvalidRequest(
            f"{name}: the sign-in URL would have {length} characters, and {MOST} is the most that every"
            f" browser takes; {remedy}"
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
