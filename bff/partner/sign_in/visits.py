"""Whether a request is a person's window that opens a link, or something else that only looks at it."""

from __future__ import annotations

import re
from typing import Final

from flask import Request, Response

PURPOSES: Final = ("Sec-Purpose", "Purpose", "X-Purpose", "X-Moz")
_AHEAD: Final = re.compile(r"prefetch|prerender|preview", re.IGNORECASE)
WINDOWS: Final = frozenset({"document", "iframe", "frame"})
_LOOKERS: Final = re.compile(
    r"(?<!cu)bot\b|crawler|spider|preview|facebookexternalhit|slack-imgproxy|whatsapp|skypeuripreview"
    r"|mattermost|embedly",
    re.IGNORECASE,
)
"""What fetches links to show or to check them, as far as it says so. (CUBOT makes telephones.)"""


def is_visit(request: Request) -> bool:
    """False for HEAD, for what browsers load ahead or inside a page, and for previews of links.

    Nothing is proven by this and nobody let in: it only keeps a token whole that nobody has used yet.
    """
    headers = request.headers
    ahead = any(_AHEAD.search(headers.get(name, "")) for name in PURPOSES)
    inside = headers.get("Sec-Fetch-Mode", "navigate") != "navigate" or (
        headers.get("Sec-Fetch-Dest", "document") not in WINDOWS
    )
    looker = _LOOKERS.search(headers.get("User-Agent", "")) is not None
    return request.method == "GET" and not (ahead or inside or looker)


def not_a_visit(request: Request) -> Response:
    """What it is told: come back with a GET, when somebody looks."""
    status = 503 if request.method == "GET" else 405
    return Response(status=status, headers={"Allow": "GET", "Cache-Control": "no-store"})
