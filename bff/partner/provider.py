"""Speaks to a third party's token, revocation and user-info endpoints, and believes nothing unlooked-at."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import quote

from flask import json

from bff.partner import clock, transport
from bff.partner.account_names import kept_name
from bff.partner.catalogue import CatalogueConnector
from bff.partner.outbound import Policy

MAY_BE_JSON: Final = frozenset({"application/json", "text/json", "text/javascript", "text/plain", ""})
LONGEST_LIFE: Final = 365 * 24 * 3600
OK: Final = 200
_UNKEPT: Final = re.compile("[\x00\ud800-\udfff]")


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
    """What the third party gave. ``scope`` is what it granted, space-separated, where it said so."""

    access_token: str
    refresh_token: str | None
    expires_at: datetime | None
    scope: str | None


class Provider:
    """Every call goes where ``policy`` allows, and has a total deadline and a cap on its answer."""

    def __init__(self, policy: Policy, limits: transport.Limits | None = None) -> None:
        self.policy = policy
        self.limits = limits or transport.Limits()

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

    def refresh(self, item: CatalogueConnector, client: Client, refresh_token: str) -> Credentials:
        """New tokens for a refresh token (RFC 6749, section 6). Raises ``ProviderFailed``."""
        return self._token(item, client, {"grant_type": "refresh_token", "refresh_token": refresh_token})

    def revoke(self, item: CatalogueConnector, client: Client, token: str, hint: str) -> None:
        """Revoke a token (RFC 7009); an unknown one counts as revoked. Raises ``ProviderFailed``."""
        status, document = self._post(
            item, client, item.revocation_url or "", {"token": token, "token_type_hint": hint}
        )
        if status != OK:
            raise ProviderFailed(_error(document, f"revocation_endpoint_answered_{status}"))

    def account_name(self, item: CatalogueConnector, credentials: Credentials) -> str | None:
        """Whose account was connected, where the third party tells. A failure here fails nothing."""
        if item.userinfo_url is None:
            return None
        headers = {"Authorization": f"Bearer {credentials.access_token}"}
        try:
            status, document = self._call("GET", item.userinfo_url, headers, None)
        except ProviderFailed:
            return None
        return kept_name(_text(document.get(item.account_claim))) if status == OK else None

    def _token(self, item: CatalogueConnector, client: Client, form: dict[str, str]) -> Credentials:
        status, document = self._post(item, client, item.token_url or "", form)
        if status != OK:
            raise ProviderFailed(_error(document, f"token_endpoint_answered_{status}"))
        return _credentials(document)

    def _post(
        self, item: CatalogueConnector, client: Client, url: str, form: dict[str, str]
    ) -> tuple[int, dict[str, Any]]:
        headers = {}
        if item.token_auth == "client_secret_basic":  # noqa: S105  # nosec B105  # the name of a method
            headers["Authorization"] = _basic(client)
        else:
            form = {**form, "client_id": client.id}
        if item.token_auth == "client_secret_post":  # noqa: S105  # nosec B105  # the name of a method
            form = {**form, "client_secret": client.secret or ""}
        return self._call("POST", url, headers, form)

    def _call(
        self, method: str, url: str, headers: dict[str, str], form: dict[str, str] | None
    ) -> tuple[int, dict[str, Any]]:
        try:
            reply = transport.send(self.policy, method, url, headers=headers, form=form, limits=self.limits)
        except transport.NoReply as error:
            raise ProviderFailed(error.code) from error
        return reply.status, _document(reply)


def _document(reply: transport.Reply) -> dict[str, Any]:
    # A login page or a proxy's notice is no JSON; some third parties send theirs under a careless name.
    if reply.media_type not in MAY_BE_JSON and not reply.media_type.endswith("+json"):
        return {}
    try:
        document = json.loads(reply.body)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _error(document: dict[str, Any], otherwise: str) -> str:
    return (_text(document.get("error")) or otherwise)[:100]


def _credentials(document: dict[str, Any]) -> Credentials:
    access, refresh, scope = (
        _text(document.get(name)) for name in ("access_token", "refresh_token", "scope")
    )
    kind = document.get("token_type")
    if not access or not isinstance(kind, str) or kind.lower() != "bearer":
        raise ProviderFailed("third_party_sent_no_bearer_token")
    return Credentials(
        access_token=access,
        refresh_token=refresh or None,
        expires_at=_ends(document.get("expires_in")),
        scope=scope,
    )


def _text(value: object) -> str | None:
    # JSON may hold what can be neither sealed nor kept: halves of surrogate pairs, and NUL.
    return value if isinstance(value, str) and _UNKEPT.search(value) is None else None


def _ends(seconds: object) -> datetime | None:
    """When a token ends, by its ``expires_in``; None where that says nothing. At most a year ahead.

    Third parties send it as a text, as a fraction, as 0 for "never", or leave it out.
    """
    if isinstance(seconds, str) and seconds.isascii() and seconds.isdigit():
        seconds = int(seconds[:12])
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not seconds > 0:
        return None
    return clock.now() + timedelta(seconds=min(seconds, LONGEST_LIFE))


def _basic(client: Client) -> str:
    # Each part is form-encoded before it is joined (RFC 6749, section 2.3.1).
    joined = f"{quote(client.id, safe='')}:{quote(client.secret or '', safe='')}"
    return "Basic " + base64.b64encode(joined.encode()).decode()
