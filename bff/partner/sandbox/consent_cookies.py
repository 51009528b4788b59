"""Cookies that bind a consent page to the browser that loaded it. One for each page, at most ``MOST``."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Final

from werkzeug.wrappers import Response

PREFIX: Final = "sandbox_request_"
MOST: Final = 10
"""Maximum number of cookies. Without it, abandoned pages would exceed the server's header limit."""
SECONDS: Final = 1800


def give(page: Response, cookies: Mapping[str, str], key: str, secret: str) -> None:
    """Set the cookie of the page ``key``. Delete the oldest of the browser's ``cookies`` over ``MOST``."""
    existing = sorted((value, name) for name, value in cookies.items() if name.startswith(PREFIX))
    for _, name in existing[: max(0, len(existing) - MOST + 1)]:
        _remove(page, name)
    # Prefix the time, since browsers do not send the age of a cookie.
    value = f"{time.time_ns():020}.{secret}"
    page.set_cookie(_name(key), value, httponly=True, samesite="Lax", max_age=SECONDS, path="/")


def of(cookies: Mapping[str, str], key: str) -> str:
    """The secret in the browser's cookie for this page, or an empty string."""
    return cookies.get(_name(key), "").partition(".")[2]


def take_away(page: Response, key: str) -> None:
    """Delete the cookie of a page whose form was submitted."""
    _remove(page, _name(key))


def _remove(page: Response, name: str) -> None:
    page.delete_cookie(name, path="/", httponly=True, samesite="Lax")


def _name(key: str) -> str:
    return PREFIX + key[:8]
