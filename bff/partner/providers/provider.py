"""Speaks to a third party's token, revocation and user-info endpoints, and believes nothing unlooked-at."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import quote

from flask import json

from bff.partner import clock
from bff.partner.account_names import kept_name
from bff.partner.providers import transport
from bff.partner.providers.catalogue import CatalogueConnector
from bff.partner.providers.outbound import Policy

MAY_BE_JSON: Final = frozenset({"application/json", "text/json", "text/javascript", "text/plain", ""})
LONGEST_LIFE: Final = 365 * 24 * 3600
OK: Final = 200
GONE: Final = (400, "invalid_token")
"""How some third parties answer when a token that is to be revoked is no good (any more)."""
IN_A_HURRY: Final = transport.Limits(connect=2.0, read=4.0, total=5.0)
"""Of a call for whose end a user waits and which can be made again."""
_UNKEPT: Final = re.compile("[\x00\ud800-\udfff]")
_SENDABLE: Final = re.compile(r"[!-~](?:[ -~]*[!-~])?")
"""An access token that fits into a header (RFC 6749, appendix A.12)."""


class ProviderFailed(Exception):
    """The third party did not give what it should. ``error`` is its OAuth error, or a code of ours.

    ``refused`` are the tokens of an answer that cannot be used as a whole: they are good there all the same.
    """

    def __init__(self, error: str, refused: Credentials | None = None) -> None:
        super().__init__(error)
        self.error = error
        self.refused = refused


@dataclass(frozen=True)
class Client:
    """Our registration at the third party: the catalogue's, or one that the account brings."""

    id: str
    secret: str | None = field(repr=False)


@dataclass(frozen=True)
class Credentials:
    """What the third party gave. ``scope`` is what it granted, space-separated, where it said so.

    ``client`` is whom it was given to; None in what was stored before that was kept.
    """

    access_token: str
    refresh_token: str | None
    expires_at: datetime | None
    scope: str | None
    client: Client | None = None


class Provider:
    """Every call goes where ``policy`` allows, and has a total deadline and a cap on its answer."""

    def __init__(self, policy: Policy, limits: transport.Limits | None = None) -> None:
        self.policy = policy
        self.limits = limits or transport.Limits()

    def in_a_hurry(self) -> Provider:
        """The same, with less time for each call."""
        return Provider(self.policy, IN_A_HURRY)

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
        if not _is_success(status) and (status, document.get("error")) != GONE:
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
            refused = _tokens(document, client) if _is_success(status) else None
            raise ProviderFailed(_error(document, f"token_endpoint_answered_{status}"), refused)
        return _credentials(document, client)

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


def _is_success(status: int) -> bool:
    return 200 <= status < 300


def _error(document: dict[str, Any], otherwise: str) -> str:
    return legible(_text(document.get("error")) or "") or otherwise


def legible(error: str) -> str:
    """What may be kept and shown of an error's text: at most 100 printable characters, or none."""
    return "".join(filter(str.isprintable, error[:1000])).strip()[:100]


def _credentials(document: dict[str, Any], client: Client) -> Credentials:
    kind, found = document.get("token_type"), _tokens(document, client)
    usable = found is not None and _SENDABLE.fullmatch(found.access_token)
    if found is None or not usable or not isinstance(kind, str) or kind.lower() != "bearer":
        raise ProviderFailed("third_party_sent_no_bearer_token", found)
    return found


def _tokens(document: dict[str, Any], client: Client) -> Credentials | None:
    """The tokens of an answer, whatever else is wrong with it."""
    access, refresh, scope = (
        _text(document.get(name)) for name in ("access_token", "refresh_token", "scope")
    )
    if not access and not refresh:
        return None
    return Credentials(
        access_token=access or "",
        refresh_token=refresh or None,
        expires_at=_ends(document.get("expires_in")),
        scope=scope,
        client=client,
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
