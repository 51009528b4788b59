"""Helpers shared by the API routes: authentication, account, request body, paging and ordering."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
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
"""Maximum size of a form body, in bytes. It is read before the client is authenticated."""
_SCOPE: Final = select(tables.api_token.c.scope_account_id).where(
    tables.api_token.c.sha256 == bindparam("token"), tables.api_token.c.expires_at > bindparam("now")
)
_ACCOUNT: Final = select(tables.account.c.id).where(tables.account.c.id == bindparam("account"))


def answer(body: Any, status: int = 200) -> Response:
    """Make a JSON response."""
    return Response(json.dumps(body), status, content_type="application/json; charset=utf-8")


def calling_scope() -> str | None:
    """The account that the access token is restricted to. None for a partner-level token. Raises 401."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise denied()
    row = embedded().database.read(_SCOPE).one(token=sha256(token), now=clock.now())
    if row is None:
        raise denied()
    scope: str | None = row[0]
    return scope


def partner_level(account_id: str | None = None) -> str | None:
    """Authorize a partner-level call. Return the account that the token is restricted to, if any.

    A restricted token is accepted only for its own account, ``account_id``. Raises 401 otherwise.
    """
    scope = calling_scope()
    if scope is not None and scope != account_id:
        raise denied()
    return scope


def account_level() -> str:
    """The account named by the ``X-Cyclr-Account`` header. Raises 401 (no header) or 404 (unknown account).

    An account-restricted token does not need the header. A header that names another account raises 401.
    """
    scope = calling_scope()
    # Clients send UTF-8, but WSGI decodes header bytes as Latin-1 (PEP 3333).
    raw = request.headers.get(ACCOUNT_HEADER, "").encode("latin-1")
    try:
        header_account = raw.decode().strip()
    except UnicodeDecodeError:
        header_account = raw.decode("latin-1").strip()
    account_id = header_account or scope
    if not account_id or scope not in {None, account_id}:
        raise denied()
    require_account(account_id)
    return account_id


def require_account(account_id: str) -> None:
    """Raise 404 if the account does not exist."""
    if embedded().database.read(_ACCOUNT).one(account=account_id) is None:
        raise missing("Account")


def body() -> dict[str, Any]:
    """The request body as a JSON object. An empty body counts as ``{}``. Raises 400."""
    if not request.get_data():
        return {}
    try:
        # Decode explicitly: json.loads accepts encoded surrogates in bytes.
        document = json.loads(request.get_data().decode())
    except (ValueError, RecursionError):
        raise ApiError(400, "The request body is not valid JSON.") from None
    if not isinstance(document, dict):
        raise ApiError(400, "The request body must be a JSON object.")
    return document


def form(name: str) -> str:
    """A form field, or an empty string. Raises 400 if the body is not a form, or the value holds NUL."""
    request.max_content_length = MAX_FORM_BYTES
    try:
        value = request.form.get(name, "")
    except BadRequest:
        raise ApiError(400, "The request body is not a form.") from None
    if "\x00" in value:
        raise ApiError(400, f"{name} must not contain control characters.")
    return value


def text(document: dict[str, Any], name: str, limit: int = 255) -> str | None:
    """A string field of the body. A value of another type counts as absent, as in Cyclr. Raises 400."""
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
    """An account id: a string without U+E000, which paths use for encoded slashes. Raises 400."""
    value = text(document, name)
    if value is not None and STAND_IN in value:
        raise ApiError(400, f"{name} must not contain the private-use character U+E000.")
    return value


def page_of(items: Sequence[Any]) -> Response:
    """Respond with the page that the query asks for, and the header ``Total-Pages``. Raises 400."""
    page = wanted_page()
    return paged(list(items[page.first : page.first + page.size]), len(items))


@dataclass(frozen=True)
class Page:
    """The page that the query asks for: the index of its first item, and how many it has at most."""

    first: int
    size: int


def wanted_page() -> Page:
    """Read ``page`` and ``pageSize`` of the query. Raises 400."""
    size = _number("pageSize", embedded().settings.default_page_size, MAX_PAGE_SIZE)
    return Page((_number("page", 1, 1_000_000) - 1) * size, size)


def paged(items: Sequence[Any], total: int) -> Response:
    """Respond with a page of ``total`` items, and the header ``Total-Pages``."""
    response = answer(list(items))
    response.headers["Total-Pages"] = str(-(-total // wanted_page().size))
    return response


def is_in_usual_order() -> bool:
    """Whether the query asks for no order of its own, so that the database can cut out its page."""
    return not request.args.get("orderBy") and request.args.get("sortOrderAsc", "true").lower() != "false"


def ordered(items: list[dict[str, Any]], default: str = "Id") -> list[dict[str, Any]]:
    """Sort the list by the query parameters ``orderBy`` and ``sortOrderAsc``. Raises 400."""
    name = request.args.get("orderBy") or default
    descending = request.args.get("sortOrderAsc", "true").lower() == "false"
    if not all(name in item for item in items):
        raise ApiError(400, f"orderBy: there is no field {name}")
    return sorted(items, key=lambda item: _sort_key(item[name]), reverse=descending)


def _sort_key(value: Any) -> tuple[str, Any]:
    # Group values by type, so that all are comparable. Objects and lists sort by their JSON text.
    return type(value).__name__, json.dumps(value) if isinstance(value, dict | list | None) else value


def _number(name: str, default: int, maximum: int) -> int:
    raw = request.args.get(name)
    if raw is None:
        return default
    if not raw.isascii() or not raw.isdigit() or not 1 <= int(raw[:9]) <= maximum:
        raise ApiError(400, f"{name} must be a whole number from 1 to {maximum}.")
    return int(raw[:9])
