"""Extracts error details from third parties' responses for operators, with secrets redacted."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Literal

from bff.partner.providers.dotted import plain_text, value_at

if TYPE_CHECKING:
    # The server reads the catalogue before its workers patch ssl: requests must not be imported until then.
    from bff.partner.providers.transport import Reply

LONGEST_ERROR: Final = 100
LONGEST_DESCRIPTION: Final = 500
HIDDEN: Final = "[hidden]"
UNFIT: Final = "field_does_not_fit"
"""Error code of a request that could not be built: a placeholder has no value, or one that does not fit."""
_SHORTEST_SECRET: Final = 6
"""Minimum length, in characters, of a secret to redact. Shorter ones would match ordinary words."""
_SHORTEST_PART: Final = 12
"""Length, in characters, of the substrings of a secret that are redacted too."""
_ERRORS: Final = (
    "error",
    "error.code",
    "error.type",
    "error.status",
    "error.message",
    "errors.errorType",
    "errors.extensions.code",
    "errors.code",
    "errors.message",
    "errors.0",
    "error_code",
    "errorCode",
    "errcode",
    "code",
    "status",
)
"""Paths of the error code. The first is that of RFC 6749; the others are those of well-known APIs."""
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
"""Matches a word of 40 or more characters, which may be a token."""

Endpoint = Literal["authorize", "token", "refresh", "userinfo", "revoke", "check"]


@dataclass(frozen=True)
class Said:
    """A response: its endpoint, HTTP status if there was one, error code and error description.

    ``asks_less``: its headers report rate limiting. ``retry_after``: seconds until the next request is
    welcome, if they tell. ``parsed``: its body has the form of an API's.
    """

    endpoint: Endpoint
    status: int | None
    error: str | None
    description: str | None
    asks_less: bool = False
    retry_after: float | None = None
    parsed: bool = True

    def as_json(self) -> dict[str, Any]:
        """The details as the API returns them."""
        return {
            "Endpoint": self.endpoint,
            "Status": self.status,
            "Error": self.error,
            "Description": self.description,
        }


def of_answer(
    endpoint: Endpoint,
    status: int | None,
    document: Any,
    secrets: Iterable[str],
) -> Said:
    """Extract the error details of a response. Redacts ``secrets`` and whatever looks like a token."""
    sent = [secret for secret in secrets if len(secret) >= _SHORTEST_SECRET]
    description = next(filter(None, (plain_text(value_at(document, path)) for path in _DESCRIPTIONS)), "")
    return Said(
        endpoint,
        status,
        legible(_redacted(error_in(document) or "", sent)) or None,
        legible(_redacted(description, sent), LONGEST_DESCRIPTION) or None,
        parsed=document is not None,
    )


def of_reply(endpoint: Endpoint, reply: Reply, document: Any, secrets: Iterable[str]) -> Said:
    """The same, with what the headers of the response tell."""
    told = of_answer(endpoint, reply.status, document, secrets)
    return replace(told, asks_less=reply.asks_less, retry_after=reply.retry_after)


def error_in(document: Any) -> str | None:
    """The error code in a response document, unredacted. None if there is none."""
    values = (value_at(document, path) for path in _ERRORS)
    return next(filter(None, (plain_text(value) for value in values if not isinstance(value, bool))), None)


def code_of(error: str) -> str:
    """An error code in one spelling, without the description that some append after a colon."""
    return in_one_spelling(error.partition(":")[0])


def in_one_spelling(words: str) -> str:
    """Words in lower case, with an underscore for blanks and hyphens, in which third parties differ."""
    return re.sub(r"[\s-]+", "_", words.strip()).casefold()


def legible(text: str, longest: int = LONGEST_ERROR) -> str:
    """The printable characters of a text, at most ``longest`` of them."""
    return "".join(filter(str.isprintable, text[: 10 * longest])).strip()[:longest]


def _redacted(text: str, secrets: Iterable[str]) -> str:
    """Redact secrets: some third parties echo what they were sent, whole or in part."""
    text = text[: 10 * LONGEST_DESCRIPTION]
    for secret in secrets:
        text = text.replace(secret, HIDDEN)
        for start in range(len(secret) - _SHORTEST_PART + 1):
            text = text.replace(secret[start : start + _SHORTEST_PART], HIDDEN)
    return _OPAQUE.sub(HIDDEN, text)
