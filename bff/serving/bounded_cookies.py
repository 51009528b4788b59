"""Cookies of which a browser has one for each thing it has begun, and of each kind only so many."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from werkzeug.wrappers import Response

MOST_TAKEN: Final = 20
"""Cookies that one response deletes. Each deletion needs a ``Set-Cookie`` header."""


@dataclass(frozen=True)
class CookieKind:
    """A kind of cookie: its names begin with ``name``, and a browser keeps at most ``most`` for ``life``.

    Servers refuse a ``Cookie`` header that grows too long. ``secure``: browsers reach the program over TLS.
    """

    name: str
    most: int
    life: timedelta
    secure: bool

    @property
    def prefix(self) -> str:
        """What the names begin with, as browsers have them."""
        # A __Host- cookie cannot be set by a sibling domain or over http (RFC 6265bis, section 4.1.3.2).
        # Browsers then require Secure and Path=/.
        return f"__Host-{self.name}" if self.secure else self.name

    def set_on(self, response: Response, oldest_first: Iterable[str], key: str, value: str) -> None:
        """Set the cookie for ``key``, and delete the oldest ones above the maximum.

        ``oldest_first``: the names of all cookies of the request. ``SameSite=Lax``, because a third party
        sends the browser back from another site.
        """
        name = self.prefix + key
        kept = [other for other in oldest_first if other.startswith(self.prefix) and other != name]
        for old in kept[: min(max(0, len(kept) + 1 - self.most), MOST_TAKEN)]:
            self._remove(response, old)
        response.set_cookie(
            name, value, max_age=self.life, path="/", secure=self.secure, httponly=True, samesite="Lax"
        )

    def delete_on(self, response: Response, key: str) -> None:
        """Delete the cookie for ``key``."""
        self._remove(response, self.prefix + key)

    def _remove(self, response: Response, name: str) -> None:
        response.delete_cookie(name, path="/", secure=self.secure, httponly=True, samesite="Lax")


def by_value(cookies: Mapping[str, str]) -> list[str]:
    """The names of ``cookies``, oldest first, of a kind whose values begin with the time of their setting."""
    return sorted(cookies, key=lambda name: (cookies[name], name))
