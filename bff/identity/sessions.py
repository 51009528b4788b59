"""What ends a session token before its time, and what a host asserts to begin one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Protocol

if TYPE_CHECKING:
    from bff.identity.principal import Principal

LONGEST_SESSION: Final = timedelta(days=1)
"""No session token lives longer, so no word that ended one has to be kept longer."""

CLOCK_TOLERANCE: Final = timedelta(seconds=5)
"""So far may two clocks be apart: what another machine signed may seem to come from the future."""

LONGEST_ASSERTION: Final = timedelta(seconds=60)
"""A host's assertion is used at once or not at all: ``exp`` is at most so long after ``iat``."""


@dataclass(frozen=True)
class AssertionRule:
    """How a product's host asserts who is signed in: a JWT (RFC 7519) that it signs by a key of its own.

    ``issuer`` is compared exactly; so is ``audience``, the BFF's public URL when None. The public keys
    (RFC 7517) are ``keys``, or fetched from ``jwks_url``.
    """

    issuer: str
    audience: str | None = None
    jwks_url: str | None = None
    keys: tuple[Mapping[str, Any], ...] = ()


class SessionEnds(Protocol):
    """Where it is kept that a host has ended the sessions of a user."""

    def end(self, product: str, user: str, account: str | None, before: datetime) -> None:
        """End every session of this user that began until ``before``: of one account, or of all."""

    def is_ended(self, principal: Principal, issued_at: datetime) -> bool:
        """Whether a session of this principal that began then has been ended."""

    def is_forgotten(self, issued_at: datetime) -> bool:
        """Whether the database was restored since then: what was used or ended meanwhile is not known."""


class HostAssertions(Protocol):
    """Who reads what a host asserts."""

    def use(self, product: str, unverified: str) -> Mapping[str, Any]:
        """The claims of an assertion for ``product``, which is used up by this.

        Raises ``NotSignedIn`` for anything but a sound one, or ``KeysUnavailable``.
        """
