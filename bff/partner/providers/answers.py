"""What token endpoints answer, in all the forms that third parties have for it.

RFC 6749, section 5.1, wants status 200 and a JSON object with ``access_token`` and ``token_type``. Others
send another 2xx, a form, JSON under the name of a page, an error with status 200, the tokens inside another
object, no type, and lives as texts. ``docs/providers.md`` tells who does what.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import parse_qsl

from flask import json

from bff.partner import clock
from bff.partner.providers.credentials import Client, Credentials
from bff.partner.providers.dotted import kept_at, plain_text, value_at
from bff.partner.providers.entries import LONGEST_LIFE, CatalogueConnector
from bff.partner.providers.transport import Reply

OTHER_SCHEMES: Final = frozenset({"mac", "dpop", "pop", "n_a", "hoba", "signature"})
"""Token types that are worth nothing without a proof that we do not make; any other is a bearer's."""
PARTIAL: Final = 206
_SENDABLE: Final = re.compile(r"[!-~](?:[ -~]*[!-~])?")
"""An access token that fits into a header (RFC 6749, appendix A.12)."""
_FORM: Final = re.compile(r"[A-Za-z0-9_.%-]+=[^\s<>{]*")
_SECONDS: Final = re.compile(r"\d{1,400}(?:\.\d*)?")
_MOST_FIELDS: Final = 100
_ENDS_OF_REFRESH: Final = ("refresh_token_expires_in", "x_refresh_token_expires_in", "refresh_expires_in")


def is_success(status: int) -> bool:
    """Any 2xx, but for a part of an answer."""
    return 200 <= status < 300 and status != PARTIAL


def is_refusal(document: Any) -> bool:
    """Whether an answer with status 2xx tells that nothing was done."""
    if not isinstance(document, dict):
        return False
    error = document.get("error")
    return document.get("ok") is False or (isinstance(error, str | dict) and bool(error))


def json_of(reply: Reply) -> Any:
    """The JSON of an answer, whatever its media type calls it; None where it is none."""
    try:
        # Some send a byte order mark, which JSON has none of (RFC 8259, section 8.1).
        return json.loads(reply.body.removeprefix(b"\xef\xbb\xbf"))
    except (ValueError, RecursionError):
        return None


def document_of(reply: Reply, form: str) -> Any:
    """What a token endpoint answered: its JSON, or its form where ``form`` is ``auto`` or ``form``."""
    document = json_of(reply) if form != "form" else None
    if document is None and form != "json":
        document = _form_of(reply.body)
    return document


def tokens_of(
    document: Any, item: CatalogueConnector, client: Client, *, refreshed: bool = False
) -> Credentials | None:
    """The tokens of an answer, whatever else is wrong with it; None where there are none.

    Some that put a user's tokens inside another object answer a refresh of them at the top (``refreshed``).
    """
    root = value_at(document, item.token_root) if item.token_root else document
    if refreshed and not _has_tokens(root):
        root = document
    if not _has_tokens(root):
        return None
    access, refresh = _token(root, "access_token"), _token(root, "refresh_token")
    default = item.expires_in_default
    ends = _ends(root) or (clock.now() + timedelta(seconds=default) if default else None)
    return Credentials(
        access_token=access or "",
        refresh_token=refresh or None,
        expires_at=ends,
        scope=_scope(_named(root, "scope"), item.scope_separator),
        client=client,
        obtained_at=clock.now(),
        grant_ends_at=next(filter(None, (_in(_named(root, name)) for name in _ENDS_OF_REFRESH)), None),
        extra={**kept_at(root, item.keep_from_token), **kept_at(document, item.keep_from_token)},
    )


def is_usable(document: Any, item: CatalogueConnector, found: Credentials) -> bool:
    """Whether tokens can be used: sendable, of a type that needs no proof, and not beside an error."""
    root = value_at(document, item.token_root) if item.token_root else document
    kind = _named(root, "token_type") if isinstance(root, dict) else None
    other = isinstance(kind, str) and kind.strip().lower() in OTHER_SCHEMES
    odd = kind is not None and not isinstance(kind, str)
    refused = isinstance(document, dict) and document.get("ok") is False
    return bool(_SENDABLE.fullmatch(found.access_token)) and not (other or odd or refused)


def claims_of(document: Any) -> dict[str, Any]:
    """The claims of an ``id_token`` that came with tokens; none where there is none that is readable.

    It came from the token endpoint itself, so that its signature says nothing more (OpenID Connect Core,
    section 3.1.3.7, number 6).
    """
    token = value_at(document, "id_token")
    parts = token.split(".") if isinstance(token, str) else []
    if len(parts) != 3:
        return {}
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, RecursionError, binascii.Error):
        return {}
    return claims if isinstance(claims, dict) else {}


def _form_of(body: bytes) -> dict[str, str] | None:
    text = body.decode("utf-8", "replace").strip()
    if not _FORM.match(text) or "\n" in text or "<" in text:
        return None
    try:
        return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=_MOST_FIELDS))
    except ValueError:
        return None


def _has_tokens(root: Any) -> bool:
    names = ("access_token", "refresh_token")
    return isinstance(root, dict) and any(_token(root, name) for name in names)


def _token(root: Mapping[str, Any], name: str) -> str | None:
    value = _named(root, name)
    return plain_text(value) if isinstance(value, str) else None


def _named(root: Mapping[str, Any], name: str) -> Any:
    """A value by its name, or by the same name in other letters: ``accessToken``, ``Access_Token``."""
    if name in root:
        return root[name]
    plain = name.replace("_", "")
    return next((root[key] for key in root if str(key).replace("_", "").lower() == plain), None)


def _scope(value: Any, separator: str) -> str | None:
    """The granted scopes, with a blank between two, whatever stood there."""
    if isinstance(value, list):
        value = " ".join(filter(None, map(plain_text, value)))
    text = plain_text(value)
    if text is None or not isinstance(value, str):
        return None
    if separator != " ":
        text = text.replace(separator, " ")
    elif " " not in text.strip():
        text = text.replace(",", " ")
    return " ".join(text.split())


def _ends(root: Mapping[str, Any]) -> datetime | None:
    """When an access token ends; None where the answer says nothing of use. At most a year ahead."""
    return _in(_named(root, "expires_in")) or _at(_named(root, "expires_at"))


def _in(value: Any) -> datetime | None:
    """So many seconds from now: a number, or a text of one. 0 is "never" at some third parties."""
    seconds = _number(value)
    return clock.now() + timedelta(seconds=min(seconds, LONGEST_LIFE)) if seconds else None


def _at(value: Any) -> datetime | None:
    """A moment as seconds since 1970, which some send instead."""
    seconds = _number(value)
    ahead = seconds - clock.now().timestamp() if seconds else 0
    return clock.now() + timedelta(seconds=min(ahead, LONGEST_LIFE)) if ahead > 0 else None


def _number(value: Any) -> float | None:
    if isinstance(value, str) and _SECONDS.fullmatch(value.strip()):
        value = float(value.strip()[:20])
    if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
        return None
    return float(min(value, 10**12))
