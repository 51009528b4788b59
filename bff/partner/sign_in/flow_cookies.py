"""The cookies that bind a flow to the browser that began it: one for each flow, of a limited number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from werkzeug.wrappers import Response

from bff.partner.crypto import sha256
from bff.serving.bounded_cookies import CookieKind, by_value

LIFE: Final = timedelta(minutes=10)
COOKIE: Final = "hitchpost_flow_"
ENDED: Final = "hitchpost_ended_"
MOST_COOKIES: Final = 10
"""Cookies of each kind in one browser. They take about 900 bytes; some servers reject more than 4 KB."""


@dataclass(frozen=True)
class Binding:
    """The cookie that binds a flow to the browser that began it."""

    state: str
    value: str
    secure: bool

    def set_on(self, response: Response, cookies: Mapping[str, str]) -> None:
        """Set the cookie. Each flow has its own, so that concurrent windows do not overwrite it.

        ``cookies`` are those of the request. If there are too many, the oldest are deleted.
        """
        _kind(self.secure).set_on(response, by_value(cookies), _key(self.state), self.value)


def forget(response: Response, state: str, cookies: Mapping[str, str], *, secure: bool) -> None:
    """Delete the cookie of an ended flow. A second cookie recognises the browser if it comes back."""
    name = cookie_name(state, secure)
    _kind(secure).delete_on(response, _key(state))
    if name in cookies:
        _kind(secure, ENDED).set_on(response, by_value(cookies), _key(state), cookies[name])


def shown(state: str, cookies: Mapping[str, str], *, secure: bool) -> list[str]:
    """The values of the browser's cookies for a flow, from its start and from its end."""
    names = (cookie_name(state, secure), _kind(secure, ENDED).prefix + _key(state))
    return [cookies[name] for name in names if cookies.get(name)]


def all_shown(cookies: Mapping[str, str], *, secure: bool) -> list[str]:
    """The values of the browser's cookies for all flows that have not ended."""
    prefix = _kind(secure).prefix
    return [value for name, value in cookies.items() if name.startswith(prefix) and value]


def cookie_name(state: str, secure: bool) -> str:
    """The name of the cookie for the flow with this state."""
    return _kind(secure).prefix + _key(state)


def _kind(secure: bool, name: str = COOKIE) -> CookieKind:
    return CookieKind(name, MOST_COOKIES, LIFE, secure)


def _key(state: str) -> str:
    return sha256(state)[:16]
