"""What third parties were seen to answer at times when they answer no refresh.

docs/providers.md says where.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from flask import Response

PAGE = "<html><h1>%s</h1></html>"


def page(text: str, status: int = 200, **headers: str) -> Response:
    """An HTML page."""
    return Response(PAGE % text, status, headers=headers, content_type="text/html")


def error(status: int, headers: dict[str, str] | None = None, /, **document: Any) -> Response:
    """A JSON document."""
    return Response(json.dumps(document), status, headers=headers, content_type="application/json")


PASSING: dict[str, Callable[[], Response]] = {
    "Exact Online": lambda: error(
        400, error="access_denied", error_description="Rate limit exceeded: access_token not expired"
    ),
    "Zoho": lambda: error(
        400,
        error="Access Denied",
        error_description="You have made too many requests continuously. Please try again after some time.",
        status="failure",
    ),
    "ActivityPub for WordPress": lambda: error(
        400, error="invalid_request", error_description="Too many token requests. Please try again later."
    ),
    "a rate limit as a dead grant": lambda: error(
        400, error="invalid_grant", error_description="Token request rate limit exceeded, try again later"
    ),
    "Google": lambda: error(403, error={"code": 403, "message": "Rate limit exceeded"}),
    "AWS": lambda: error(400, __type="ThrottlingException", message="Request was throttled"),
    "Salesforce": lambda: error(403, error="REQUEST_LIMIT_EXCEEDED"),
    "Salesforce, out of order": lambda: error(
        400, error="unknown_error", error_description="retry your request"
    ),
    "Salesforce, another refresh at work": lambda: error(
        400, error="invalid_grant", error_description="token request is already being processed"
    ),
    "Fiat Republic": lambda: error(
        401,
        errorCode="AUTHENTICATION FAILED",
        message="Too many requests, please try again after 7 seconds.",
    ),
    "Salesforce, too many logins": lambda: error(
        400, error="invalid_grant", error_description="login rate exceeded"
    ),
    "Facebook": lambda: error(
        400, error={"code": 4, "type": "OAuthException", "message": "Application request limit reached"}
    ),
    "QuickBooks": lambda: error(400, error="ThrottleExceeded"),
    "a 403 with Retry-After": lambda: error(403, {"Retry-After": "30"}, error="forbidden"),
    "no calls left": lambda: error(403, {"X-RateLimit-Remaining": "0"}, message="Forbidden"),
    "no calls left, by another name": lambda: error(400, {"RateLimit-Remaining": "0"}, error="denied"),
    "a challenge by Cloudflare": lambda: page("Just a moment", 403, **{"CF-Mitigated": "challenge"}),
    "another refresh at work": lambda: error(409, error="token_refresh_in_progress"),
    "maintenance in words": lambda: error(400, error="closed", error_description="Down for maintenance."),
    "500": lambda: error(500, error="server_error"),
    "503": lambda: Response("later", 503),
    "503 without a word": lambda: error(503, error=""),
    "429": lambda: error(429, error="rate_limited"),
    "a fault with 200": lambda: error(200, error="internal_error"),
    "a wish to wait": lambda: error(400, error="slow_down"),
}
"""Rate limits, outages, another refresh at work."""
UNCLEAR: dict[str, Callable[[], Response]] = {
    "CloudFront": lambda: page("The request could not be satisfied. Request blocked.", 403),
    "edX": lambda: Response("", 403),
    "API Gateway": lambda: error(403, message="Forbidden"),
    "Kong": lambda: error(404, message="no Route matched with those values"),
    "Spring": lambda: error(404, status=404, error="Not Found", path="/oauth/token"),
    "a default backend": lambda: Response("default backend - 404", 404, content_type="text/plain"),
    "a redirect to a status page": lambda: Response("", 302, headers={"Location": "https://status.example"}),
    "a maintenance page": lambda: page("We are down for maintenance"),
    "a script challenge": lambda: page("This site requires Javascript to work"),
    "an empty page": lambda: Response("", 200, content_type="text/html"),
    "nonsense": lambda: Response("<html>", 200, content_type="text/html"),
}
"""What stands in front of a third party may have answered: its proxy, its firewall, a maintenance page."""
