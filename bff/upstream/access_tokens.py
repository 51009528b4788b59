"""Access tokens for the partner service's API, and the endpoint that gives them."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, Final, Protocol

import structlog

from bff.common.errors import PartnerUnavailable
from bff.common.secret import Secret
from bff.outbound.client import HttpClient
from bff.upstream.call_log import logged

EARLY_SECONDS: Final = 300.0
EARLY_SHARE: Final = 0.1
LONGEST_LIFE: Final = 365 * 24 * 3600
USUAL_LIFE: Final = 3600.0
"""Seconds that a token is assumed to live if the answer does not say."""
FIRST_PAUSE, LONGEST_PAUSE = 0.25, 60.0
"""Seconds until credentials that were refused are tried again: the first time, and at most."""
_SENDABLE: Final = re.compile(r"[!-~](?:[ -~]*[!-~])?")
"""An access token that fits into a header (RFC 6749, appendix A.12)."""

log = structlog.get_logger("hitchpost.partner")


@dataclass(frozen=True)
class AccessToken:
    """``life``: seconds that it was given for; ``ends_at``: when it ends, in seconds since the epoch."""

    value: Secret
    life: float
    ends_at: float

    def renew_at(self, chance: float) -> float:
        """When to ask for the next: early, and with ``chance`` in [0, 1) earlier, not all at one moment."""
        return self.ends_at - min(EARLY_SECONDS, self.life * EARLY_SHARE) * (1 + chance)


class TokenSource(Protocol):
    """Who has access tokens."""

    def obtain(self, unlike: Collection[Secret], *, patient: bool) -> AccessToken:
        """A token that is none of ``unlike``. Raises ``PartnerUnavailable``.

        Unless ``patient``, it is raised too when another worker is about to get one.
        """


class TokenEndpoint:
    """Client credentials (RFC 6749, section 4.4; Cyclr's documentation, "API Authentication")."""

    def __init__(
        self,
        http: HttpClient,
        client_id: str,
        client_secret: Secret,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._http = http
        self._client_id = client_id
        self._client_secret = client_secret
        self._clock = clock
        self._refused: PartnerUnavailable | None = None
        self._pause = 0.0
        self._again_at = 0.0

    def obtain(self, unlike: Collection[Secret], *, patient: bool = True) -> AccessToken:
        """A new one, always. Asking twice is harmless: several tokens may be good at once.

        Credentials that were refused are tried again after a pause, which grows: they will be refused again.
        """
        del unlike, patient
        left = self._again_at - self._clock()
        if self._refused and left > 0:
            raise PartnerUnavailable(self._refused.detail, retry_after=left, lasting=True)
        with logged("POST", "/oauth/token") as note:
            more: Any = {"form": self._form(), "harmless": True, "refusal_fails": True}
            answer = self._http.send("POST", "/oauth/token", **more)
            note["status"] = answer.status
        token = token_in(answer.document(), self._clock()) if answer.ok else None
        if token is None:
            raise self._no_token(answer.status)
        self._refused, self._pause = None, 0.0
        return token

    def _form(self) -> dict[str, str]:
        return {
            "grant_type": "client_credentials",
            "client_id": self._client_id,
            "client_secret": self._client_secret.reveal(),
        }

    def _no_token(self, status: int) -> PartnerUnavailable:
        error = PartnerUnavailable(
            f"the partner service gave no access token (status {status}); check"
            " HITCHPOST_PARTNER_CLIENT_ID and HITCHPOST_PARTNER_CLIENT_SECRET",
            lasting=True,
        )
        self._pause = min(max(self._pause * 2, FIRST_PAUSE), LONGEST_PAUSE)
        self._again_at, self._refused = self._clock() + self._pause, error
        log.error("no access token", status=status, error_text=error.detail)
        return error


def token_in(document: object, now: float) -> AccessToken | None:
    """The access token in an endpoint's answer; None if there is none that can be sent, or its life is none.

    ``expires_in`` is optional (RFC 6749, section 5.1). Should the token end earlier than assumed, a call is
    refused, and another token is asked for.
    """
    told = document if isinstance(document, dict) else {}
    value, life = told.get("access_token"), told.get("expires_in")
    seconds = USUAL_LIFE if life is None else _seconds(life)
    if not isinstance(value, str) or not _SENDABLE.fullmatch(value) or seconds is None:
        return None
    return AccessToken(Secret(value), seconds, now + seconds)


def _seconds(value: object) -> float | None:
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value[:12])
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
        return None
    return float(min(value, LONGEST_LIFE))
