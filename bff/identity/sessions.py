"""Interfaces and limits of sessions: how a host's assertion begins one, and how one is ended early."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Protocol

if TYPE_CHECKING:
    from bff.identity.principal import Principal

LONGEST_SESSION: Final = timedelta(days=1)
"""Longest lifetime of a session token. Rows of ``ended_sessions`` are kept for as long."""

CLOCK_TOLERANCE: Final = timedelta(seconds=5)
"""Allowed difference between two machines' clocks, when a time of issue lies in the future."""

LONGEST_ASSERTION: Final = timedelta(seconds=60)
"""Longest lifetime of a host's assertion, from ``iat`` to ``exp``."""


@dataclass(frozen=True)
class AssertionRule:
    """How to verify the assertions of a product's host: JWTs (RFC 7519) that it signs by its own key.

    ``issuer`` and ``audience`` (None: the BFF's public URL) must equal the claims. The public keys (RFC 7517)
    are ``keys``, or fetched from ``jwks_url``.
    """

    issuer: str
    audience: str | None = None
    jwks_url: str | None = None
    keys: tuple[Mapping[str, Any], ...] = ()


class SessionEnds(Protocol):
    """Store of the sessions that hosts have ended before they expire."""

    def end(self, product: str, user: str, account: str | None, before: datetime) -> None:
        """End this user's sessions issued at or before ``before``: in one account, or in all for None."""

    def is_ended(self, principal: Principal, issued_at: datetime) -> bool:
        """Whether this principal's session issued at ``issued_at`` has been ended."""

    def is_forgotten(self, issued_at: datetime) -> bool:
        """Whether the database was restored from a backup after ``issued_at``, which ends all sessions."""


class HostAssertions(Protocol):
    """Verifier of host assertions."""

    def use(self, product: str, unverified: str) -> Mapping[str, Any]:
        """Verify an assertion for ``product`` and mark it as used. Returns its claims.

        Raises ``NotSignedIn`` if it is invalid or was used before, and ``KeysUnavailable``.
        """
