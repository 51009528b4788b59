"""Session tokens, which the BFF signs for the page of a host's signed-in user."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final

from itsdangerous import BadData

from bff.common.errors import NotSignedIn
from bff.common.secret import Secret
from bff.identity.principal import AccountRef, Principal, User
from bff.identity.sessions import CLOCK_TOLERANCE, LONGEST_SESSION, SessionEnds
from bff.web.kit.timed_tokens import TimedTokens

SALT: Final = "hitchpost.session.v2"
DEFAULT_LIFE: Final = timedelta(hours=1)
MOST_VERIFIED: Final = 10_000


@dataclass(frozen=True)
class _Session:
    """The contents of a token with a valid signature."""

    principal: Principal
    signed_at: datetime
    issued_at: datetime
    expires_at: datetime


class SessionTokens:
    """Issues and reads session tokens. The newest key signs; every key verifies."""

    def __init__(self, keys: Sequence[Secret], clock: Callable[[], datetime], ends: SessionEnds) -> None:
        self._tokens = TimedTokens(keys, SALT, clock)
        self._clock = clock
        self._ends = ends
        # A polling page sends its token often, so verified signatures are cached. Expiry, and whether the
        # session was ended, are checked each time.
        self._verified = lru_cache(MOST_VERIFIED)(self._verify)

    def issue(self, principal: Principal, life: timedelta = DEFAULT_LIFE) -> tuple[Secret, datetime]:
        """Issue a token for ``principal``; return it and when it expires (UTC)."""
        now, user = self._clock(), principal.user
        expires_at = now + life
        claims = {
            "product": principal.product,
            "account": [principal.account.id, principal.account.name],
            "user": [user.id, user.name, user.email, user.locale],
            "connectors": sorted(principal.connectors) if principal.connectors is not None else None,
            "iat": now.timestamp(),
            "exp": expires_at.timestamp(),
        }
        return Secret(self._tokens.sign(claims)), expires_at

    def read(self, unverified_token: str) -> Principal:
        """The principal of a token. Raises ``NotSignedIn`` if it is expired, ended, forged or malformed."""
        session, now = self._verified(unverified_token), self._clock()
        age = now - session.signed_at
        if session.expires_at <= now or not -CLOCK_TOLERANCE <= age <= LONGEST_SESSION:
            raise NotSignedIn("the session token is expired")
        if self._ends.is_ended(session.principal, session.issued_at):
            raise NotSignedIn("the host has ended this session")
        return session.principal

    def _verify(self, unverified_token: str) -> _Session:
        try:
            claims, signed_at = self._tokens.verify(unverified_token)
        except BadData:
            raise NotSignedIn("the session token is expired or was not issued here") from None
        connectors = claims["connectors"]
        product, (account_id, account_name) = claims["product"], claims["account"]
        principal = Principal(
            product=product,
            account=AccountRef(account_id, account_name, product),
            user=User(*claims["user"]),
            connectors=frozenset(connectors) if connectors is not None else None,
        )
        issued_at, expires_at = (datetime.fromtimestamp(claims[name], UTC) for name in ("iat", "exp"))
        return _Session(principal, signed_at, issued_at, expires_at)
