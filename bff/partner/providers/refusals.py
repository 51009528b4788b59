"""Classifies third parties' errors: declined by the user, grant ended, temporary, or misconfigured."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, Literal

from bff.partner.providers.entries import CatalogueConnector
from bff.partner.providers.said import Said

Verdict = Literal["dead", "refused", "passing"]
"""Of a failed refresh. ``dead``: the grant has ended. ``refused``: the next refresh is refused likewise, as
far as anybody can say. ``passing``: it may succeed."""
DECLINED: Final = frozenset(
    {
        "access_denied",
        "authorization_declined",
        "cancel",
        "canceled",
        "cancelled",
        "consent_denied",
        "consent_declined",
        "denied",
        "login_cancelled",
        "permission_denied",
        "permissions_declined",
        "user_canceled",
        "user_cancelled",
        "user_cancelled_authorize",
        "user_cancelled_login",
        "user_declined",
        "user_denied",
        "user_rejected",
    }
)
"""Error codes of a sign-in that the user declined. RFC 6749, section 4.1.2.1, defines ``access_denied``."""
DEAD: Final = frozenset(
    {
        "account_inactive",
        "bad_refresh_token",
        "consent_required",
        "expired_refresh_token",
        "expired_token",
        "grant_revoked",
        "interaction_required",
        "invalid_grant",
        "invalid_refresh_token",
        "invalid_token",
        "login_required",
        "refresh_token_expired",
        "refresh_token_not_found",
        "refresh_token_revoked",
        "token_expired",
        "token_revoked",
        "unsupported_refresh_token",
    }
)
"""Error codes of a refresh that can never succeed. RFC 6749, section 5.2, defines ``invalid_grant``."""
PASSING: Final = frozenset(
    {
        "internal_error",
        "internal_server_error",
        "rate_limit_exceeded",
        "rate_limited",
        "ratelimited",
        "request_timeout",
        "server_error",
        "service_unavailable",
        "slow_down",
        "temporarily_unavailable",
        "too_many_requests",
        "unavailable",
    }
)
"""Error codes of temporary failures, whatever the status. The same request may succeed later."""
CLIENT_ERRORS: Final = frozenset(
    {"invalid_client", "invalid_request", "invalid_scope", "unauthorized_client", "unsupported_grant_type"}
)
"""Error codes of a misconfigured client. The operator has to act; a new sign-in does not help."""
_NEVER_ABOUT_TOKEN: Final = frozenset({"invalid_client", "invalid_scope", "unsupported_grant_type"})
"""Error codes that leave the grant alone, whatever their description mentions.

``unauthorized_client`` and ``invalid_request`` are not among them: some third parties send them for an ended
grant, with a description that says so.
"""
_EXPIRED: Final = re.compile(r"expired|not active for|inactiv", re.IGNORECASE)
_ABOUT_TOKEN: Final = re.compile(
    r"\b(?:refresh[ _]?token|grant)\b.{0,60}\b(?:invalid|expired|revoked|unknown|not found|no longer)"
    r"|\b(?:invalid|expired|revoked|unknown|missing or unknown|active)\b.{0,30}\brefresh[ _]?token\b",
    re.IGNORECASE,
)
"""Matches descriptions of an ended grant that come with an unrelated error code."""
_ABOUT_CLIENT: Final = re.compile(
    r"\bgrant[ _-]?types?\b|(?<!\banother )(?<!\bdifferent )\bclient(?:s|[ _-]?id)?\b", re.IGNORECASE
)
"""Matches descriptions that name the client or the grant type, but not "issued to another client"."""


def is_declined(item: CatalogueConnector, answer: Mapping[str, str]) -> bool:
    """Whether the callback parameters report that the user declined."""
    declined = DECLINED | {_normalised(error) for error in item.declined_errors}
    errors = (answer.get(name, "") for name in ("error", "error_reason", "error_subcode", "error_code"))
    return any(_normalised(error) in declined for error in errors)


def is_dead(item: CatalogueConnector, error: str, answer: Said | None = None) -> bool:
    """Whether the error of a refresh means that the grant has ended: its code, or the words of ``answer``."""
    codes = _codes(error)
    if codes & (DEAD | _own_words(item)):
        return True
    words = f"{error} {answer.description or ''}" if answer and _is_processed(answer.status) else error
    return (
        codes.isdisjoint(PASSING | _NEVER_ABOUT_TOKEN)
        and _ABOUT_TOKEN.search(words) is not None
        and _ABOUT_CLIENT.search(words) is None
    )


def verdict_of(item: CatalogueConnector | None, error: str, answer: Said | None) -> Verdict:
    """What a failed refresh says of its grant.

    With a status of temporary failures (408, 425, 429, 5xx), a code of ``DEAD`` is only a refusal: it may be
    that of an outage. A word of the catalogue entry's own (``dead_refresh``) counts whatever the status.
    """
    codes = _codes(error)
    if item is not None and codes & _own_words(item):
        return "dead"
    if answer is None or not _is_processed(answer.status):
        return "refused" if codes & DEAD else "passing"
    if item is not None and is_dead(item, error, answer):
        return "dead"
    return "passing" if codes & PASSING else "refused"


def is_client_error(error: str) -> bool:
    """Whether the error concerns the client's configuration and not the user's grant."""
    return not _codes(error).isdisjoint(CLIENT_ERRORS)


def has_expired(error: str, description: str) -> bool:
    """Whether the error says that the grant expired."""
    return _EXPIRED.search(f"{error} {description}") is not None


def _is_processed(status: int | None) -> bool:
    return status is not None and status < 500 and status not in {408, 425, 429}


def _own_words(item: CatalogueConnector) -> set[str]:
    return {_normalised(word) for word in item.dead_refresh}


def _codes(error: str) -> set[str]:
    # Some third parties append the description to the code, after a colon.
    return {_normalised(error), _normalised(error.partition(":")[0])}


def _normalised(error: str) -> str:
    return re.sub(r"[\s-]+", "_", error.strip()).casefold()
