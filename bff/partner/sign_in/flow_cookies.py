"""The cookies that bind a flow to the browser that began it: one for each flow, of a limited number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from werkzeug.wrappers import Response

from bff.partner.crypto import sha256

LIFE: Final = timedelta(minutes=10)
COOKIE: Final = "hitchpost_flow_"
ENDED: Final = "hitchpost_ended_"
MOST_COOKIES: Final = 10
"""Cookies of each kind in one browser. They take about 900 bytes; some servers reject more than 4 KB."""
MOST_TAKEN: Final = 20
"""Cookies that one response deletes. Each deletion needs a ``Set-Cookie`` header."""


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
        name = cookie_name(self.state, self.secure)
        _set_bounded(response, cookies, COOKIE, name, self.value, self.secure)


def forget(response: Response, state: str, cookies: Mapping[str, str], *, secure: bool) -> None:
    """Delete the cookie of an ended flow. A second cookie recognises the browser if it comes back."""
    name = cookie_name(state, secure)
    _remove(response, name, secure)
    if name in cookies:
        _set_bounded(response, cookies, ENDED, ended_name(state, secure), cookies[name], secure)


def shown(state: str, cookies: Mapping[str, str], *, secure: bool) -> list[str]:
    """The values of the browser's cookies for a flow, from its start and from its end."""
    names = (cookie_name(state, secure), ended_name(state, secure))
    return [cookies[name] for name in names if cookies.get(name)]


def all_shown(cookies: Mapping[str, str], *, secure: bool) -> list[str]:
    """The values of the browser's cookies for all flows that have not ended."""
    return [value for name, value in cookies.items() if name.startswith(_prefix(secure)) and value]


def cookie_name(state: str, secure: bool) -> str:
    """The name of the cookie for the flow with this state."""
    return _prefix(secure) + sha256(state)[:16]


def ended_name(state: str, secure: bool) -> str:
    """The name of the cookie for the same flow after its end."""
    return _prefix(secure, ENDED) + sha256(state)[:16]


def _set_bounded(
    response: Response, cookies: Mapping[str, str], kind: str, name: str, value: str, secure: bool
) -> None:
    prefix = _prefix(secure, kind)
    own_cookies = sorted((value, name) for name, value in cookies.items() if name.startswith(prefix))
    for _, old_name in own_cookies[: min(max(0, len(own_cookies) - MOST_COOKIES + 1), MOST_TAKEN)]:
        _remove(response, old_name, secure)
    response.set_cookie(name, value, max_age=LIFE, path="/", secure=secure, httponly=True, samesite="Lax")


def _remove(response: Response, name: str, secure: bool) -> None:
    response.delete_cookie(name, path="/", secure=secure, httponly=True, samesite="Lax")


def _prefix(secure: bool, kind: str = COOKIE) -> str:
    # __Host-: no other host, such as a sub-domain, can set it. Browsers then require Secure and Path=/.
    return f"__Host-{kind}" if secure else kind
