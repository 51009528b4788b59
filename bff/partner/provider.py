"""Speaks to a third party's token and user-info endpoints, and believes nothing without looking."""

from __future__ import annotations

import base64
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Final
from urllib.parse import quote

import requests
from flask import json

from bff.partner import clock
from bff.partner.catalogue import CatalogueConnector

CONNECT_SECONDS: Final = 5.0
READ_SECONDS: Final = 15.0
TOTAL_SECONDS: Final = 20.0
MAX_BYTES: Final = 1024 * 1024
LONGEST_LIFE: Final = 10**9
OK: Final = 200


class ProviderFailed(Exception):
    """The third party did not give what it should. ``error`` is its OAuth error, or a code of ours."""

    def __init__(self, error: str) -> None:
        super().__init__(error)
        self.error = error


@dataclass(frozen=True)
class Client:
    """Our registration at the third party: the catalogue's, or one that the account brings."""

    id: str
    secret: str | None


@dataclass(frozen=True)
class Credentials:
    """What the third party gave."""

    access_token: str
    refresh_token: str | None
    expires_at: datetime | None
    scope: str | None


class Provider:
    """Every call has a total deadline and a cap on its answer; redirects, netrc and cookies are not used."""

    def exchange_code(
        self, item: CatalogueConnector, client: Client, *, code: str, verifier: str, redirect_uri: str
    ) -> Credentials:
        """Change the code for tokens (RFC 6749, section 4.1.3; RFC 7636). Raises ``ProviderFailed``."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
        }
        return self._token(item, client, form)

    def client_credentials(self, item: CatalogueConnector, client: Client) -> Credentials:
        """Tokens without a user's consent (RFC 6749, section 4.4). Raises ``ProviderFailed``."""
        return self._token(item, client, {"grant_type": "client_credentials", "scope": " ".join(item.scopes)})

    def account_name(self, item: CatalogueConnector, credentials: Credentials) -> str | None:
        """Whose account was connected, where the third party tells. A failure here fails nothing."""
        if item.userinfo_url is None:
            return None
        headers = {"Authorization": f"Bearer {credentials.access_token}", "Accept": "application/json"}
        try:
            status, document = self._call("GET", item.userinfo_url, headers, None)
        except ProviderFailed:
            return None
        name = document.get(item.account_claim) if status == OK else None
        return name[:255] if isinstance(name, str) else None

    def _token(self, item: CatalogueConnector, client: Client, form: dict[str, str]) -> Credentials:
        headers = {"Accept": "application/json"}
        if item.token_auth == "client_secret_basic":  # noqa: S105
            headers["Authorization"] = _basic(client)
        else:
            form = {**form, "client_id": client.id}
        if item.token_auth == "client_secret_post":  # noqa: S105
            form = {**form, "client_secret": client.secret or ""}
        status, document = self._call("POST", item.token_url or "", headers, form)
        if status != OK:
            error = document.get("error")
            raise ProviderFailed(error if isinstance(error, str) else f"token_endpoint_answered_{status}")
        return _credentials(document)

    def _call(
        self, method: str, url: str, headers: dict[str, str], form: dict[str, str] | None
    ) -> tuple[int, dict[str, Any]]:
        deadline = time.monotonic() + TOTAL_SECONDS
        with requests.Session() as session:
            session.trust_env = False
            session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
            try:
                with session.request(
                    method,
                    url,
                    headers=headers,
                    data=form,
                    timeout=(CONNECT_SECONDS, READ_SECONDS),
                    allow_redirects=False,
                    stream=True,
                ) as response:
                    return response.status_code, _document(_read(response, deadline))
            except requests.RequestException as error:
                raise ProviderFailed("third_party_unreachable") from error


def _read(response: requests.Response, deadline: float) -> bytes:
    kept = bytearray()
    for chunk in response.iter_content(16 * 1024):
        kept += chunk
        if len(kept) > MAX_BYTES or time.monotonic() > deadline:
            raise ProviderFailed("third_party_answer_too_large_or_slow")
    return bytes(kept)


def _document(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _credentials(document: dict[str, Any]) -> Credentials:
    access = document.get("access_token")
    kind = document.get("token_type")
    if not isinstance(access, str) or not access or not isinstance(kind, str) or kind.lower() != "bearer":
        raise ProviderFailed("third_party_sent_no_bearer_token")
    refresh, scope, seconds = (document.get(name) for name in ("refresh_token", "scope", "expires_in"))
    return Credentials(
        access_token=access,
        refresh_token=refresh if isinstance(refresh, str) else None,
        expires_at=_ends(seconds),
        scope=scope if isinstance(scope, str) else None,
    )


def _ends(seconds: object) -> datetime | None:
    if not isinstance(seconds, int) or not 0 < seconds < LONGEST_LIFE:
        return None
    return clock.now() + timedelta(seconds=seconds)


def _basic(client: Client) -> str:
    # Each part is form-encoded before it is joined (RFC 6749, section 2.3.1).
    joined = f"{quote(client.id, safe='')}:{quote(client.secret or '', safe='')}"
    return "Basic " + base64.b64encode(joined.encode()).decode()
