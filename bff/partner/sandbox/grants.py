"""In-memory store of authorization requests, codes and tokens."""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from bff.serving import base64url

REQUEST_SECONDS: Final = 1800.0
CODE_SECONDS: Final = 60.0
ACCESS_SECONDS: Final = 3600


@dataclass(frozen=True)
class AuthorizationRequest:
    """A valid authorization request that waits for the user's consent."""

    variant: str
    client_id: str
    redirect_uri: str
    scopes: tuple[str, ...]
    state: str
    challenge: str


@dataclass
class Grant:
    """A user's consent. ``code_ends``: when the code expires. A second use of the code revokes the grant."""

    request: AuthorizationRequest
    account: str
    code_ends: float
    code_used: bool = False
    revoked: bool = False


@dataclass(frozen=True)
class Tokens:
    """The tokens of a token response."""

    access: str
    refresh: str
    scopes: tuple[str, ...]


class Refused(Exception):
    """An OAuth error of the token endpoint (RFC 6749, section 5.2)."""

    def __init__(self, error: str) -> None:
        super().__init__(error)
        self.error = error


@dataclass
class Grants:
    """Stores the requests, codes and tokens of this process. ``clock`` returns seconds. Thread-safe."""

    clock: Callable[[], float] = time.monotonic
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _requests: dict[str, tuple[float, str, AuthorizationRequest]] = field(default_factory=dict)
    _codes: dict[str, Grant] = field(default_factory=dict)
    _access: dict[str, tuple[float, Grant]] = field(default_factory=dict)
    _refresh: dict[str, Grant] = field(default_factory=dict)
    _spent: dict[str, Grant] = field(default_factory=dict)
    _consents: dict[str, int] = field(default_factory=dict)

    def remember(self, request: AuthorizationRequest) -> tuple[str, str]:
        """Store a request. Return its id for the form, and the secret for the cookie."""
        key, cookie = secrets.token_urlsafe(16), secrets.token_urlsafe(24)
        with self._lock:
            self._requests[key] = (self.clock() + REQUEST_SECONDS, cookie, request)
        return key, cookie

    def take(self, key: str, cookie: str) -> AuthorizationRequest | None:
        """Remove and return the request of a form. None if expired, used, or if the cookie does not match."""
        with self._lock:
            ends, expected, request = self._requests.get(key, (0.0, "", None))
            if request is None or ends < self.clock() or not _same(expected, cookie):
                return None
            del self._requests[key]
            return request

    def allow(self, request: AuthorizationRequest, account: str) -> str:
        """Record the user's consent and return an authorization code, valid for 60 seconds."""
        code = secrets.token_urlsafe(24)
        with self._lock:
            self._codes[code] = Grant(request, account, self.clock() + CODE_SECONDS)
            self._consents[request.variant] = self._consents.get(request.variant, 0) + 1
        return code

    def consents(self, variant: str) -> int:
        """The number of consents given at this variant."""
        return self._consents.get(variant, 0)

    def exchange(self, variant: str, code: str, redirect_uri: str, verifier: str) -> Tokens:
        """Exchange a code for tokens (RFC 6749, section 4.1.3; RFC 7636, section 4.6). Raises ``Refused``."""
        with self._lock:
            grant = self._codes.get(code)
            if grant is None or grant.request.variant != variant:
                raise Refused("invalid_grant")
            if grant.code_used:
                # A reused code may have leaked: revoke its tokens (RFC 6749, section 4.1.2).
                grant.revoked = True
                raise Refused("invalid_grant")
            matches = (
                grant.request.redirect_uri == redirect_uri and _challenge(verifier) == grant.request.challenge
            )
            if grant.code_ends < self.clock() or not matches:
                raise Refused("invalid_grant")
            grant.code_used = True
            return self._issue(grant)

    def refresh(self, variant: str, token: str) -> Tokens:
        """Refresh the tokens and rotate the refresh token (RFC 6749, section 6). Raises ``Refused``."""
        with self._lock:
            if (spent := self._spent.get(token)) is not None:
                # A reused refresh token may have leaked: revoke the grant (RFC 9700, section 4.14.2).
                spent.revoked = True
            grant = self._refresh.get(token)
            if grant is None or grant.revoked or grant.request.variant != variant:
                raise Refused("invalid_grant")
            self._spent[token] = self._refresh.pop(token)
            return self._issue(grant)

    def revoke(self, variant: str, token: str) -> None:
        """Revoke the grant of a token. Ignores unknown tokens (RFC 7009, section 2.2)."""
        with self._lock:
            _, by_access = self._access.get(token, (0.0, None))
            grant = self._refresh.get(token) or self._spent.get(token) or by_access
            if grant is not None and grant.request.variant == variant:
                grant.revoked = True

    def account_of(self, access: str) -> str | None:
        """The account of an access token. None if it is unknown, expired or revoked."""
        ends, grant = self._access.get(access, (0.0, None))
        if grant is None or grant.revoked or ends < self.clock():
            return None
        return grant.account

    def _issue(self, grant: Grant) -> Tokens:
        tokens = Tokens(secrets.token_urlsafe(32), secrets.token_urlsafe(32), grant.request.scopes)
        self._access[tokens.access] = (self.clock() + ACCESS_SECONDS, grant)
        self._refresh[tokens.refresh] = grant
        return tokens


def _same(expected: str, given: str) -> bool:
    # Compare bytes: compare_digest raises TypeError for non-ASCII strings.
    return secrets.compare_digest(expected.encode(), given.encode("utf-8", "replace"))


def _challenge(verifier: str) -> str:
    digest = hashlib.sha256(verifier.encode("utf-8", "replace")).digest()
    return base64url.encode(digest)
