"""Recognizes responses that mean an access token or an API key is no longer valid."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Final

from bff.partner.providers import refusals
from bff.partner.providers.entries import CatalogueConnector
from bff.partner.providers.said import Said, code_of

_CODES: Final = frozenset(
    {
        "access_token_expired",
        "access_token_invalid",
        "access_token_revoked",
        "api_key_expired",
        "api_key_invalid",
        "api_key_not_found",
        "authentication_error",
        "authentication_failed",
        "authentication_required",
        "bad_token",
        "expired_access_token",
        "invalid_access_token",
        "invalid_api_key",
        "invalid_auth",
        "invalid_auth_token",
        "invalid_authentication",
        "invalid_credentials",
        "invalid_key",
        "invalid_session_id",
        "key_revoked",
        "not_authed",
        "not_authenticated",
        "revoked",
        "revoked_access_token",
        "revoked_token",
        "token_invalid",
        "unauthenticated",
        "user_removed_from_team",
    }
)
"""Error codes for the credentials of a request, beside those of ``refusals.DEAD``.

They are not in ``refusals.DEAD``: at a token endpoint some of them concern the client.
"""
_AS_UNAUTHORIZED: Final = frozenset({"401", "unauthorized"})
"""Error codes that mean the same with a successful status. With 403 they may mean a missing permission."""
_CREDENTIALS: Final = (
    r"(?:api[ _-]?keys?|access[ _-]?tokens?|auth(?:entication|orization)?[ _-]?tokens?|credentials)"
)
_INVALID: Final = (
    r"(?:invalid|not valid|no longer valid|expired|revoked|deleted|disabled|unknown|not found|incorrect"
    r"|error validating)"
)
_WORDS: Final = re.compile(
    rf"\b{_CREDENTIALS}\b[^.]{{0,40}}\b{_INVALID}\b|\b{_INVALID}\b[^.]{{0,20}}\b{_CREDENTIALS}\b",
    re.IGNORECASE,
)
"""Matches descriptions that call the credentials invalid, such as Google's "API key not valid"."""


def is_dead(item: CatalogueConnector, answer: Said) -> bool:
    """Whether the response to a request with an access token or a key means that it is no longer valid.

    True for status 401, and for an error that says so with another status: Slack sends it with 200, Facebook
    and Google with 400. Not for temporary failures (408, 425, 429, 5xx, a rate limit in words or headers).
    """
    if answer.status is None or not refusals.is_processed(answer.status) or refusals.asks_to_wait(answer):
        return False
    if answer.status == HTTPStatus.UNAUTHORIZED or _says_dead(item, answer.error, answer.description):
        return True
    return answer.status < 300 and code_of(answer.error or "") in _AS_UNAUTHORIZED


def _says_dead(item: CatalogueConnector, error: str | None, description: str | None = None) -> bool:
    """Whether an error code or its description means that the access token or key is no longer valid."""
    code = code_of(error or "")
    if code in _CODES or refusals.is_dead(item, error or ""):
        return True
    return _WORDS.search(f"{error or ''} {description or ''}") is not None
