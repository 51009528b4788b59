"""Session tokens: who is signed in, signed by the BFF for the page of the host that asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, Final

from itsdangerous import BadData, URLSafeTimedSerializer

from bff.core.errors import NotSignedIn
from bff.core.model import Principal, User
from bff.core.ports import AccountRef
from bff.core.secret import Secret
from bff.core.sessions import LONGEST_SESSION, SessionEnds

SALT: Final = "hitchpost.session.v2"
DEFAULT_LIFE: Final = timedelta(hours=1)


class SessionTokens:
    """Issues and reads session tokens. The newest key signs; every key verifies."""

    def __init__(self, keys: Sequence[Secret], clock: Callable[[], datetime], ends: SessionEnds) -> None:
        # itsdangerous wants the oldest key first, and signs with the last.
        self._serializer = URLSafeTimedSerializer(
            [key.reveal() for key in reversed(keys)],
            salt=SALT,
            signer_kwargs={"digest_method": sha256, "key_derivation": "hmac"},
        )
        self._clock = clock
        self._ends = ends

    def issue(self, principal: Principal, life: timedelta = DEFAULT_LIFE) -> tuple[Secret, datetime]:
        """A token for ``principal``, and when it ends."""
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
        """The principal of a token. Raises ``NotSignedIn``: it is expired, ended, forged or none at all."""
        try:
            claims: Any = self._serializer.loads(
                unverified_token, max_age=int(LONGEST_SESSION.total_seconds())
            )
        except BadData:
            raise NotSignedIn("the session token is expired or is not one of ours") from None
        if datetime.fromtimestamp(claims["exp"], UTC) <= self._clock():
            raise NotSignedIn("the session token is expired")
        connectors = claims["connectors"]
        principal = Principal(
            product=claims["product"],
            account=AccountRef(*claims["account"]),
            user=User(*claims["user"]),
            connectors=frozenset(connectors) if connectors is not None else None,
        )
        ended_before = self._ends.ended_before(principal)
        if ended_before is not None and datetime.fromtimestamp(claims["iat"], UTC) <= ended_before:
            raise NotSignedIn("the host has ended this session")
        return principal
