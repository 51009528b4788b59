"""Calls the partner service to find out whether its settings are right, and reports which are wrong."""

from __future__ import annotations

import json
import socket
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import requests

from bff.common.secret import Secret
from bff.content.minted_url import SIGN_IN_PATH
from bff.outbound.client import Limits
from bff.serving import tls
from bff.upstream.access_tokens import token_in

API, SERVICE, CLIENT_SECRET = (
    f"HITCHPOST_PARTNER_{name}" for name in ("API_URL", "SERVICE_URL", "CLIENT_SECRET")
)
MOST_BYTES: Final = 64 * 1024
REFUSED: Final = frozenset({400, 401, 403})
OK, REDIRECTS, UNAUTHORIZED, FORBIDDEN, NOT_FOUND, BUSY = 200, 300, 401, 403, 404, 429
TOKENS_AT, ACCOUNTS = "/oauth/token", "/v1.0/accounts"
BROKEN: Final = 500
AWAY: Final = frozenset({429, 502, 503, 504})
"""Statuses of a gateway, or of an overload. The sign-in page itself may answer 500 without a token."""


@dataclass(frozen=True)
class Reply:
    """A response, or the reason why there is none (``failure``)."""

    status: int = 0
    document: Any = None
    failure: str = ""

    @property
    def is_success(self) -> bool:
        """Whether the status is 2xx."""
        return OK <= self.status < REDIRECTS

    @property
    def is_api(self) -> bool:
        """Whether it is a list of accounts, as only the API returns."""
        return self.is_success and isinstance(self.document, list)


class PartnerProbe:
    """Calls without retries, circuit breaker or redirects, to report exactly what answers."""

    def __init__(
        self, api_url: str, service_url: str, client_id: str, client_secret: Secret, limits: Limits
    ) -> None:
        self._api_url = api_url
        self._service_url = service_url
        self._form = {
            "grant_type": "client_credentials",
            "client_id": client_id,
            "client_secret": client_secret.reveal(),
        }
        self._limits = limits

    def faults(self) -> Iterator[str]:
        """A line for each wrong setting, with the reason."""
        path, reply = self._look(self._api_url)
        if reply.is_api:
            yield from self._service_faults()
        elif self._look(self._service_url)[1].is_api:
            yield f"{API} and {SERVICE} are swapped: the API answers at {self._service_url}"
        else:
            yield self._api_fault(path, reply)
            yield from self._service_faults()

    def _api_fault(self, path: str, reply: Reply) -> str:
        answered = f"{reply.status} to {path}"
        if reply.failure:
            return f"{API}: the partner service does not answer ({reply.failure})"
        if reply.status == BUSY or reply.status >= BROKEN:
            return f"{API}: the partner service is in trouble now ({answered}); check again later"
        origin = _origin(self._api_url)
        if origin != self._api_url and self._look(origin)[1].is_api:
            return f"{API}: the API answers at {origin}; write it without the path"
        if reply.status in REFUSED and path == TOKENS_AT:
            return (
                f"{CLIENT_SECRET}: the partner service refuses these credentials (status {reply.status});"
                " check HITCHPOST_PARTNER_CLIENT_ID, too"
            )
        if reply.status == FORBIDDEN:
            return f"{CLIENT_SECRET}: these credentials may not list accounts ({answered})"
        without = " without a usable access token" if reply.is_success and path == TOKENS_AT else ""
        return f"{API}: there is no API of a partner service ({reply.status}{without} to {path})"

    def _service_faults(self) -> Iterator[str]:
        reply = self._ask("GET", self._service_url + SIGN_IN_PATH)
        if reply.failure:
            yield f"{SERVICE}: the partner service's pages do not answer ({reply.failure})"
        elif reply.status in AWAY:
            yield f"{SERVICE}: the partner service is in trouble now ({reply.status} to {SIGN_IN_PATH})"
        elif reply.status == NOT_FOUND or (reply.status == UNAUTHORIZED and reply.document is not None):
            # An API refuses every call without a token, in JSON.
            yield (
                f"{SERVICE}: there is no sign-in page ({reply.status} to {SIGN_IN_PATH}); is it the service"
                " domain?"
            )

    def _look(self, url: str) -> tuple[str, Reply]:
        """Ask for an access token, then list accounts with it. Returns the last path and its response.

        An access token alone does not prove that it is the API: both of Cyclr's domains issue them.
        """
        reply = self._ask("POST", url + TOKENS_AT, data=self._form)
        token = token_in(reply.document, time.time()) if reply.is_success else None
        if token is None:
            return TOKENS_AT, reply
        headers = {"Authorization": f"Bearer {token.value.reveal()}"}
        return ACCOUNTS, self._ask("GET", f"{url}{ACCOUNTS}?page=1&pageSize=1", headers=headers)

    def _ask(self, method: str, url: str, **more: Any) -> Reply:
        with requests.Session() as session:
            # Credentials go to the configured host and nowhere else.
            session.trust_env = False
            session.mount("https://", tls.Adapter())
            timeout = (self._limits.connect, self._limits.read)
            try:
                with session.request(
                    method, url, timeout=timeout, allow_redirects=False, stream=True, **more
                ) as answer:
                    body = next(answer.iter_content(MOST_BYTES), b"")
            except (requests.RequestException, OSError) as error:
                return Reply(failure=_why(error))
        return Reply(answer.status_code, _json(body))


def _why(error: Exception) -> str:
    """Why a call failed, in words: unknown name, certificate, no connection."""
    seen: BaseException | None = error
    causes: list[BaseException] = []
    while seen is not None and seen not in causes:
        causes.append(seen)
        inner = getattr(seen, "reason", None) or (seen.args[0] if seen.args else None)
        seen = inner if isinstance(inner, BaseException) else seen.__cause__ or seen.__context__
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"its certificate is not accepted: {cause.verify_message}"
        if isinstance(cause, socket.gaierror):
            return "its name is not known here"
    found = next((cause for cause in causes if isinstance(cause, OSError) and cause.strerror), None)
    return found.strerror if found is not None and found.strerror else type(error).__name__


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
