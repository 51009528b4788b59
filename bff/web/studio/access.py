"""Who is at the Studio: the session of a request, and what a change needs besides."""

from __future__ import annotations

import hmac
from typing import Final

from flask import Response, request
from werkzeug.exceptions import BadRequest

from bff.common.errors import HitchpostError
from bff.common.secret import Secret
from bff.studio.access import LONGEST_LIFE, StudioSession
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
    # By strict-origin a form's POST carries its Origin, and no Referer ever carries an invite's link.
    "Referrer-Policy": "strict-origin",
    "X-Content-Type-Options": "nosniff",
}


class SignedOut(HitchpostError):
    """There is no session of the Studio, or it has ended."""

    code = "not_signed_in"
    status = 401


class Refused(HitchpostError):
    """A change that did not come from a page of this session, or that this role may not make."""

    code = "not_allowed"
    status = 403


class StaleToken(Refused):
    """A form of a page that was loaded before its person signed in again."""


class LinkGone(HitchpostError):
    """An invite's link that is used, late or unknown."""

    code = "link_gone"
    status = 410


def session_of_request(*, active: bool = True) -> StudioSession | None:
    """The Studio session of this request's cookie; looked up once a request."""
    if SESSION not in request.environ:
        cookie = request.cookies.get(cookie_name(), "")
        request.environ[SESSION] = (
            services().teams.studio.session(Secret(cookie), active=active) if cookie else None
        )
    found: StudioSession | None = request.environ[SESSION]
    return found


def session() -> StudioSession:
    """The Studio session of this request. Raises ``SignedOut``."""
    # A page that only looks whether there is news keeps nobody signed in.
    found = session_of_request(active=request.endpoint is None or not request.endpoint.endswith(".news"))
    if found is None:
        raise SignedOut("sign in to the Studio by a link of your own")
    return found


def require_publisher() -> StudioSession:
    """The session, if its role may publish. Raises ``Refused``."""
    found = session()
    if not found.may_publish:
        raise Refused("only a publisher may do this; you are signed in as an editor")
    return found


def allow_more() -> None:
    """A page of words or an image is larger than what the BFF's other routes take."""
    request.max_content_length = MAX_BYTES
    request.max_form_memory_size = MAX_BYTES


def require_same_origin() -> None:
    """A change comes from a page of the BFF itself: no header is not enough. Raises ``Refused``."""
    if request.method not in SAFE_METHODS and request.headers.get("Origin") != services().urls.public_origin:
        raise Refused("this came from another site, or from a page without an Origin; nothing was changed")


def require_session() -> None:
    """Somebody signed in, and for a change their session's token. Raises ``SignedOut`` or ``Refused``."""
    found = session()
    if request.method in SAFE_METHODS:
        return
    fields = request.form.getlist(CSRF_FIELD)
    if len(fields) > 1:
        raise BadRequest(f"{CSRF_FIELD}: came more than once; send it once")
    given = request.headers.get(CSRF_HEADER) or "".join(fields)
    if not hmac.compare_digest(given.encode(), found.csrf.encode()):
        raise StaleToken("this page belongs to an earlier sign-in; load it again, then repeat the change")


def protect(response: Response) -> Response:
    """The headers of every answer of the Studio."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    response.vary.update(("Cookie", "Origin"))
    return response


def cookie_name() -> str:
    """The session's cookie. Browsers keep the prefix for cookies of https, where nobody else can set one."""
    return "__Host-hitchpost_studio" if _is_https() else "hitchpost_studio"


def give_cookie(response: Response, session_id: Secret) -> None:
    """Hand the session to the browser."""
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
    """Let the browser forget it."""
    response.delete_cookie(cookie_name(), path="/", secure=_is_https(), httponly=True, samesite="Lax")


def cookie_id() -> Secret | None:
    """The session id that the browser sent, if any."""
    cookie = request.cookies.get(cookie_name())
    return Secret(cookie) if cookie else None


def wants_json() -> bool:
    """Whether a script asks, not a person."""
    return request.is_json or "application/json" in request.headers.get("Accept", "")


def _is_https() -> bool:
    return services().urls.public_url.startswith("https:")
