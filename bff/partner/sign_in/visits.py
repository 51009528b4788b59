"""Tells a person's visit of a link from prefetches, link previews and crawlers."""

from __future__ import annotations

import re
from typing import Final

from flask import Request, Response

PURPOSES: Final = ("Sec-Purpose", "Purpose", "X-Purpose", "X-Moz")
_PREFETCH: Final = re.compile(r"prefetch|prerender|preview", re.IGNORECASE)
WINDOWS: Final = frozenset({"document", "iframe", "frame"})
_LOOKERS: Final = re.compile(
    r"(?<!cu)bot\b|crawler|spider|preview|facebookexternalhit|slack-imgproxy|whatsapp|skypeuripreview"
    r"|mattermost|embedly",
    re.IGNORECASE,
)
"""User agents of link previews and crawlers. (CUBOT is a brand of telephones.)"""


def is_visit(request: Request) -> bool:
    """False for HEAD, prefetches, subresources of a page, and link previews.

    This is no access control. It only keeps such requests from using up a token.
    """
    headers = request.headers
    is_prefetch = any(_PREFETCH.search(headers.get(name, "")) for name in PURPOSES)
    is_subresource = headers.get("Sec-Fetch-Mode", "navigate") != "navigate" or (
        headers.get("Sec-Fetch-Dest", "document") not in WINDOWS
    )
    is_preview = _LOOKERS.search(headers.get("User-Agent", "")) is not None
    return request.method == "GET" and not (is_prefetch or is_subresource or is_preview)


def not_a_visit(request: Request) -> Response:
    """The response to a request that is not a visit: 503 for GET, else 405. The token stays valid."""
    status = 503 if request.method == "GET" else 405
    return Response(status=status, headers={"Allow": "GET", "Cache-Control": "no-store"})
