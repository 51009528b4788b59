"""What third parties' errors mean: a user who said no, a grant that has ended, a trouble that passes."""

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
"""What third parties call a user's No. RFC 6749, section 4.1.2.1, has the first of them."""
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
"""What a refresh that can never succeed again is called. RFC 6749, section 5.2, has ``invalid_grant``."""
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
"""Errors of the third party's own, whatever their status: the same request may succeed later."""
OURS: Final = frozenset(
    {"invalid_client", "invalid_request", "invalid_scope", "unauthorized_client", "unsupported_grant_type"}
)
"""Errors that the operator can mend: no user has to sign in for them."""
_EXPIRED: Final = re.compile(r"expired|not active for|inactiv", re.IGNORECASE)
_ABOUT_TOKEN: Final = re.compile(
    r"\b(?:refresh[ _]?token|grant)\b.{0,60}\b(?:invalid|expired|revoked|unknown|not found|no longer)"
    r"|\b(?:invalid|expired|revoked|unknown|missing or unknown|active)\b.{0,30}\brefresh[ _]?token\b",
    re.IGNORECASE,
)
"""Words by which some explain an ended grant under the name of another error."""


def is_declined(item: CatalogueConnector, answer: Mapping[str, str]) -> bool:
    """Whether the parameters of a callback say that the user did not want to."""
    words = DECLINED | {_word(error) for error in item.declined_errors}
    said = (answer.get(name, "") for name in ("error", "error_reason", "error_subcode", "error_code"))
    return any(_word(error) in words for error in said)


def is_dead(item: CatalogueConnector, error: str, description: str) -> bool:
    """Whether the answer to a refresh says that the grant has ended."""
    words = DEAD | {_word(word) for word in item.dead_refresh}
    # Some put their words of it behind the name, after a colon.
    if {_word(error), _word(error.partition(":")[0])} & words:
        return True
    return _word(error) not in PASSING and _ABOUT_TOKEN.search(f"{error} {description}") is not None


def is_ours(error: str) -> bool:
    """Whether an error is about the client or its request, and none of the user's grant."""
    return _word(error) in OURS


def has_expired(error: str, description: str) -> bool:
    """Whether a grant has ended by its age, as far as its third party says."""
    return _EXPIRED.search(f"{error} {description}") is not None


def is_definite(status: int | None, error: str) -> bool:
    """Whether a refusal is more than a trouble that passes: the third party has looked at the request."""
    looked = status is not None and status < 500 and status not in {408, 425, 429}
    return looked and _word(error) not in PASSING


def _word(error: str) -> str:
    return re.sub(r"[\s-]+", "_", error.strip()).casefold()
