"""The cookies that tie a flow to the browser that began it: one for each, and never many."""

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
"""Of each kind, of one browser: some 900 bytes, where servers and proxies begin to refuse at 4 KB."""
MOST_TAKEN: Final = 20
"""So many are taken away by one answer: each is a line of it."""


@dataclass(frozen=True)
class Binding:
    """The cookie that ties a flow to the browser that began it."""

    state: str
    value: str
    secure: bool

    def set_on(self, response: Response, cookies: Mapping[str, str]) -> None:
        """One cookie for each flow: two windows at once must not overwrite each other's.

        Of too many among ``cookies``, those that the browser has, the oldest are removed.
        """
        name = cookie_name(self.state, self.secure)
        _set_bounded(response, cookies, COOKIE, name, self.value, self.secure)


def forget(response: Response, state: str, cookies: Mapping[str, str], *, secure: bool) -> None:
    """Remove the cookie of a flow that is over; another one is for coming back to its end once more."""
    name = cookie_name(state, secure)
    _remove(response, name, secure)
    if name in cookies:
        _set_bounded(response, cookies, ENDED, ended_name(state, secure), cookies[name], secure)


def shown(state: str, cookies: Mapping[str, str], *, secure: bool) -> list[str]:
    """What a browser shows of a flow: what it got when that began, or when it ended."""
    names = (cookie_name(state, secure), ended_name(state, secure))
    return [cookies[name] for name in names if cookies.get(name)]


def all_shown(cookies: Mapping[str, str], *, secure: bool) -> list[str]:
    """What a browser shows of every flow that it has begun and that is not over."""
    return [value for name, value in cookies.items() if name.startswith(_prefix(secure)) and value]


def cookie_name(state: str, secure: bool) -> str:
    """The cookie of the flow with this state."""
    return _prefix(secure) + sha256(state)[:16]


def ended_name(state: str, secure: bool) -> str:
    """The cookie of the same flow when it is over."""
    return _prefix(secure, ENDED) + sha256(state)[:16]


def _set_bounded(
    response: Response, cookies: Mapping[str, str], kind: str, name: str, value: str, secure: bool
) -> None:
    prefix = _prefix(secure, kind)
    ours = sorted((value, name) for name, value in cookies.items() if name.startswith(prefix))
    for _, old in ours[: min(max(0, len(ours) - MOST_COOKIES + 1), MOST_TAKEN)]:
        _remove(response, old, secure)
    response.set_cookie(name, value, max_age=LIFE, path="/", secure=secure, httponly=True, samesite="Lax")


def _remove(response: Response, name: str, secure: bool) -> None:
    response.delete_cookie(name, path="/", secure=secure, httponly=True, samesite="Lax")


def _prefix(secure: bool, kind: str = COOKIE) -> str:
    # __Host-: no other host, however near, can set it; browsers ask for Secure and Path=/ in return.
    return f"__Host-{kind}" if secure else kind
