"""Issues sign-in tokens. ``sign_in/tokens.py`` redeems them."""

from __future__ import annotations

import base64
import uuid
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from flask import Blueprint, Response
from pydantic import BaseModel
from sqlalchemy import Connection, bindparam, select

from bff.partner import clock
from bff.partner.access import answer, body, partner_level, text
from bff.partner.account_connectors import store
from bff.partner.api import accounts
from bff.partner.context import embedded
from bff.partner.crypto import sha256
from bff.partner.errors import ApiError, denied, missing
from bff.partner.limits import caller_address
from bff.partner.openapi import describe, shapes
from bff.partner.paths import STAND_IN
from bff.partner.providers.catalogue import CatalogueConnector
from bff.partner.sign_in import tokens
from bff.partner.storage import tables
from bff.partner.storage.database import adding
from bff.serving.statements import Within

routes = Blueprint("sign_in_tokens", __name__)

LONGEST_ID: Final = 255
LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
UNUSABLE: Final = frozenset(' \\"<>?#@')
_KNOWN: Final = Within(select(tables.account.c.id).where(tables.account.c.id == bindparam("account")))
_ADD: Final = adding(
    tables.sign_in_token,
    *("sha256", "account_id", "username", "expires_at", "completion_url", "target_origin"),
)


class SignInWishes(BaseModel):
    """Hitchpost's extension of the request.

    ``CompletionUrl``: the sign-in must be completed there before it connects. ``TargetOrigin``: the only
    target that the link accepts. ``Connector``: a connector id; its account connector is returned, and
    installed if there is none.
    """

    CompletionUrl: str | None = None
    TargetOrigin: str | None = None
    Connector: int | None = None


class NewSignInToken(BaseModel):
    """The user who signs in. An unknown user is created."""

    Username: shapes.Filled
    Hitchpost: SignInWishes | None = None


class SignInFor(BaseModel):
    """The account connector of the sign-in."""

    Id: int
    Authenticated: bool


class SignInPromises(BaseModel):
    """Hitchpost's extension of the answer: whether completion is required, and the account connector."""

    Completion: Literal[True] | None = None
    AccountConnector: SignInFor | None = None


class SignInToken(BaseModel):
    """A token for one sign-in in one browser. It is valid for five minutes."""

    Token: str
    ExpiresAtUtc: str
    Hitchpost: SignInPromises | None = None


@routes.post("/v1.0/accounts/<any_text:account_id>/signintoken")
@describe.operation(SignInToken, 404, 409, limited=True, body=NewSignInToken)
def mint(account_id: str) -> Response:
    """Issue a sign-in token for ``Username``.

    An unknown user is created. Hitchpost's extensions: with ``{"Hitchpost": {"CompletionUrl"}}`` the sign-in
    must be completed at that URL before it connects. ``TargetOrigin`` is then the only target that the link
    accepts. With ``{"Hitchpost": {"Connector"}}`` the account connector of that connector is returned, and
    installed if there is none.
    """
    service = embedded()
    scope = partner_level(account_id)
    if scope is not None and not service.settings.sign_in_with_restricted_token:
        raise denied()
    service.limits.api("mint", service.settings.limit_client_mints, caller_address())
    username, extension = (text(body(), "Username") or "").strip(), body().get("Hitchpost")
    if not username:
        raise ApiError(400, "Username is required")
    completion, wanted = _completion(extension), _connector(extension)
    token, now = _random_token(), clock.now()
    row = {
        "sha256": sha256(token),
        "account_id": account_id,
        "username": username,
        "expires_at": now + tokens.LIFE,
        **completion,
    }
    with service.database.writing() as connection:
        # A caller that names a connector creates the account itself, with its proper name.
        _require_or_create(connection, account_id, create=wanted is None)
        accounts.ensure_user(connection, account_id, username)
        _ADD.run(connection, **row)
        installed = store.find_or_add(connection, account_id, wanted) if wanted else None
        count = store.count(connection, account_id, wanted.id) if wanted else 0
    document: dict[str, Any] = {"Token": token, "ExpiresAtUtc": clock.dot_net(now + tokens.LIFE)}
    answered: dict[str, Any] = {"Completion": True} if completion else {}
    if installed is not None:
        answered["AccountConnector"] = {"Id": installed.id, "Authenticated": installed.authenticated}
        if count > 1:
            answered["AccountConnector"]["Installed"] = count
    response = answer(document | ({"Hitchpost": answered} if answered else {}))
    response.headers["Cache-Control"] = "no-store"
    return response


def _completion(extension: object) -> dict[str, str | None]:
    if not isinstance(extension, dict) or not embedded().settings.complete_elsewhere:
        return {}
    url, target = (text(extension, name, 2000) for name in ("CompletionUrl", "TargetOrigin"))
    if url is None:
        return {}
    if not _is_usable(url):
        raise ApiError(400, "Hitchpost.CompletionUrl must be an https URL without user, query or fragment.")
    return {"completion_url": url, "target_origin": target}


def _connector(extension: object) -> CatalogueConnector | None:
    number = extension.get("Connector") if isinstance(extension, dict) else None
    # Without reported sign-ins, callers have to read the account connector, as at Cyclr.
    if number is None or not embedded().settings.tell_sign_ins:
        return None
    item = embedded().catalogue.by_id(number) if type(number) is int else None
    if item is None:
        raise ApiError(409, "Hitchpost.Connector: there is no such connector.")
    return item


def _is_usable(url: str) -> bool:
    # The browser takes a secret code to it, so it must use https, or http on a loopback address.
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    safe = parts.scheme == "https" or (parts.scheme == "http" and host in LOOPBACK)
    return bool(host) and safe and url.isascii() and url.isprintable() and not set(url) & UNUSABLE


def _random_token() -> str:
    # Two random GUIDs in standard base64, as at Cyclr: 44 characters with + / =, and 244 random bits.
    return base64.b64encode(uuid.uuid4().bytes + uuid.uuid4().bytes).decode()


def _require_or_create(connection: Connection, account_id: str, *, create: bool) -> None:
    if _KNOWN.first(connection, account=account_id) is not None:
        return
    if not create or embedded().settings.sign_in_for_unknown_account == "refuse":
        raise missing("Account")
    if STAND_IN in account_id or len(account_id) > LONGEST_ID:
        raise ApiError(400, f"An id has at most {LONGEST_ID} characters, and no private-use U+E000.")
    accounts.add_account(connection, account_id, {"Name": account_id})
