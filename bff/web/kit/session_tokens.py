"""Session tokens, which the BFF signs for the page of a host's signed-in user."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from typing import Final

from itsdangerous import BadData, TimestampSigner, URLSafeTimedSerializer

from bff.common.errors import NotSignedIn
from bff.common.secret import Secret
from bff.identity.principal import AccountRef, Principal, User
from bff.identity.sessions import CLOCK_TOLERANCE, LONGEST_SESSION, SessionEnds

SALT: Final = "hitchpost.session.v2"
DEFAULT_LIFE: Final = timedelta(hours=1)
MOST_VERIFIED: Final = 10_000


def _signing_by(clock: Callable[[], datetime]) -> type[TimestampSigner]:
    """A signer that takes its timestamps from ``clock`` instead of the system clock."""

    class Signer(TimestampSigner):
        def get_timestamp(self) -> int:
            return int(clock().timestamp())

    return Signer


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
        # itsdangerous expects the oldest key first, and signs with the last.
        self._serializer = URLSafeTimedSerializer(
            [key.reveal() for key in reversed(keys)],
            salt=SALT,
            signer=_signing_by(clock),
            signer_kwargs={"digest_method": sha256, "key_derivation": "hmac"},
        )
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
        signed = self._serializer.dumps(claims)
        return Secret(signed if isinstance(signed, str) else signed.decode()), expires_at

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
            claims, signed_at = self._serializer.loads(unverified_token, return_timestamp=True)
        except BadData:
            raise NotSignedIn("the session token is expired or was not issued here") from None
        connectors = claims["connectors"]
        principal = Principal(
            product=claims["product"],
            account=AccountRef(*claims["account"]),
            user=User(*claims["user"]),
            connectors=frozenset(connectors) if connectors is not None else None,
        )
        issued_at, expires_at = (datetime.fromtimestamp(claims[name], UTC) for name in ("iat", "exp"))
        return _Session(principal, signed_at, issued_at, expires_at)
