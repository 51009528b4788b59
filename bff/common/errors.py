"""All errors of the BFF, as one tree.

HitchpostError
├── InvalidRequest            the request is malformed, or cannot be served as it is
│   ├── UnknownConnector      the product does not offer this connector
│   ├── UnknownMessage        the product has no callback message of this name
│   └── OriginNotRegistered   the product has not registered the origin
├── NotSignedIn               no principal: the token is missing, expired or forged
├── KeysUnavailable           the host's keys cannot be fetched, so its assertions cannot be verified
├── AccountOfAnotherProduct   the account at the partner service belongs to another product
├── NotFound                  no such object, or it belongs to another principal
├── NotAllowed                the product file does not permit this to the caller
├── Outdated                  the object was changed since the caller read it
├── LaunchRefused             the launch token, form or code is unknown, used or expired
├── TooLate                   what was to be chosen is no longer held: begin again
├── AnotherBrowser            another browser comes to a sign-in or form than the one that launched it
├── RateLimited               too many calls
├── LimitsUnavailable         calls cannot be counted, so this one is refused
├── StorageUnavailable        the database cannot be used now; nothing was changed
└── PartnerProblem            the partner service
    ├── PartnerUnavailable    does not answer, or sends a malformed response
    │   └── LaunchPostponed   is down at launch, or the launch is being tried already: try again
    ├── AccountUnknown        does not have this account
    ├── ConnectorUnavailable  does not have this connector
    ├── ConnectionNotFound    does not have this connection, or not for this account
    ├── NeedsReconnect        has no valid grant any more: a user must sign in again
    ├── NotSupportedByPartner does not offer this operation
    └── SeveralConnections    has several connections, and the request names none of them

Each class has a stable ``code`` and its HTTP status. The texts for users are in ``bff/content/locales``.
"""

from __future__ import annotations

from typing import ClassVar, Final, Literal, get_args

PageCode = Literal[
    "popup_blocked",
    "cancelled",
    "declined",
    "failed",
    "expired",
    "not_signed_in",
    "connector_unavailable",
    "partner_unavailable",
    "network",
    "invalid_request",
    "account_mismatch",
    "several_connections",
]
"""Why an attempt did not connect: the ``code`` that the widget reports to the host page.
``scripts/document.py`` generates the TypeScript union from it."""
PAGE_CODES: Final[tuple[PageCode, ...]] = get_args(PageCode)


class HitchpostError(Exception):
    """Base class. ``detail`` says what was wrong, where, and what to do instead."""

    code: ClassVar[str] = "internal_error"
    status: ClassVar[int] = 500
    """HTTP status of the response."""

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail)
        self.detail = detail


class InvalidRequest(HitchpostError):
    """The request is malformed, or cannot be served as it is."""

    code = "invalid_request"
    status = 422


class UnknownConnector(InvalidRequest):
    """The product, or this session, does not offer the connector."""

    code = "unknown_connector"
    status = 422


class UnknownMessage(InvalidRequest):
    """The product has no callback message of this name."""

    code = "unknown_message"
    status = 422


class OriginNotRegistered(InvalidRequest):
    """The product has not registered this origin."""

    code = "origin_not_allowed"
    status = 403


class NotSignedIn(HitchpostError):
    """The request carries no valid session."""

    code = "not_signed_in"
    status = 401


class KeysUnavailable(HitchpostError):
    """The host's public keys cannot be fetched now, so its assertion cannot be verified."""

    code = "keys_unavailable"
    status = 503


class AccountOfAnotherProduct(HitchpostError):
    """The account at the partner service belongs to a product with which this one does not share accounts."""

    code = "account_of_another_product"
    status = 403


class NotFound(HitchpostError):
    """No such object, or it belongs to another principal. The answer does not say which."""

    code = "not_found"
    status = 404


class NotAllowed(HitchpostError):
    """The product file does not permit this to the caller: see ``disconnect`` in docs/connections.md."""

    code = "not_allowed"
    status = 403


class Outdated(HitchpostError):
    """The object was changed since the caller read it: read it again, then decide."""

    code = "outdated"
    status = 409


class LaunchRefused(HitchpostError):
    """The launch token, form or code is unknown, used or expired, or no longer allowed. It is not said which.

    No longer allowed: nobody could begin its attempt now, as the session was ended, or the product changed.
    """

    code = "launch_refused"
    status = 410


class TooLate(HitchpostError):
    """The time to choose a third-party account is over; nothing was changed. The user has to begin again."""

    code = "expired"
    page_code: ClassVar[PageCode] = "expired"
    status = 410


class AnotherBrowser(HitchpostError):
    """A sign-in or its form came to another browser than the launching one. Nothing was connected."""

    code = "completed_elsewhere"
    status = 403


class RateLimited(HitchpostError):
    """Too many calls; ``Retry-After`` says when to try again. ``retry_after`` is in seconds."""

    code = "rate_limited"
    status = 429

    def __init__(self, detail: str = "", *, retry_after: float) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class LimitsUnavailable(HitchpostError):
    """The store of the rate limits is unreachable. Calls with a limit are refused until it is back."""

    code = "limits_unavailable"
    status = 503
    retry_after = 5.0


class StorageUnavailable(HitchpostError):
    """The database is unreachable, full, locked or too slow. Nothing was changed, so try again."""

    code = "storage_unavailable"
    status = 503
    retry_after = 5.0


class PartnerProblem(HitchpostError):
    """The partner service caused the failure. ``page_code``: the code that the widget reports to the page."""

    code = "partner_unavailable"
    status = 503
    page_code: ClassVar[PageCode] = "partner_unavailable"


class PartnerUnavailable(PartnerProblem):
    """The partner service did not answer in time, or sent a malformed response.

    ``retry_after`` is the number of seconds to wait before the next call. ``named`` means that the partner
    service itself sent it, not our circuit breaker. ``lasting`` means that a setting is wrong, so a retry
    fails as well. ``refused`` means that it answered and refused this request; the same request for another
    account may succeed.
    """

    code = "partner_unavailable"
    status = 503

    def __init__(
        self,
        detail: str = "",
        *,
        retry_after: float | None = None,
        named: bool = False,
        lasting: bool = False,
        refused: bool = False,
    ) -> None:
        super().__init__(detail)
        self.retry_after = retry_after
        self.named = named
        self.lasting = lasting
        self.refused = refused


class LaunchPostponed(PartnerUnavailable):
    """The launch could not be made yet, and its launch token was not used: try again.

    The partner service is unavailable, or another try of this launch is running.
    """

    status = 503


class AccountUnknown(PartnerProblem):
    """The partner service does not have this account, and this call does not create accounts."""

    code = "account_unknown"
    page_code = "connector_unavailable"
    status = 422


class ConnectorUnavailable(PartnerProblem):
    """The partner service does not have this connector, or cannot install it."""

    code = "connector_unavailable"
    page_code = "connector_unavailable"
    status = 502


class ConnectionNotFound(PartnerProblem):
    """No such connection, it has ended, or it belongs to another account. The answer does not say which."""

    code = "connection_not_found"
    page_code = "connector_unavailable"
    status = 404


class NeedsReconnect(PartnerProblem):
    """The connection's grant has expired or was revoked: a user must sign in again."""

    code = "needs_reconnect"
    page_code = "connector_unavailable"
    status = 409


class NotSupportedByPartner(PartnerProblem):
    """The partner service does not offer this operation. Cyclr, for one, never hands out access tokens."""

    code = "not_supported_by_partner"
    page_code = "connector_unavailable"
    status = 501


class SeveralConnections(PartnerProblem):
    """Several accounts of the connector are connected: say which one by ``connection``."""

    code = "several_connections"
    page_code = "several_connections"
    status = 409


EVERY: Final = tuple(
    kind for kind in list(globals().values()) if isinstance(kind, type) and issubclass(kind, HitchpostError)
)
"""All classes of the tree, in the order of this file."""
