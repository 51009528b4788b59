"""What every API route shares: who calls, for which account, with which body, and pages of a list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from flask import Response, json, request
from sqlalchemy import bindparam, select
from werkzeug.exceptions import BadRequest

from bff.partner import clock
from bff.partner.context import embedded
from bff.partner.crypto import sha256
from bff.partner.errors import ApiError, denied, missing
from bff.partner.paths import STAND_IN
from bff.partner.storage import tables

ACCOUNT_HEADER: Final = "X-Cyclr-Account"
MAX_PAGE_SIZE: Final = 1000
MAX_FORM_BYTES: Final = 8 * 1024
"""Of a form, which is read before anybody knows who sends it."""
_SCOPE: Final = select(tables.api_token.c.scope_account_id).where(
    tables.api_token.c.sha256 == bindparam("token"), tables.api_token.c.expires_at > bindparam("now")
)
_ACCOUNT: Final = select(tables.account.c.id).where(tables.account.c.id == bindparam("account"))


def answer(body: Any, status: int = 200) -> Response:
    """A JSON answer."""
    return Response(json.dumps(body), status, content_type="application/json; charset=utf-8")


def calling_scope() -> str | None:
    """The account that the access token of this call is restricted to; None for a partner's. Raises 401."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise denied()
    row = embedded().database.read(_SCOPE).one(token=sha256(token), now=clock.now())
    if row is None:
        raise denied()
    scope: str | None = row[0]
    return scope


def partner_level(account_id: str | None = None) -> str | None:
    """Allow a partner-level call. A restricted token reaches its own account only; which. Raises 401."""
    scope = calling_scope()
    if scope is not None and scope != account_id:
        raise denied()
    return scope


def account_level() -> str:
    """The account that this call is about, by its header. Raises 401 (no header) or 404 (no such account).

    An account-restricted token stands for its account by itself; a header that names another is refused.
    """
    scope = calling_scope()
    # Clients send UTF-8; WSGI hands header bytes over as Latin-1.
    raw = request.headers.get(ACCOUNT_HEADER, "").encode("latin-1")
    try:
        named = raw.decode().strip()
    except UnicodeDecodeError:
        named = raw.decode("latin-1").strip()
    account_id = named or scope
    if not account_id or scope not in {None, account_id}:
        raise denied()
    require_account(account_id)
    return account_id


def require_account(account_id: str) -> None:
    """Raises 404 when there is no such account."""
    if embedded().database.read(_ACCOUNT).one(account=account_id) is None:
        raise missing("Account")


def body() -> dict[str, Any]:
    """The JSON object of the request; nothing at all counts as an empty one. Raises 400."""
    if not request.get_data():
        return {}
    try:
        # Decoded here: json would take halves of surrogate pairs in UTF-8.
        document = json.loads(request.get_data().decode())
    except (ValueError, RecursionError):
        raise ApiError(400, "The request body is not valid JSON.") from None
    if not isinstance(document, dict):
        raise ApiError(400, "The request body must be a JSON object.")
    return document


def form(name: str) -> str:
    """A form field, or an empty text. Raises 400 for a body that is no form, and for a NUL."""
    request.max_content_length = MAX_FORM_BYTES
    try:
        value = request.form.get(name, "")
    except BadRequest:
        raise ApiError(400, "The request body is not a form.") from None
    if "\x00" in value:
        raise ApiError(400, f"{name} must not contain control characters.")
    return value


def text(document: dict[str, Any], name: str, limit: int = 255) -> str | None:
    """A text of the body. A value of a wrong type counts as absent (as recorded of Cyclr). Raises 400."""
    value = document.get(name)
    if not isinstance(value, str):
        return None
    if len(value) > limit:
        raise ApiError(400, f"{name} is too long; at most {limit} characters.")
    if any(ord(character) < 32 and character not in "\n\t" for character in value):
        raise ApiError(400, f"{name} must not contain control characters.")
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise ApiError(400, f"{name} must not contain half of a surrogate pair.")
    return value


def id_text(document: dict[str, Any], name: str) -> str | None:
    """An account's id: a text without the character by which paths keep slashes apart. Raises 400."""
    value = text(document, name)
    if value is not None and STAND_IN in value:
        raise ApiError(400, f"{name} must not contain the private-use character U+E000.")
    return value


def page_of(items: Sequence[Any]) -> Response:
    """One page of a list (``page`` from 1, ``pageSize``), with the header ``Total-Pages``. Raises 400."""
    size = _number("pageSize", embedded().settings.default_page_size, MAX_PAGE_SIZE)
    page = _number("page", 1, 1_000_000)
    response = answer(list(items[(page - 1) * size : page * size]))
    response.headers["Total-Pages"] = str(-(-len(items) // size))
    return response


def ordered(items: list[dict[str, Any]], default: str = "Id") -> list[dict[str, Any]]:
    """The list in the order that ``orderBy`` and ``sortOrderAsc`` ask for."""
    name = request.args.get("orderBy") or default
    descending = request.args.get("sortOrderAsc", "true").lower() == "false"
    if not all(name in item for item in items):
        raise ApiError(400, f"orderBy: there is no field {name}")
    return sorted(items, key=lambda item: _place(item[name]), reverse=descending)


def _place(value: Any) -> tuple[str, Any]:
    # Values of one kind are compared with one another; an object or a list has no order but that of its text.
    return type(value).__name__, json.dumps(value) if isinstance(value, dict | list | None) else value


def _number(name: str, default: int, most: int) -> int:
    given = request.args.get(name)
    if given is None:
        return default
    if not given.isascii() or not given.isdigit() or not 1 <= int(given[:9]) <= most:
        raise ApiError(400, f"{name} must be a whole number from 1 to {most}.")
    return int(given[:9])
