"""Compares granted scopes with wanted ones. Third parties answer with other texts than they were asked for.

Google writes ``email`` as ``https://www.googleapis.com/auth/userinfo.email``. Microsoft puts its API's
address before a scope, in any case, never lists ``offline_access``, and lists what ``.default`` stands for.
GitHub, Shopify and PostHog leave out scopes that another granted one includes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

NO_RIGHTS: Final = frozenset(
    {
        *("openid", "profile", "email", "address", "phone"),
        *("offline", "offline_access", "offline.access", "refresh_token"),
        *("userinfo.email", "userinfo.profile"),
        ".default",
    }
)
"""Scopes that allow no call of an API: who signed in (OpenID Connect Core, section 5.4), and a refresh token.

``.default`` stands for the scopes that were configured at Microsoft.
"""
_LEVEL: Final = re.compile(r"(read|write)([_:])(.+)|(unauthenticated_read)(_)(.+)")
_INCLUDED_IN: Final = {
    "read": ("write", "admin"),
    "write": ("admin",),
    "unauthenticated_read": ("unauthenticated_write",),
}
"""Levels of one thing, as in ``read_products`` and ``read:org``, and the levels that include them."""


def missing_scopes(wanted: Iterable[str], granted: Iterable[str]) -> list[str]:
    """The wanted scopes without a granted one that allows the same."""
    texts = {_plain(scope) for scope in granted}
    names = texts | {_name(text) for text in texts}
    return [scope for scope in wanted if not _is_granted(_plain(scope), texts, names)]


def _is_granted(scope: str, texts: set[str], names: set[str]) -> bool:
    if _name(scope) in NO_RIGHTS:
        return True
    # With an address it is a scope of that API; a granted one without is of the API that was asked.
    if "://" in scope:
        return scope in texts or _name(scope) in {text for text in texts if "://" not in text}
    return any(text in names for text in (scope, *_including(scope)))


def _including(scope: str) -> Iterator[str]:
    """The scopes that include this one: ``user`` for ``user:email``, ``write_products`` for a read."""
    parent, colon, part = scope.partition(":")
    if colon and parent not in {"read", "write", "admin"}:
        yield parent
    if part == "read":
        yield f"{parent}:write"
    if found := _LEVEL.fullmatch(scope):
        level, mark, thing = (part for part in found.groups() if part is not None)
        yield from (f"{higher}{mark}{thing}" for higher in _INCLUDED_IN[level])


def _plain(scope: str) -> str:
    return scope.casefold().rstrip("/")


def _name(scope: str) -> str:
    """The scope without the address of its API."""
    return scope.rpartition("/")[2] if "://" in scope else scope
