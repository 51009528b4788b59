"""Classifies third parties' errors: declined by the user, grant ended, temporary, or misconfigured."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, Literal

from bff.partner.providers.entries import CatalogueConnector
from bff.partner.providers.said import UNFIT, Said, code_of, in_one_spelling

Verdict = Literal["dead", "refused", "unclear", "passing"]
"""Of a failed refresh. ``dead``: the grant has ended. ``refused``: the next refresh is refused likewise, as
far as anybody can say. ``unclear``: something in front of the third party may have answered, such as its
proxy, its firewall or a maintenance page. ``passing``: the next refresh may succeed."""
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
_LATER: Final = re.compile(
    r"(?:rate|requests?|calls?|api|quota|usage|hourly|daily)[ _-]?limit|(?:quota|rate)[ _-]?exceeded|throttl"
    r"|too[ _-]?many[ _-]?(?:\w{1,20}[ _-])?(?:requests|attempts|calls|retries|tries|times)|too[ _-]?frequent"
    r"|\b(?:try|retry)\b.{0,20}\b(?:later|shortly|(?:in|after) (?:a |an hour|some |\d))|\bagain later"
    r"|\b(?:already|currently)[ _]being[ _](?:processed|refreshed)"
    r"|(?:refresh|request)[ _](?:is[ _])?(?:already[ _])?in[ _]progress"
    r"|\bretry (?:your|the|this) request|internal[ _-]?(?:server[ _-]?)?(?:error|failure)"
    r"|(?:request|gateway|upstream|connection)[ _-]?time(?:d[ _-]?|-)?out"
    r"|\b(?:under|for|in) (?:\w{1,20} )?maintenance|maintenance mode|overloaded"
    r"|(?:server|service|system) (?:is )?(?:too )?busy"
    r"|temporarily (?:un|not |down|blocked|locked|disabled)|service (?:is )?(?:currently )?unavailable",
    re.IGNORECASE,
)
"""Matches words of a rate limit, an outage or another refresh at work, whatever the code and the status."""
_EARLY: Final = re.compile(
    r"too[ _-]?early|\baccess[ _-]?token\b.{0,30}\b(?:not (?:yet )?expired|still (?:valid|active))",
    re.IGNORECASE,
)
"""Matches words of a third party that refreshes a token only when its life is over."""
_PROXY_WORDS: Final = frozenset(
    {
        "403",
        "404",
        "405",
        "406",
        "forbidden",
        "method_not_allowed",
        "not_acceptable",
        "not_found",
    }
)
"""Error codes that proxies and gateways write, which say nothing of a grant."""
_JUDGING: Final = frozenset({400, 401})
"""Statuses of token endpoints for a refused grant: RFC 6749, section 5.2."""
_SAYING: Final = frozenset({200, *_JUDGING})
"""Statuses of errors. Some third parties tell them with 200."""
_CONFLICTS: Final = frozenset({409, 423})
"""Statuses of a refresh that another one interferes with."""
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
    declined = DECLINED | {in_one_spelling(error) for error in item.declined_errors}
    errors = (answer.get(name, "") for name in ("error", "error_reason", "error_subcode", "error_code"))
    return any(in_one_spelling(error) in declined for error in errors)


def is_dead(item: CatalogueConnector, error: str, answer: Said | None = None) -> bool:
    """Whether the error of a refresh means that the grant has ended: its code, or the words of ``answer``."""
    codes = _codes(error)
    if codes & _own_words(item):
        return True
    if _says_later(f"{error} {answer.description or ''}" if answer else error):
        return False
    if codes & DEAD:
        return True
    words = f"{error} {answer.description or ''}" if answer and is_processed(answer.status) else error
    return (
        codes.isdisjoint(PASSING | _NEVER_ABOUT_TOKEN)
        and _ABOUT_TOKEN.search(words) is not None
        and _ABOUT_CLIENT.search(words) is None
    )


def verdict_of(item: CatalogueConnector | None, error: str, answer: Said | None) -> Verdict:
    """What a failed refresh says of its grant.

    With a status of temporary failures (408, 425, 429, 5xx), or headers of a rate limit, a code of ``DEAD``
    is only a refusal: it may be that of an outage. A word of the catalogue entry's own (``dead_refresh``)
    counts whatever else is said; then words of a rate limit or an outage. A request that cannot be built from
    the grant is refused: only another grant, or another entry, changes that.
    """
    codes = _codes(error)
    if item is not None and codes & _own_words(item):
        return "dead"
    if answer is not None and _says_later(f"{error} {answer.description or ''}"):
        return "passing"
    if answer is None or answer.asks_less or not is_processed(answer.status):
        return "refused" if codes & (DEAD | {UNFIT}) else "passing"
    if item is not None and is_dead(item, error, answer):
        return "dead"
    if codes & PASSING:
        return "passing"
    return "unclear" if _is_unclear(answer) else "refused"


def is_processed(status: int | None) -> bool:
    """False for the status of a temporary failure (408, 425, 429, 5xx), and without a response."""
    return status is not None and status < 500 and status not in {408, 425, 429}


def asks_to_wait(answer: Said) -> bool:
    """Whether the response reports a rate limit or an outage: by its headers, its code or its words."""
    error = answer.error or ""
    return (
        answer.asks_less
        or not _codes(error).isdisjoint(PASSING)
        or _says_later(f"{error} {answer.description or ''}")
    )


def is_definite(answer: Said) -> bool:
    """Whether a refusal says that the grant has ended, or anything with a status of refusals."""
    if _codes(answer.error or "") & DEAD:
        return True
    return (answer.error or answer.description) is not None and answer.status in _SAYING


def is_too_early(answer: Said) -> bool:
    """Whether the third party refuses to refresh because the access token is still valid."""
    return _EARLY.search(f"{answer.error or ''} {answer.description or ''}") is not None


def is_client_error(error: str) -> bool:
    """Whether the error concerns the client's configuration and not the user's grant."""
    return not _codes(error).isdisjoint(CLIENT_ERRORS)


def has_expired(error: str, description: str) -> bool:
    """Whether the error says that the grant expired."""
    return _EXPIRED.search(f"{error} {description}") is not None


def _says_later(words: str) -> bool:
    """Whether the words report a rate limit or an outage, and not the end of a refresh token."""
    later = _LATER.search(words) or _EARLY.search(words)
    return later is not None and _ABOUT_TOKEN.search(words) is None


def _is_unclear(answer: Said) -> bool:
    """Whether the response may not be the token endpoint's own."""
    status = answer.status or 0
    if status in _JUDGING:
        return False
    if 300 <= status < 400 or status in _CONFLICTS:
        return True
    if status < 300:
        return not answer.parsed
    return answer.error is None or in_one_spelling(answer.error) in _PROXY_WORDS


def _own_words(item: CatalogueConnector) -> set[str]:
    return {in_one_spelling(word) for word in item.dead_refresh}


def _codes(error: str) -> set[str]:
    # Some third parties append the description to the code, after a colon.
    return {in_one_spelling(error), code_of(error)}
