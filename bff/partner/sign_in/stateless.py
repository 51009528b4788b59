"""An error that comes back without a state: it ends the one sign-in of its browser, or is asked about.

Some providers leave the state out when a user says no. But without one nothing shows that the third party
sent the browser here: any page can open this address in it, and would end the sign-in of whoever follows. So
it counts at once only where the browser itself says that a page of the third party's led here, in a window;
else the person at the window is asked.
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
"""The field of our own page's form: its user has said that the sign-in is to end."""
_SITE: Final = "Sec-Fetch-Site"
_WITHHELD: Final = frozenset({"code", "access_token", "id_token", "refresh_token"})


def is_to_be_asked(request: Request, begun: Alone) -> bool:
    """Whether the person is asked first.

    Browsers say since 2023 what made them open an address (Fetch Metadata); of one that does not, nothing is
    known, and its error counts as it came.
    """
    headers = request.headers
    if _SITE not in headers:
        return False
    window = headers.get("Sec-Fetch-Dest") == "document" and headers.get("Sec-Fetch-Mode") == "navigate"
    return not (window and _origin(headers.get("Referer", "")) in {_third_party(begun)} - {""})


def question(answer: Mapping[str, str]) -> FlowError:
    """The page that asks; its form brings the answer again."""
    given = {name: value for name, value in answer.items() if name not in _WITHHELD and name != CONFIRMED}
    return FlowError(200, "really_declined", asks={**given, CONFIRMED: "yes"})


def is_confirmed(request: Request) -> bool:
    """Whether a form is our own question's. No page of another origin can have a browser say so."""
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
