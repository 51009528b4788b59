"""Every way in which Hitchpost says no, as one tree.

HitchpostError
├── InvalidRequest            what was sent cannot be used
│   ├── UnknownConnector      the product does not offer this connector
│   ├── UnknownMessage        the product has no callback message of this name
│   └── OriginNotRegistered   the origin is none of the product's
├── NotSignedIn               no principal: no token, or one that is expired or forged
├── KeysUnavailable           the host's keys cannot be fetched, so nothing that it asserts is believed
├── AccountOfAnotherProduct   the partner service has the account for another product
├── NotFound                  no such thing, or none of this principal's
├── NotAllowed                the product's file does not let this caller do it
├── Outdated                  somebody else has changed it meanwhile
├── LaunchRefused             the launch token is unknown, used or past its time
├── CompletedElsewhere        another browser than the one that began came to complete a sign-in
├── RateLimited               too many calls for the time being
├── LimitsUnavailable         calls cannot be counted, so this one is not taken
├── StorageUnavailable        the database cannot be used now, so nothing was done
└── PartnerProblem            the partner service
    ├── PartnerUnavailable    did not answer, or not sensibly
    ├── AccountUnknown        does not have this account
    ├── ConnectorUnavailable  does not have this connector
    ├── ConnectionNotFound    does not have this connection, or it is none of the account's
    ├── NeedsReconnect        has no grant any more: a user has to sign in again
    ├── NotSupportedByPartner cannot do what was asked
    └── SeveralConnections    has several connections, and it was not said which one is meant

A class has a stable ``code`` and its HTTP status; the words for people are in ``bff/content/locales``.
``PAGE_CODES`` are what a page is told.
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
"""Why a connect did not end in a connection, as a page is told. ``scripts/document.py`` writes it for
TypeScript."""
PAGE_CODES: Final[tuple[PageCode, ...]] = get_args(PageCode)


class HitchpostError(Exception):
    """The root. ``detail`` says what was wrong, where, and what to do instead."""

    code: ClassVar[str] = "internal_error"
    status: ClassVar[int] = 500
    """Of an answer over HTTP."""

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail)
        self.detail = detail


class InvalidRequest(HitchpostError):
    """What was sent cannot be used as it is."""

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
    """The origin is none of those that the product registered."""

    code = "origin_not_allowed"
    status = 403


class NotSignedIn(HitchpostError):
    """Nobody is known to be signed in."""

    code = "not_signed_in"
    status = 401


class KeysUnavailable(HitchpostError):
    """The keys that the host signs with cannot be fetched now: nobody is signed in on a guess."""

    code = "keys_unavailable"
    status = 503


class AccountOfAnotherProduct(HitchpostError):
    """Two products meet at one account of the partner service, and their product file does not allow it."""

    code = "account_of_another_product"
    status = 403


class NotFound(HitchpostError):
    """No such thing, or none of this principal's: the two are not told apart."""

    code = "not_found"
    status = 404


class NotAllowed(HitchpostError):
    """The product's file leaves this to others: see ``disconnect`` in docs/connections.md."""

    code = "not_allowed"
    status = 403


class Outdated(HitchpostError):
    """Somebody else has changed it since the caller looked: look again, then decide."""

    code = "outdated"
    status = 409


class LaunchRefused(HitchpostError):
    """The launch token is unknown, already used or past its time: the three are not told apart."""

    code = "launch_refused"
    status = 410


class CompletedElsewhere(HitchpostError):
    """A sign-in came to its end in another browser than the one that began it: nothing was connected."""

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
    """Where calls are counted does not answer: what costs something is refused until it does."""

    code = "limits_unavailable"
    status = 503
    retry_after = 5.0


class StorageUnavailable(HitchpostError):
    """The database is away, full, locked or too slow: nothing was done or used up, so try again."""

    code = "storage_unavailable"
    status = 503
    retry_after = 5.0


class PartnerProblem(HitchpostError):
    """The partner service stood in the way. ``told`` is the code that its user is told."""

    code = "partner_unavailable"
    status = 503
    told: ClassVar[PageCode] = "partner_unavailable"


class PartnerUnavailable(PartnerProblem):
    """The partner service did not answer in time, or not sensibly.

    ``retry_after`` is in seconds, where the partner service ``named`` it, or the breaker before it. It is
    ``lasting`` where waiting mends nothing: a setting is wrong. ``refused``: it did answer, and refuses what
    it was asked; of another account it may take the same.
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
    """The partner service is away for the moment: the launch token is still good, try it again."""

    status = 503


class AccountUnknown(PartnerProblem):
    """The partner service does not have this account, and it is not to be made."""

    code = "account_unknown"
    told = "connector_unavailable"
    status = 422


class ConnectorUnavailable(PartnerProblem):
    """The partner service does not have this connector, or cannot install it."""

    code = "connector_unavailable"
    told = "connector_unavailable"
    status = 502


class ConnectionNotFound(PartnerProblem):
    """There is no such connection, it has ended, or it is none of this account's: they are not told apart."""

    code = "connection_not_found"
    told = "connector_unavailable"
    status = 404


class NeedsReconnect(PartnerProblem):
    """The connection's grant has ended: a user has to sign in again."""

    code = "needs_reconnect"
    told = "connector_unavailable"
    status = 409


class NotSupportedByPartner(PartnerProblem):
    """The partner service cannot do it. Cyclr gives access tokens to nobody, for one."""

    code = "not_supported_by_partner"
    told = "connector_unavailable"
    status = 501


class SeveralConnections(PartnerProblem):
    """Several accounts of the connector are connected: name the one that is meant as ``connection``."""

    code = "several_connections"
    told = "several_connections"
    status = 409


EVERY: Final = tuple(
    kind for kind in list(globals().values()) if isinstance(kind, type) and issubclass(kind, HitchpostError)
)
"""The whole tree, in the order of this file."""
