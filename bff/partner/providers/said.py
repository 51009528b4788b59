"""What a third party said of a failure, fit to be shown to operators: never a secret that it was sent."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, Literal

from bff.partner.providers.dotted import plain_text, value_at

LONGEST_ERROR: Final = 100
LONGEST_DESCRIPTION: Final = 500
HIDDEN: Final = "[hidden]"
_SHORTEST_SECRET: Final = 6
"""Characters of what is a secret at all: a shorter text is in every sentence."""
_SHORTEST_PART: Final = 12
"""Characters of a secret that give something of it away."""
_ERRORS: Final = (
    "error",
    "error.code",
    "error.type",
    "error.status",
    "error.message",
    "errors.errorType",
    "errors.code",
    "errors.message",
    "errors.0",
    "error_code",
    "errorCode",
    "errcode",
    "code",
    "status",
)
"""Where third parties name an error: RFC 6749 says the first; the others are those of well-known APIs."""
_DESCRIPTIONS: Final = (
    "error_description",
    "error.message",
    "error.error_user_msg",
    "errors.message",
    "errorMessage",
    "error_message",
    "errmsg",
    "message",
    "detail",
)
_OPAQUE: Final = re.compile(r"[A-Za-z0-9_~+/=.-]{40,}")
"""So long a word without a blank may be a token."""

Endpoint = Literal["authorize", "token", "refresh", "userinfo", "revoke", "check"]


@dataclass(frozen=True)
class Said:
    """An answer: of which endpoint, its status where it had one, its error and what it says of it."""

    endpoint: Endpoint
    status: int | None
    error: str | None
    description: str | None

    def told(self) -> dict[str, Any]:
        """As the API tells it."""
        return {
            "Endpoint": self.endpoint,
            "Status": self.status,
            "Error": self.error,
            "Description": self.description,
        }


def of_answer(endpoint: Endpoint, status: int | None, document: Any, secrets: Iterable[str]) -> Said:
    """What an answer says of a failure, without ``secrets`` and what looks like one."""
    sent = [secret for secret in secrets if len(secret) >= _SHORTEST_SECRET]
    described = next(filter(None, (plain_text(value_at(document, path)) for path in _DESCRIPTIONS)), "")
    return Said(
        endpoint,
        status,
        legible(_without(error_in(document) or "", sent)) or None,
        legible(_without(described, sent), LONGEST_DESCRIPTION) or None,
    )


def error_in(document: Any) -> str | None:
    """The name of the error that a document tells, as it is there."""
    values = (value_at(document, path) for path in _ERRORS)
    return next(filter(None, (plain_text(value) for value in values if not isinstance(value, bool))), None)


def legible(text: str, longest: int = LONGEST_ERROR) -> str:
    """What may be kept and shown of a text: at most so many printable characters, or none."""
    return "".join(filter(str.isprintable, text[: 10 * longest])).strip()[:longest]


def _without(text: str, secrets: Iterable[str]) -> str:
    """Some third parties repeat what they were sent, whole or in part."""
    text = text[: 10 * LONGEST_DESCRIPTION]
    for secret in secrets:
        text = text.replace(secret, HIDDEN)
        for start in range(len(secret) - _SHORTEST_PART + 1):
            text = text.replace(secret[start : start + _SHORTEST_PART], HIDDEN)
    return _OPAQUE.sub(HIDDEN, text)
