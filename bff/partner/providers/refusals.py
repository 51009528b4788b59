"""Classifies third parties' errors: declined by the user, grant ended, temporary, or misconfigured."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from bff.partner.providers.entries import CatalogueConnector

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
_EXPIRED: Final = re.compile(r"expired|not active for|inactiv", re.IGNORECASE)
_ABOUT_TOKEN: Final = re.compile(
    r"\b(?:refresh[ _]?token|grant)\b.{0,60}\b(?:invalid|expired|revoked|unknown|not found|no longer)"
    r"|\b(?:invalid|expired|revoked|unknown|missing or unknown|active)\b.{0,30}\brefresh[ _]?token\b",
    re.IGNORECASE,
)
"""Matches descriptions of an ended grant that come with an unrelated error code."""


def is_declined(item: CatalogueConnector, answer: Mapping[str, str]) -> bool:
    """Whether the callback parameters report that the user declined."""
    declined = DECLINED | {_normalised(error) for error in item.declined_errors}
    errors = (answer.get(name, "") for name in ("error", "error_reason", "error_subcode", "error_code"))
    return any(_normalised(error) in declined for error in errors)


def is_dead(item: CatalogueConnector, error: str, description: str) -> bool:
    """Whether the error of a refresh means that the grant has ended."""
    dead = DEAD | {_normalised(word) for word in item.dead_refresh}
    # Some third parties append the description to the code, after a colon.
    if {_normalised(error), _normalised(error.partition(":")[0])} & dead:
        return True
    return _normalised(error) not in PASSING and _ABOUT_TOKEN.search(f"{error} {description}") is not None


def is_client_error(error: str) -> bool:
    """Whether the error concerns the client's configuration and not the user's grant."""
    return _normalised(error) in CLIENT_ERRORS


def has_expired(error: str, description: str) -> bool:
    """Whether the error says that the grant expired."""
    return _EXPIRED.search(f"{error} {description}") is not None


def is_definite(status: int | None, error: str) -> bool:
    """Whether the refusal is final, not temporary. Statuses 408, 425, 429 and 5xx count as temporary."""
    processed = status is not None and status < 500 and status not in {408, 425, 429}
    return processed and _normalised(error) not in PASSING


def _normalised(error: str) -> str:
    return re.sub(r"[\s-]+", "_", error.strip()).casefold()
