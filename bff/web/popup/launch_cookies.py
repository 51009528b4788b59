"""Launch cookies: one for each launched attempt, which binds the attempt to the browser that launched it."""

from __future__ import annotations

from typing import Final

from flask import Response, request

from bff.common.secret import Secret, fingerprint
from bff.connect.outcome import SIGN_IN_LIFE
from bff.serving.bounded_cookies import CookieKind
from bff.web.kit.services import services

NAME: Final = "hitchpost_launch_"
MOST: Final = 8
"""Maximum launch cookies of a browser. Servers refuse a ``Cookie`` header that grows too long."""


def set_on(response: Response, attempt_id: str, value: Secret) -> None:
    """Set the cookie with the secret of this launch, and delete the oldest ones above the maximum.

    Each attempt has its own cookie, so that two tabs do not overwrite each other's. It lasts as long as the
    sign-in can succeed.
    """
    # Browsers send the oldest first (RFC 6265, section 5.4).
    _kind().set_on(response, request.cookies, _key(attempt_id), value.reveal())


def of_request(attempt_id: str) -> Secret:
    """The value of this attempt's launch cookie; an empty secret if the browser has none."""
    return Secret(request.cookies.get(_kind().prefix + _key(attempt_id), ""))


def _key(attempt_id: str) -> str:
    return fingerprint(attempt_id)[:16]


def _kind() -> CookieKind:
    return CookieKind(NAME, MOST, SIGN_IN_LIFE, secure=services().urls.public_url.startswith("https:"))
