"""The pages that a person sees in the popup: opening, interstitial, return, and trouble in words."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final

from flask import Blueprint, Response, abort, make_response, redirect, request
from werkzeug.exceptions import HTTPException

from bff.common import legible
from bff.common.errors import (
    HitchpostError,
    LaunchPostponed,
    LaunchRefused,
    LimitsUnavailable,
    NotFound,
    OriginNotRegistered,
    PartnerProblem,
    RateLimited,
    StorageUnavailable,
)
from bff.common.secret import Secret
from bff.connect.attempt import Attempt, Status
from bff.connect.forms import Shown
from bff.content import look
from bff.content.product import Product, is_draft
from bff.content.words import Words
from bff.serving.edge import request_id
from bff.upstream.sign_in_forms import Way
from bff.web.kit import audit
from bff.web.kit.guards import (
    launch_is_confirmed,
    launch_is_direct,
    refuse_faulty_fields,
    refuse_repeated_fields,
    take_small_forms,
)
from bff.web.kit.in_app import is_hopeless
from bff.web.kit.limits import Purpose
from bff.web.kit.locales import browsers
from bff.web.kit.mount import own_path
from bff.web.kit.rendering import html, render
from bff.web.kit.responses import STATUS, answer, how_long_to_wait, tell_unforeseen
from bff.web.kit.services import services
from bff.web.popup import form_fields, launch_cookies, waiting
from bff.web.popup.inside import Inside

routes = Blueprint("hitchpost_pages", __name__)
routes.before_request(take_small_forms)
routes.before_request(refuse_repeated_fields)
routes.before_request(refuse_faulty_fields)

# No form-action: browsers apply it to every redirect that follows a form, and where ours end is the
# third party's business. No COOP on any page here: it would cut the popup off from its opener.
PAGE_HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'none'; style-src 'self'; img-src 'self' data:; connect-src 'self';"
        " base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # With no-referrer the page's own POST would carry "Origin: null", and the launch be refused.
    "Referrer-Policy": "same-origin",
}
LAUNCH_FIELDS: Final = ("launch_token", "product", "origin", "confirmation", "anyway")
HEALED_BY_TIME: Final = frozenset({408, 429, 500, 502, 503, 504})
OPENING_CACHE: Final = "public, max-age=300"
LAUNCH: Final = "/connect/launch"
RELOAD_SECONDS: Final = "3"


def is_page(path: str | None) -> bool:
    """Whether a person looks at what is answered there, below the mount."""
    return path is not None and path.startswith("/connect/")


@routes.get("/connect/opening")
def opening() -> Response:
    """The popup's first page: it takes the launch token from its opener and posts it."""
    product = services().products.get(request.args.get("product", ""))
    origin = request.args.get("origin", "")
    if product is None:
        raise NotFound("opening: there is no such product")
    if origin not in product.origins:
        raise OriginNotRegistered(f"opening: {origin or '(none)'} is not registered for {product.key}")
    offered = product.connector(request.args.get("connector", ""))
    name = services().catalogue.named(offered).name if offered else product.name
    words = Words(product, [request.args.get("locale", ""), *browsers()], offered.key if offered else None)
    page = _page("opening.html", product, words, origin=origin, connector_name=name)
    if not is_draft(product.key):
        page.headers["Cache-Control"] = OPENING_CACHE
    page.vary.add("Accept-Language")
    return page


@routes.post(LAUNCH)
def launch() -> Response:
    """Use the launch token once and send the browser on to the partner service."""
    token = Secret(request.form.get("launch_token", ""))
    connect = services().connect
    attempt = connect.peek(token)
    if not launch_is_direct(attempt) and not launch_is_confirmed(attempt):
        return _ask(attempt, token, "interstitial.html", confirmation=services().confirmations.issue(attempt))
    agent = request.headers.get("User-Agent", "")
    if is_hopeless(agent, attempt.connector) and "anyway" not in request.form:
        return _ask(attempt, token, "in_app.html", address=attempt.return_url or attempt.origin)
    # Refused before anything is used up: with another product file it is still good.
    services().accounts.claimed(attempt.account)
    # Counted for whom the token was made, and before it is used up: after a minute it is still good.
    services().limits.spend(Purpose.LAUNCH, attempt.product, attempt.account.id, attempt.user.id)
    try:
        launched = connect.launch(attempt)
    except LaunchPostponed as postponed:
        return waiting_page(postponed, attempt)
    except PartnerProblem as problem:
        return trouble(problem, attempt)
    audit.launched(attempt)
    response = onward(launched.url)
    if launched.browser is not None:
        launch_cookies.set_on(response, attempt.id, launched.browser)
    return response


def onward(url: Secret) -> Response:
    """Send the browser to a URL that holds something secret."""
    response = make_response(redirect(url.reveal(), 303))
    # The body that comes with a redirect repeats the URL for no reader.
    response.set_data(b"")
    response.headers.update({"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"})
    return response


@routes.get("/connect/return/<secret>")
def come_back(secret: str) -> Response:
    """Where the partner service sends the browser when no message was asked for. Shows, changes nothing."""
    attempt = services().connect.by_return_secret(Secret(secret))
    product = services().products.get(attempt.product)
    return _page("return.html", product, _words_of(attempt, product), attempt=attempt)


@routes.post("/connect/return/<secret>")
def report_return(secret: str) -> Response:
    """The return page's own report. The answer says where to go on, if the flow ran in the page's own tab."""
    if request.headers.get("Origin") != services().public_origin:
        abort(403, "this report comes from the return page only")
    error, finished = request.form.get("error", ""), request.form.get("finished") == "yes"
    attempt = services().connect.returned(Secret(secret), error, finished=finished)
    if request.form.get("finished") == "no":
        attempt = services().connect.cancel(attempt)
    return answer({"status": attempt.status.value, "return_url": attempt.return_url})


def trouble(error: Exception, attempt: Attempt | None = None) -> Response:
    """A page that tells a person what went wrong and what to do, and its opener that there is news."""
    status, code = _status_of(error)
    page = _trouble(status, code, attempt, again=_again(error, status))
    page.headers.update(how_long_to_wait(error))
    if request.method == "GET" and isinstance(error, StorageUnavailable):
        # Nothing was done, and what is asked for can be asked for again: the page does so by itself.
        page.headers["Refresh"] = RELOAD_SECONDS
    return page


def _trouble(
    status: int, code: str, attempt: Attempt | None, again: dict[str, str] | None = None
) -> Response:
    product = services().products.get(attempt.product) if attempt else None
    words = _words_of(attempt, product) if attempt else Words(None, browsers())
    about = page_values(product, words, attempt.connector.name if attempt else "")
    title, next_step = about["error"](code)
    page = _page(
        "error.html",
        product,
        words,
        attempt=attempt,
        code=code,
        title=title,
        next_step=next_step,
        # Without an attempt the request's own id is what the log has of it.
        support_code=attempt.support_code if attempt else request_id(request.environ),
        again=again,
    )
    page.vary.add("Accept-Language")
    page.status_code = status
    return page


def form(attempt: Attempt, shown: Shown, token: str) -> Response:
    """The form for what a connector needs."""
    product = services().products.get(attempt.product)
    words = _words_of(attempt, product)
    fields = form_fields.shapes(shown, texts(attempt, words))
    goes_on = shown.form.way is Way.OAUTH
    values: dict[str, Any] = {"fields": fields, "form_token": token, "goes_on": goes_on, "whole": []}
    page = _page("form.html", product, words, attempt=attempt, **values)
    # Its script alone sends it: no slip can put what was typed into an address.
    page.headers["Content-Security-Policy"] += "; form-action 'none'"
    return page


def ended(attempt: Attempt) -> Response:
    """What is shown in the window of an attempt that is over."""
    if attempt.status is Status.CONNECTED:
        product = services().products.get(attempt.product)
        return _page("return.html", product, _words_of(attempt, product), attempt=attempt, state="done")
    return _trouble(410, attempt.error_code or "failed", attempt)


def texts(attempt: Attempt, words: Words) -> Callable[[str], str]:
    """The texts of a page about an attempt, by key."""
    product = services().products.get(attempt.product)
    text: Callable[[str], str] = page_values(product, words, attempt.connector.name)["text"]
    return text


def waits(error: Exception) -> bool:
    """Whether this request is a launch that can be handed in again as it is."""
    is_launch = request.method == "POST" and own_path() == LAUNCH
    return is_launch and isinstance(error, waiting.PASSING)


def waiting_page(error: Exception, attempt: Attempt | None = None) -> Response:
    """A page that hands in the same launch again after a while, by itself."""
    product = services().products.get(attempt.product) if attempt else None
    words = _words_of(attempt, product) if attempt else Words(None, browsers())
    wait = waiting.seconds(error)
    again = waiting.fields(attempt)
    page = _page("waiting.html", product, words, attempt=attempt, fields=again, seconds=wait)
    page.vary.add("Accept-Language")
    page.status_code = 503
    page.headers["Retry-After"] = str(wait)
    return page


def _again(error: Exception, status: int) -> dict[str, str] | None:
    """How to do the same once more: by a link, or by a form of these fields; None where that is in vain."""
    if status not in HEALED_BY_TIME or request.method not in {"GET", "POST"}:
        return None
    if request.method == "GET":
        return {}
    # Refused before anything was looked at: then the launch token is as good as before.
    if not isinstance(error, StorageUnavailable | RateLimited | LimitsUnavailable):
        try:
            services().connect.peek(Secret(request.form.get("launch_token", "")))
        except LaunchRefused:
            return None
    return {name: request.form[name] for name in LAUNCH_FIELDS if name in request.form}


def refused(status: int) -> Response:
    """The page for an address that no route is asked for: too long, for another host, and so on."""
    return _trouble(status, "invalid_request", None)


def _status_of(error: Exception) -> tuple[int, str]:
    if isinstance(error, StorageUnavailable):
        return 503, "partner_unavailable"
    if isinstance(error, HitchpostError):
        return STATUS[type(error)], error.told if isinstance(error, PartnerProblem) else error.code
    # Only these: what others call their code is no status (SQLAlchemy's is a text).
    if isinstance(error, HTTPException) and error.code is not None:
        return error.code, "not_found" if error.code < 500 else "failed"
    tell_unforeseen(error)
    return 500, "failed"


def refused_launch(error: LaunchRefused) -> Response:
    """The page for a launch token that is no longer good; the page that began is told if it is known."""
    token = request.form.get("launch_token", "")
    return trouble(error, services().connect.attempt_of(Secret(token)))


def page_values(product: Product | None, words: Words, connector_name: str) -> dict[str, Any]:
    """What every page here is made from: its texts and their language, the product and its look."""
    base, named = services().public_url, product.name if product else ""
    light, dark = look.logo_of(product.look) if product else (None, None)
    styled = product if product and look.page_style(product.look) else None

    shown = {"connector_name": connector_name, "product_name": named}
    visible = {name: legible.visible_name(value) or "" for name, value in shown.items()}

    return {
        "product": product,
        "text": partial(words.text, **visible),
        "error": partial(words.error, **visible),
        "visible_both": legible.visible_both,
        "visible_id": legible.visible_id,
        "lang": words.lang,
        "dir": words.dir,
        "base": base,
        "look_style": look.page_style(styled.look) if styled else None,
        "style_url": f"{base}/connect/look/{styled.key}/{styled.version}.css" if styled else None,
        "logo_url": f"{base}/connect/logo/{light}" if light else None,
        "logo_dark_url": f"{base}/connect/logo/{dark}" if dark else None,
    }


def _ask(attempt: Attempt, token: Secret, template: str, **values: str) -> Response:
    """A page between here and the third party, whose form goes on with the token: nothing is used up yet."""
    product = services().products.get(attempt.product)
    words = _words_of(attempt, product)
    return _page(template, product, words, attempt=attempt, launch_token=token.reveal(), **values)


def _words_of(attempt: Attempt, product: Product | None) -> Words:
    return Words(product, [attempt.locale], attempt.connector.key)


def _page(
    template: str,
    product: Product | None,
    words: Words,
    *,
    attempt: Attempt | None = None,
    connector_name: str = "",
    **values: Any,
) -> Response:
    about = page_values(product, words, attempt.connector.name if attempt else connector_name)
    about |= {"attempt": attempt, "origin": attempt.origin if attempt else ""}
    inside = Inside(template, about["look_style"])
    about |= {"script": inside.script, "styles": inside.styles}
    page = html(render("hitchpost/" + template, **(about | values)))
    page.headers.update(PAGE_HEADERS)
    page.headers["Content-Security-Policy"] = inside.policy(PAGE_HEADERS["Content-Security-Policy"])
    page.headers["Cache-Control"] = "no-store"
    return page
