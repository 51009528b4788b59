"""Launch cookies: one for each launched attempt, which binds the attempt to the browser that launched it."""

from __future__ import annotations

from typing import Final

from flask import Response, request

from bff.common.secret import Secret, fingerprint
from bff.connect.outcome import SIGN_IN_LIFE
from bff.web.kit.services import services

NAME: Final = "hitchpost_launch_"
MOST: Final = 8
"""Maximum launch cookies of a browser. Servers refuse a ``Cookie`` header that grows too long."""
MOST_TAKEN: Final = 20
"""Maximum cookies that one response deletes, as each deletion is a header."""


def set_on(response: Response, attempt_id: str, value: Secret) -> None:
    """Set the cookie with the secret of this launch, and delete the oldest ones above the maximum.

    Each attempt has its own cookie, so that two tabs do not overwrite each other's. ``SameSite=Lax``, because
    the third party sends the browser back from another site. It lasts as long as the sign-in can succeed.
    """
    # Browsers send the oldest first (RFC 6265, section 5.4).
    kept = [name for name in request.cookies if name.startswith(_prefix()) and name != _name(attempt_id)]
    for name in kept[: min(max(0, len(kept) + 1 - MOST), MOST_TAKEN)]:
        response.delete_cookie(name, path="/", secure=_secure(), httponly=True, samesite="Lax")
    response.set_cookie(
        _name(attempt_id),
        value.reveal(),
        max_age=SIGN_IN_LIFE,
        path="/",
        secure=_secure(),
        httponly=True,
        samesite="Lax",
    )


def of_request(attempt_id: str) -> Secret:
    """The value of this attempt's launch cookie; an empty secret if the browser has none."""
    return Secret(request.cookies.get(_name(attempt_id), ""))


def _name(attempt_id: str) -> str:
    return _prefix() + fingerprint(attempt_id)[:16]


def _prefix() -> str:
    # A __Host- cookie cannot be set by a sibling domain or over http (RFC 6265bis, section 4.1.3.2).
    return ("__Host-" if _secure() else "") + NAME


def _secure() -> bool:
    return services().urls.public_url.startswith("https:")
