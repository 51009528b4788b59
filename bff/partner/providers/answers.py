"""Parses the responses of token endpoints, including those that deviate from the standard.

RFC 6749, section 5.1, requires status 200 and a JSON object with ``access_token`` and ``token_type``. Third
parties also send other 2xx statuses, form-encoded bodies, JSON labelled as HTML, errors with status 200,
tokens nested in another object, no token type, and lifetimes as strings. ``docs/providers.md`` lists which
provider does what.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final
from urllib.parse import parse_qsl

from flask import json

from bff.partner import clock
from bff.partner.providers.credentials import Client, Credentials
from bff.partner.providers.dotted import kept_at, plain_text, value_at
from bff.partner.providers.entries import CatalogueConnector
from bff.partner.providers.lifetimes import end_of, end_of_jwt, jwt_claims
from bff.partner.providers.transport import Reply

OTHER_SCHEMES: Final = frozenset({"mac", "dpop", "pop", "n_a", "hoba", "signature"})
"""Token types that need a proof of possession, which is not supported. Any other is used as a bearer."""
PARTIAL: Final = 206
_SENDABLE: Final = re.compile(r"[!-~](?:[ -~]*[!-~])?")
"""Matches an access token that a header can carry (RFC 6749, appendix A.12)."""
_FORM: Final = re.compile(r"[A-Za-z0-9_.%-]+=[^\s<>{]*")
_MAX_FIELDS: Final = 100
_TIMES: Final = ("expires_at", "expires_on", "access_token_expires_at", "expires")
_LIFETIMES: Final = ("expires_in", "access_token_expires_in", "access_token_expire_in", "expires")
"""``expires`` is a lifetime or a time, as its value shows."""
_REFRESH_TIMES: Final = ("refresh_token_expires_at", "refresh_expires_at")
_REFRESH_LIFETIMES: Final = (
    "refresh_token_expires_in",
    "x_refresh_token_expires_in",
    "refresh_expires_in",
    "refresh_token_expire_in",
)
_COMMA_AND_BLANK: Final = re.compile(r",\s")


def is_success(status: int) -> bool:
    """Whether the status is 2xx, except 206 (Partial Content)."""
    return 200 <= status < 300 and status != PARTIAL


def json_of(reply: Reply) -> Any:
    """The body parsed as JSON, whatever its media type. None if it is not JSON."""
    # Some third parties send a byte order mark, which RFC 8259, section 8.1, forbids.
    body = reply.body.removeprefix(b"\xef\xbb\xbf")
    try:
        return json.loads(body)
    except UnicodeDecodeError:
        return _json_in_latin_1(body)
    except (ValueError, RecursionError):
        return None


def _json_in_latin_1(body: bytes) -> Any:
    # RFC 8259 requires UTF-8. A name in an older encoding must not cost the tokens beside it.
    try:
        return json.loads(body.decode("latin-1"))
    except (ValueError, RecursionError):
        return None


def document_of(reply: Reply, form: str) -> Any:
    """The parsed body of a token response. ``form`` is ``json``, ``form``, or ``auto`` (JSON, then form)."""
    document = json_of(reply) if form != "form" else None
    if document is None and form != "json":
        document = _form_of(reply.body)
    return document


def tokens_of(
    document: Any, item: CatalogueConnector, client: Client, *, refreshed: bool = False
) -> Credentials | None:
    """Extract the tokens from a token response, even if it is otherwise invalid. None if it has none.

    ``refreshed``: the response is to a refresh. Some third parties nest the tokens of a code exchange in
    another object (``token_root``), but return those of a refresh at the top level.
    """
    root = value_at(document, item.token_root) if item.token_root else document
    if refreshed and not _has_tokens(root):
        root = document
    if not _has_tokens(root):
        return None
    access, refresh = _token(root, "access_token"), _token(root, "refresh_token")
    read = partial(_field, root)
    return Credentials(
        access_token=access or "",
        refresh_token=refresh or None,
        expires_at=_expiry(root, access or "", item),
        scope=_scope(root, item.scope_separator),
        client=client,
        obtained_at=clock.now(),
        grant_ends_at=end_of(read, _REFRESH_LIFETIMES, _REFRESH_TIMES),
        extra={**kept_at(root, item.keep_from_token), **kept_at(document, item.keep_from_token)},
    )


def is_usable(document: Any, item: CatalogueConnector, tokens: Credentials) -> bool:
    """Whether the access token fits into a header, is a bearer token, and came without ``ok: false``."""
    root = value_at(document, item.token_root) if item.token_root else document
    token_type = _field(root, "token_type") if isinstance(root, dict) else None
    needs_proof = isinstance(token_type, str) and token_type.strip().lower() in OTHER_SCHEMES
    malformed = token_type is not None and not isinstance(token_type, str)
    refused = isinstance(document, dict) and document.get("ok") is False
    return bool(_SENDABLE.fullmatch(tokens.access_token)) and not (needs_proof or malformed or refused)


def claims_of(document: Any) -> dict[str, Any]:
    """The claims of the response's ``id_token``. Empty if it is missing or malformed.

    The signature is not verified: the token came directly from the token endpoint over TLS (OpenID Connect
    Core, section 3.1.3.7, item 6).
    """
    return jwt_claims(value_at(document, "id_token"))


def _form_of(body: bytes) -> dict[str, str] | None:
    text = body.decode("utf-8", "replace").strip()
    if not _FORM.match(text) or "\n" in text or "<" in text:
        return None
    try:
        return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=_MAX_FIELDS))
    except ValueError:
        return None


def _has_tokens(root: Any) -> bool:
    names = ("access_token", "refresh_token")
    return isinstance(root, dict) and any(_token(root, name) for name in names)


def _token(root: Mapping[str, Any], name: str) -> str | None:
    value = _field(root, name)
    # A blank or line feed around a token is never part of it (RFC 6749, appendix A.12).
    return plain_text(value.strip()) if isinstance(value, str) else None


def _field(root: Mapping[str, Any], name: str) -> Any:
    """The value of a field, ignoring case and underscores: ``accessToken``, ``Access_Token``."""
    if name in root:
        return root[name]
    plain = name.replace("_", "")
    return next((root[key] for key in root if str(key).replace("_", "").lower() == plain), None)


def _scope(root: Mapping[str, Any], separator: str) -> str | None:
    """The granted scopes, separated by single spaces whatever the separator in the response."""
    value = _field(root, "scope")
    if value is None:
        value = _field(root, "scopes")
    if isinstance(value, list):
        value = " ".join(filter(None, map(plain_text, value)))
    text = plain_text(value)
    if text is None or not isinstance(value, str):
        return None
    if separator != " ":
        text = text.replace(separator, " ")
    elif _COMMA_AND_BLANK.search(text) or " " not in text.strip():
        text = text.replace(",", " ")
    return " ".join(text.split())


def _expiry(root: Mapping[str, Any], access_token: str, item: CatalogueConnector) -> datetime | None:
    """When the access token expires: as the response says, else as the token says, else the entry's default.

    At most one year ahead; None if none of them says it.
    """
    stated = end_of(partial(_field, root), _LIFETIMES, _TIMES) or end_of_jwt(access_token)
    if stated is None and item.expires_in_default:
        return clock.now() + timedelta(seconds=item.expires_in_default)
    return stated
