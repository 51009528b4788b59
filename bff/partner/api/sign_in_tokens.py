"""Sign-in tokens are minted over the API; ``sign_in/tokens.py`` redeems them."""

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
    """Hitchpost's own.

    The sign-in counts once it is completed there, and leads to that target only; and the account's copy of
    this connector is told with the token, installed if there is none.
    """

    CompletionUrl: str | None = None
    TargetOrigin: str | None = None
    Connector: int | None = None


class NewSignInToken(BaseModel):
    """For whom; a user who is not known is made."""

    Username: shapes.Filled
    Hitchpost: SignInWishes | None = None


class SignInFor(BaseModel):
    """The account connector that a sign-in is for."""

    Id: int
    Authenticated: bool


class SignInPromises(BaseModel):
    """The sign-in has to be completed before it counts; it is for this account connector."""

    Completion: Literal[True] | None = None
    AccountConnector: SignInFor | None = None


class SignInToken(BaseModel):
    """A token that signs one browser in, once, within five minutes."""

    Token: str
    ExpiresAtUtc: str
    Hitchpost: SignInPromises | None = None


@routes.post("/v1.0/accounts/<any_text:account_id>/signintoken")
@describe.operation(SignInToken, 404, 409, limited=True, body=NewSignInToken)
def mint(account_id: str) -> Response:
    """A token that signs one browser in as ``Username``, who is created when unknown.

    Hitchpost's own: ``{"Hitchpost": {"CompletionUrl", "TargetOrigin"}}`` asks that the sign-in counts only
    once it is completed there (``completion.py``), and that its link leads to that target only;
    ``{"Hitchpost": {"Connector"}}`` that the account's copy of this connector is told with the token, and
    installed if there is none.
    """
    service = embedded()
    scope = partner_level(account_id)
    if scope is not None and not service.settings.sign_in_with_restricted_token:
        raise denied()
    service.limits.api("mint", service.settings.limit_client_mints, caller_address())
    username, wishes = (text(body(), "Username") or "").strip(), body().get("Hitchpost")
    if not username:
        raise ApiError(400, "Username is required")
    completion, wanted = _completion(wishes), _connector(wishes)
    token, now = _random_token(), clock.now()
    row = {
        "sha256": sha256(token),
        "account_id": account_id,
        "username": username,
        "expires_at": now + tokens.LIFE,
        **completion,
    }
    with service.database.writing() as connection:
        # A caller that names a connector makes the account as well, with the name that it is to have.
        _require_or_create(connection, account_id, create=wanted is None)
        accounts.ensure_user(connection, account_id, username)
        _ADD.run(connection, **row)
        installed = store.find_or_add(connection, account_id, wanted) if wanted else None
        count = store.count(connection, account_id, wanted.id) if wanted else 0
    told: dict[str, Any] = {"Token": token, "ExpiresAtUtc": clock.dot_net(now + tokens.LIFE)}
    extra: dict[str, Any] = {"Completion": True} if completion else {}
    if installed is not None:
        extra["AccountConnector"] = {"Id": installed.id, "Authenticated": installed.authenticated}
        if count > 1:
            extra["AccountConnector"]["Installed"] = count
    response = answer(told | ({"Hitchpost": extra} if extra else {}))
    response.headers["Cache-Control"] = "no-store"
    return response


def _completion(asked: object) -> dict[str, str | None]:
    if not isinstance(asked, dict) or not embedded().settings.complete_elsewhere:
        return {}
    url, target = (text(asked, name, 2000) for name in ("CompletionUrl", "TargetOrigin"))
    if url is None:
        return {}
    if not _is_usable(url):
        raise ApiError(400, "Hitchpost.CompletionUrl must be an https URL without user, query or fragment.")
    return {"completion_url": url, "target_origin": target}


def _connector(asked: object) -> CatalogueConnector | None:
    number = asked.get("Connector") if isinstance(asked, dict) else None
    # Who is not told how sign-ins end must look at the account connector itself, as at Cyclr's.
    if number is None or not embedded().settings.tell_sign_ins:
        return None
    item = embedded().catalogue.by_id(number) if type(number) is int else None
    if item is None:
        raise ApiError(409, "Hitchpost.Connector: there is no such connector.")
    return item


def _is_usable(url: str) -> bool:
    # A code is added to it and sent with a browser: over https, or http on this machine.
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    safe = parts.scheme == "https" or (parts.scheme == "http" and host in LOOPBACK)
    return bool(host) and safe and url.isascii() and url.isprintable() and not set(url) & UNUSABLE


def _random_token() -> str:
    # Two random GUIDs in standard base64: 44 characters with + / =, as Cyclr's are. 244 random bits.
    return base64.b64encode(uuid.uuid4().bytes + uuid.uuid4().bytes).decode()


def _require_or_create(connection: Connection, account_id: str, *, create: bool) -> None:
    if _KNOWN.first(connection, account=account_id) is not None:
        return
    if not create or embedded().settings.sign_in_for_unknown_account == "refuse":
        raise missing("Account")
    if STAND_IN in account_id or len(account_id) > LONGEST_ID:
        raise ApiError(400, f"An id has at most {LONGEST_ID} characters, and no private-use U+E000.")
    accounts.add_account(connection, account_id, {"Name": account_id})
