"""Reads the embedded service's JSON of a grant. Every field is optional; a malformed one is left out."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final, TypeVar

from bff.common.errors import PartnerUnavailable
from bff.common.secret import Secret
from bff.upstream.json_values import as_kept, read_moment
from bff.upstream.protocol import AccessToken, Grant

STATES: Final = frozenset({"connected", "needs_reconnect", "none"})
REASON: Final = re.compile(r"[a-z0-9_]{1,64}", re.ASCII)
MOST_SCOPES: Final = 500
MOST_EXTRAS: Final = 50
MOST_TEXT: Final = 2000
"""Characters of a scope, or of an extra."""
T = TypeVar("T")


def read_grant(raw: Any) -> Grant | None:
    """The grant of an account connector; None if it is missing or malformed."""
    state = raw.get("State") if isinstance(raw, dict) else None
    if not isinstance(state, str) or state not in STATES:
        return None
    reason = raw.get("Reason")
    return Grant(
        state=state,
        reason=reason if isinstance(reason, str) and REASON.fullmatch(reason) else None,
        expires_at=moment(raw.get("ExpiresAtUtc")),
        scopes=scopes(raw.get("Scopes")),
        wanted_scopes=scopes(raw.get("WantedScopes")) or (),
        extra=extras(raw.get("Extra")),
    )


def read_access_token(document: Any) -> AccessToken:
    """An access token. Raises ``PartnerUnavailable`` if the document has none."""
    value = document.get("AccessToken") if isinstance(document, dict) else None
    if not isinstance(value, str) or not value:
        raise PartnerUnavailable("the partner service answered without an access token")
    kind = document.get("TokenType")
    return AccessToken(
        value=Secret(value),
        token_type=kind if isinstance(kind, str) and kind else "Bearer",
        expires_at=moment(document.get("ExpiresAtUtc")),
        scopes=scopes(document.get("Scopes")),
        extra=extras(document.get("Extra")),
    )


def moment(raw: Any) -> datetime | None:
    """A time, or None."""
    return _or_none(read_moment, raw) if isinstance(raw, str) else None


def scopes(raw: Any) -> tuple[str, ...] | None:
    """A list of scopes, or None."""
    if not isinstance(raw, list):
        return None
    return tuple(filter(None, map(_text, raw[:MOST_SCOPES])))


def extras(raw: Any) -> dict[str, str] | None:
    """Further values from the third party, as texts by name; None if there are none."""
    if not isinstance(raw, dict):
        return None
    pairs = ((_text(name), _text(value)) for name, value in list(raw.items())[:MOST_EXTRAS])
    return {name: value for name, value in pairs if name and value} or None


def _text(value: Any) -> str | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    return as_kept(str(value)[:MOST_TEXT])


def _or_none(read: Callable[[str], T], raw: str) -> T | None:
    try:
        return read(raw)
    except PartnerUnavailable:
        return None
