"""Cookies that bind a consent page to the browser that loaded it. One for each page, of a limited number."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from werkzeug.wrappers import Response

from bff.serving.bounded_cookies import CookieKind, by_value

KIND: Final = CookieKind("sandbox_request_", most=10, life=timedelta(minutes=30), secure=False)
"""The maximum is for abandoned pages, whose cookies would exceed the server's header limit."""


def give(page: Response, cookies: Mapping[str, str], key: str, secret: str) -> None:
    """Set the cookie of the page ``key``. ``cookies`` are those of the request; the oldest are deleted."""
    # Prefix the time, since browsers do not send the age of a cookie.
    KIND.set_on(page, by_value(cookies), key[:8], f"{time.time_ns():020}.{secret}")


def of(cookies: Mapping[str, str], key: str) -> str:
    """The secret in the browser's cookie for this page, or an empty string."""
    return cookies.get(KIND.prefix + key[:8], "").partition(".")[2]


def take_away(page: Response, key: str) -> None:
    """Delete the cookie of a page whose form was submitted."""
    KIND.delete_on(page, key[:8])
