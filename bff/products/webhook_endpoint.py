"""A product's webhook endpoint: its URL, the events it subscribes to, and its signing secrets."""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass
from typing import Final

from bff.common.secret import Secret

SETTLED, LATE_SUCCESS, TEST = "attempt.settled", "attempt.late_success", "webhook.test"
EVENT_TYPES: Final = (
    SETTLED,
    LATE_SUCCESS,
    "connection.connected",
    "connection.reconnected",
    "connection.needs_reconnect",
    "connection.disconnected",
)
"""The event types that an endpoint may subscribe to. ``webhook.test`` is sent on request only."""

SECRET_PREFIX: Final = "whsec_"  # noqa: S105  # how one begins
FEWEST_BYTES, MOST_BYTES = 24, 64
"""Length of a secret (Standard Webhooks, "Signature scheme")."""
MOST_SECRETS: Final = 4
MAKE_ONE: Final = 'make one with: echo "whsec_$(openssl rand -base64 32)"'
LONGEST_PATTERN: Final = 64


@dataclass(frozen=True)
class WebhookEndpoint:
    """An endpoint of a product. ``events`` are patterns. ``secrets`` are newest first; all of them sign."""

    product: str
    url: str
    events: tuple[str, ...]
    secrets: tuple[Secret, ...]

    @property
    def id(self) -> str:
        """A hash of product and URL, so that an endpoint keeps its id when its secrets or events change."""
        return "whk_" + hashlib.sha256(f"{self.product}\n{self.url}".encode()).hexdigest()[:24]


def wants(patterns: tuple[str, ...] | list[str], event_type: str) -> bool:
    """Whether one of the patterns matches the event type. ``*`` matches any text."""
    return any(_matches(pattern, event_type) for pattern in patterns)


def pattern_fault(pattern: str) -> str | None:
    """Say why a pattern matches no event type. None if it matches one."""
    if len(pattern) <= LONGEST_PATTERN and any(_matches(pattern, known) for known in EVENT_TYPES):
        return None
    return f"{pattern[:LONGEST_PATTERN]!r} is no event; write * or one of: {', '.join(EVENT_TYPES)}"


def secret_fault(text: str) -> str | None:
    """Say why ``text`` is no signing secret. None if it is one."""
    if not text.startswith(SECRET_PREFIX):
        return f"does not begin with {SECRET_PREFIX}; {MAKE_ONE}"
    try:
        key = base64.b64decode(text.removeprefix(SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        return f"is no base64 after {SECRET_PREFIX}; {MAKE_ONE}"
    if not FEWEST_BYTES <= len(key) <= MOST_BYTES:
        return f"has {len(key)} bytes, and needs {FEWEST_BYTES} to {MOST_BYTES}; {MAKE_ONE}"
    return None


def _matches(pattern: str, event_type: str) -> bool:
    # Not a regular expression, which backtracks for very long on a pattern of many stars.
    first, *middle = pattern.split("*")
    if not middle:
        return pattern == event_type
    last, place = middle.pop(), len(first)
    if not event_type.startswith(first):
        return False
    for part in middle:
        found = event_type.find(part, place)
        if found < 0:
            return False
        place = found + len(part)
    return event_type.endswith(last) and len(event_type) - len(last) >= place
