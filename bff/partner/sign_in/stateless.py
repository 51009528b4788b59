"""Handles an error response without a ``state``: it ends the browser's only sign-in, or asks the user.

Some third parties omit the ``state`` when a user denies consent. Without it, any site could end a sign-in by
sending the user to the callback URL. So the error is accepted at once only if the browser's headers show a
navigation from the third party's origin. Otherwise a page asks the user to confirm.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from flask import Request

from bff.partner.errors import FlowError
from bff.partner.providers import templates
from bff.partner.sign_in.flows import Alone

CONFIRMED: Final = "hitchpost_ends"
"""Form field of the question: the user confirms that the sign-in ends."""
_SITE: Final = "Sec-Fetch-Site"
_WITHHELD: Final = frozenset({"code", "access_token", "id_token", "refresh_token"})


def needs_confirmation(request: Request, begun: Alone) -> bool:
    """Whether the user has to confirm the error.

    Browsers send Fetch Metadata headers since 2023. Without them the error is accepted as it is.
    """
    headers = request.headers
    if _SITE not in headers:
        return False
    is_navigation = (
        headers.get("Sec-Fetch-Dest") == "document" and headers.get("Sec-Fetch-Mode") == "navigate"
    )
    return not (is_navigation and _origin(headers.get("Referer", "")) in {_third_party(begun)} - {""})


def question(answer: Mapping[str, str]) -> FlowError:
    """The page that asks the user. Its form sends the response again."""
    fields = {name: value for name, value in answer.items() if name not in _WITHHELD and name != CONFIRMED}
    return FlowError(200, "really_declined", asks={**fields, CONFIRMED: "yes"})


def is_confirmed(request: Request) -> bool:
    """Whether the form is that of the question. Other origins cannot forge ``Sec-Fetch-Site``."""
    return CONFIRMED in request.form and request.headers.get(_SITE) == "same-origin"


def _third_party(begun: Alone) -> str:
    try:
        return _origin(begun.item.url(begun.item.authorize_url or "", begun.flow.values))
    except templates.Unfit:
        return ""


def _origin(url: str) -> str:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return ""
    usual = {"http": 80, "https": 443}.get(parts.scheme)
    return f"{parts.scheme}://{parts.hostname}:{port or usual}" if usual and parts.hostname else ""
