"""Sign-in with a personal invite link, and sign-out."""

from __future__ import annotations

from flask import Blueprint, Response, make_response, redirect

from bff.common.secret import Secret
from bff.resources import STUDIO_ASSETS
from bff.studio.access import Invite
from bff.web.kit import audit
from bff.web.kit.limits import BY_ADDRESS, Limit, limited
from bff.web.kit.rendering import html, render
from bff.web.kit.services import services
from bff.web.public.files import public_file
from bff.web.studio.access import LinkGone, cookie_id, give_cookie, take_cookie
from bff.web.studio.page_context import address

routes = Blueprint("doors", __name__)


@routes.get("/enter/<token>")
@limited(BY_ADDRESS)
def door(token: str) -> Response:
    """Show whose link this is. Does not use the link, as mail scanners and prefetches may open it."""
    invite = _usable(Secret(token))
    product = services().products.registration(invite.product)
    body = render(
        "studio/enter.html",
        base=address(),
        invite=invite,
        product=product.name if product else invite.product,
    )
    return html(body)


@routes.post("/enter/<token>")
@limited(Limit(by_address=True, needed=True))
def enter(token: str) -> Response:
    """Use the link once, and begin a session with a new id. An earlier session of the browser ends."""
    _usable(Secret(token))
    signed_in = services().teams.studio.sign_in(Secret(token))
    if signed_in is None:
        raise LinkGone("used")
    if (before := cookie_id()) is not None:
        services().teams.studio.sign_out(before)
    audit.at_studio("studio sign-in", signed_in[1])
    response = make_response(redirect(address("messages"), 303))
    give_cookie(response, signed_in[0])
    return response


@routes.get("/assets/<name>")
def asset(name: str) -> Response:
    """Scripts and styles of the Studio."""
    response = public_file(STUDIO_ASSETS, name, "no-cache")
    response.headers["Content-Security-Policy"] = "default-src 'none'"
    return response


def sign_out() -> Response:
    """End the session. Registered with the routes that require a session and its CSRF token."""
    if (before := cookie_id()) is not None:
        services().teams.studio.sign_out(before)
    response = html(render("studio/signed_out.html", base=address(), ended=False))
    take_cookie(response)
    return response


def _usable(token: Secret) -> Invite:
    invite = services().teams.studio.find_invite(token)
    if invite is None:
        services().limits.note_failure()
        raise LinkGone("unknown")
    if invite.used_at is not None:
        raise LinkGone("used")
    if invite.expires_at <= services().clock():
        raise LinkGone("late")
    return invite
