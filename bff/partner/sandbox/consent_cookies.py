"""The cookie that ties a consent page to the browser that it was shown to: one a page, and never many."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Final

from werkzeug.wrappers import Response

PREFIX: Final = "sandbox_request_"
MOST: Final = 10
"""A header of cookies that grows with every page that was left is refused in the end."""
SECONDS: Final = 1800


def give(page: Response, cookies: Mapping[str, str], key: str, secret: str) -> None:
    """Set the cookie of the page ``key``; of too many among ``cookies``, the browser's, the oldest go."""
    ours = sorted((value, name) for name, value in cookies.items() if name.startswith(PREFIX))
    for _, name in ours[: max(0, len(ours) - MOST + 1)]:
        _remove(page, name)
    # The time in front says which of them is the oldest: browsers do not.
    value = f"{time.time_ns():020}.{secret}"
    page.set_cookie(_name(key), value, httponly=True, samesite="Lax", max_age=SECONDS, path="/")


def of(cookies: Mapping[str, str], key: str) -> str:
    """The secret that the browser shows for this page, or an empty text."""
    return cookies.get(_name(key), "").partition(".")[2]


def take_away(page: Response, key: str) -> None:
    """Remove the cookie of a page that was decided."""
    _remove(page, _name(key))


def _remove(page: Response, name: str) -> None:
    page.delete_cookie(name, path="/", httponly=True, samesite="Lax")


def _name(key: str) -> str:
    return PREFIX + key[:8]
