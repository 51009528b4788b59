"""Sessions of the Studio: cookie, CSRF token, roles, and the headers of responses."""

from __future__ import annotations

import hmac
from typing import Final

from flask import Response, request
from werkzeug.exceptions import BadRequest

from bff.common import actors
from bff.common.errors import HitchpostError
from bff.common.secret import Secret
from bff.studio.access import LONGEST_LIFE, StudioSession
from bff.web.kit import audit
from bff.web.kit.guards import SAFE_METHODS
from bff.web.kit.services import services

SESSION: Final = "hitchpost.studio_session"
CSRF_FIELD: Final = "csrf"
CSRF_HEADER: Final = "X-Hitchpost-Csrf"
MAX_BYTES: Final = 1024 * 1024

HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self';"
        " frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    # With strict-origin, the POST of a form has its Origin, and no Referer contains an invite's link.
    "Referrer-Policy": "strict-origin",
    "X-Content-Type-Options": "nosniff",
}


class SignedOut(HitchpostError):
    """The request has no Studio session, or it has ended."""

    code = "not_signed_in"
    status = 401


class Refused(HitchpostError):
    """A change that did not come from a page of this session, or that this role may not make."""

    code = "not_allowed"
    status = 403


class StaleToken(Refused):
    """The CSRF token of an earlier session: the page was loaded before its user signed in again."""


class LinkGone(HitchpostError):
    """An invite's link that is used, expired or unknown."""

    code = "link_gone"
    status = 410


def session_of_request(*, active: bool = True) -> StudioSession | None:
    """The Studio session of the request's cookie, read once a request. ``active`` extends it."""
    if SESSION not in request.environ:
        cookie = request.cookies.get(cookie_name(), "")
        request.environ[SESSION] = (
            services().teams.studio.session(Secret(cookie), active=active) if cookie else None
        )
        if (found := request.environ[SESSION]) is not None:
            audit.known_as(actors.editor(found.email), product=found.product, user=found.email)
    cached: StudioSession | None = request.environ[SESSION]
    return cached


def session() -> StudioSession:
    """The Studio session of this request. Raises ``SignedOut``."""
    # Polling for news does not count as activity, which would keep the session from expiring.
    current = session_of_request(active=request.endpoint is None or not request.endpoint.endswith(".news"))
    if current is None:
        raise SignedOut("sign in to the Studio by a link of your own")
    return current


def require_publisher() -> StudioSession:
    """The session, if its role may publish. Raises ``Refused``."""
    current = session()
    if not current.may_publish:
        raise Refused("only a publisher may do this; you are signed in as an editor")
    return current


def allow_more() -> None:
    """Raise the maximum size of requests, for the words page and uploaded images."""
    request.max_content_length = MAX_BYTES
    request.max_form_memory_size = MAX_BYTES


def require_same_origin() -> None:
    """Require the BFF's own ``Origin`` for unsafe methods. Raises ``Refused``, also without the header."""
    if request.method not in SAFE_METHODS and request.headers.get("Origin") != services().urls.public_origin:
        raise Refused("this came from another site, or from a page without an Origin; nothing was changed")


def require_session() -> None:
    """Require a session, and its CSRF token for unsafe methods. Raises ``SignedOut`` or ``Refused``."""
    current = session()
    if request.method in SAFE_METHODS:
        return
    fields = request.form.getlist(CSRF_FIELD)
    if len(fields) > 1:
        raise BadRequest(f"{CSRF_FIELD}: came more than once; send it once")
    token = request.headers.get(CSRF_HEADER) or "".join(fields)
    if not hmac.compare_digest(token.encode(), current.csrf.encode()):
        raise StaleToken("this page belongs to an earlier sign-in; load it again, then repeat the change")


def protect(response: Response) -> Response:
    """Set the headers of a Studio response."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    response.vary.update(("Cookie", "Origin"))
    return response


def cookie_name() -> str:
    """The name of the session cookie. With https it has the prefix ``__Host-`` (RFC 6265bis)."""
    return "__Host-hitchpost_studio" if _is_https() else "hitchpost_studio"


def give_cookie(response: Response, session_id: Secret) -> None:
    """Set the session cookie."""
    response.set_cookie(
        cookie_name(),
        session_id.reveal(),
        max_age=LONGEST_LIFE,
        path="/",
        secure=_is_https(),
        httponly=True,
        samesite="Lax",
    )


def take_cookie(response: Response) -> None:
    """Delete the session cookie."""
    response.delete_cookie(cookie_name(), path="/", secure=_is_https(), httponly=True, samesite="Lax")


def cookie_id() -> Secret | None:
    """The session id in the cookie; None without a cookie."""
    cookie = request.cookies.get(cookie_name())
    return Secret(cookie) if cookie else None


def wants_json() -> bool:
    """Whether the request comes from a script, which expects JSON."""
    return request.is_json or "application/json" in request.headers.get("Accept", "")


def _is_https() -> bool:
    return services().urls.public_url.startswith("https:")
