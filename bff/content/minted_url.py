"""Builds the minted URL, which signs one browser in at the partner service, and limits its length.

Browsers, proxies and servers all accept 2,000 characters; some refuse more.
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

LONGEST_TOKEN: Final = Secret("+" * 32)
"""Placeholder of a sign-in token that is not minted yet: 96 characters when encoded. The embedded service's
tokens have at most 88; Cyclr documents no length, and none seen was longer."""

LONGEST_CONNECTOR_ID: Final = 9_999_999_999

# NUL and other control characters may truncate the text on its way, and lone surrogates cannot be encoded.
# Tabs and line breaks arrive intact.
_UNFIT: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


def sign_in_url(
    service_url: str, account_connector_id: int, token: Secret, target: str, message: str | None
) -> Secret:
    """Build the one-time sign-in URL (Cyclr's documentation, "Build the URL to Redirect to").

    Every value is percent-encoded: a sign-in token is standard base64, and an unencoded ``+`` would arrive
    as a space. ``target`` is the origin that ``message`` is posted to. Without ``message`` it is a URL, to
    which the partner service redirects.
    """
    values = {"id": str(account_connector_id), "token": token.reveal(), "targetOrigin": target}
    if message is not None:
        values["callbackMessage"] = message
    return Secret(f"{service_url}{SIGN_IN_PATH}?{urlencode(values)}")


def url_length(service_url: str, target: str, callback_message: str | None) -> int:
    """Characters of the minted URL with this callback message, and the longest token and connector id."""
    return len(
        sign_in_url(service_url, LONGEST_CONNECTOR_ID, LONGEST_TOKEN, target, callback_message).reveal()
    )


REST: Final = url_length("", "", "")
"""Characters of a minted URL beside the service's URL, the target and the message. Of these, each character
becomes at most three when encoded, and each beyond ASCII at most twelve."""


def _surely_fits(service_url: str, target: str, callback_message: str | None) -> bool:
    """Whether the URL fits however its values are encoded, so that it need not be built to know."""
    values = target + (callback_message or "")
    return len(service_url) + REST + len(values) * (3 if values.isascii() else 12) <= MOST


def check_url_of_message(service_url: str, origin: str, callback_message: str) -> None:
    """Raise ``InvalidRequest`` if a rendered message cannot be sent in a sign-in URL.

    It may be too long, as long account or user ids can make it, or have control characters.
    """
    _check_url(
        "message",
        service_url,
        origin,
        callback_message,
        "leave {account} or {user} out of the message, or shorten it",
    )


def check_url_of_target(service_url: str, target: str, message: str | None) -> None:
    """Raise ``InvalidRequest`` if a sign-in URL cannot carry what a host's server chose.

    It may be too long, or the message may have control characters.
    """
    name = "target_origin" if message is None else "callback_message"
    _check_url(name, service_url, target, message, "shorten it")


def _check_url(name: str, service_url: str, target: str, callback_message: str | None, remedy: str) -> None:
    if callback_message is not None and (match := _UNFIT.search(callback_message)):
        raise InvalidRequest(f"{name}: there is a control character in it, {match[0]!a}; leave it out")
    if _surely_fits(service_url, target, callback_message):
        return
    if (length := url_length(service_url, target, callback_message)) > MOST:
        raise InvalidRequest(
            f"{name}: the sign-in URL would have {length} characters, and {MOST} is the most that every"
            f" browser takes; {remedy}"
        )


def longest_of(connectors: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """The connectors (pairs of key and name) that can make a message longest.

    A message may use key and name any number of times, as text or inside JSON. So a connector is left out if
    another one is at least as long in each of these four ways.
    """
    longest: dict[tuple[int, ...], tuple[str, str]] = {}
    for pair in connectors:
        size = tuple(
            size for text in pair for size in (_encoded_length(text), _encoded_length(json.dumps(text)))
        )
        if any(all(map(le, size, other)) for other in longest):
            continue
        longest = {other: kept for other, kept in longest.items() if not all(map(le, other, size))}
        longest[size] = pair
    return list(longest.values())


def _encoded_length(text: str) -> int:
    return len(quote_plus(text))


def longest_origin(origins: Iterable[str]) -> str:
    """The origin that makes the longest sign-in URL."""
    return max(origins, key=_encoded_length)


def length_fault(
    template: MessageTemplate,
    service_url: str,
    origins: Iterable[str],
    connectors: Iterable[tuple[str, str]],
) -> list[str]:
    """Say by how much a message is too long. Empty if it is not.

    Ids of accounts and users have the length of ``messages.SAMPLE``. ``connectors`` are pairs of key and
    name, of which the one with the longest URL counts. The template must have no faults.
    """
    wires = [
        messages.render_for(
            template, {**messages.SAMPLE, "connector": key, "connector_name": name}
        ).callback_message
        for key, name in connectors
    ]
    # Origin and message add up, so the longest of each give the longest URL.
    longest = url_length(service_url, longest_origin(origins), max(wires, key=_encoded_length))
    if longest <= MOST:
        return []
    return [
        (
            f"the sign-in URL that carries it would have {longest} characters, {longest - MOST} more than the"
            f" {MOST} that every browser takes; shorten it (a letter beyond a-z counts for up to twelve)"
        )
    ]
