"""What a browser keeps of each launch, to show at the end that it is the one that launched."""

from __future__ import annotations

from typing import Final

from flask import Response, request

from bff.common.secret import Secret, fingerprint
from bff.connect.outcome import LATE
from bff.web.kit.services import services

NAME: Final = "hitchpost_launch_"
MOST: Final = 8
"""More sign-ins at once nobody has; a header of cookies that grows without end is refused in the end."""
MOST_TAKEN: Final = 20
"""So many are taken away by one answer: each is a line of it."""


def set_on(response: Response, attempt_id: str, value: Secret) -> None:
    """Give the browser the secret of this launch, and take the oldest ones away when there are too many.

    One cookie for each attempt: two tabs must not overwrite each other's. ``Lax``, as the third party's
    answer brings the browser back from another site. It lives as long as a sign-in can still succeed.
    """
    # Browsers send the oldest first (RFC 6265, 5.4).
    kept = [name for name in request.cookies if name.startswith(_prefix())]
    for name in kept[: min(max(0, len(kept) + 1 - MOST), MOST_TAKEN)]:
        response.delete_cookie(name, path="/", secure=_secure(), httponly=True, samesite="Lax")
    response.set_cookie(
        _name(attempt_id),
        value.reveal(),
        max_age=LATE,
        path="/",
        secure=_secure(),
        httponly=True,
        samesite="Lax",
    )


def of_request(attempt_id: str) -> Secret:
    """What this browser kept of the launch of this attempt; an empty secret when nothing."""
    return Secret(request.cookies.get(_name(attempt_id), ""))


def _name(attempt_id: str) -> str:
    return _prefix() + fingerprint(attempt_id)[:16]


def _prefix() -> str:
    # Browsers take a __Host- cookie from nobody but this host itself, over https: no other may plant one.
    return ("__Host-" if _secure() else "") + NAME


def _secure() -> bool:
    return services().urls.public_url.startswith("https:")
