"""The routes of the popup: the opening page, the launch, and the way back."""

from __future__ import annotations

from typing import Final, Literal

from flask import Blueprint, Response, abort, make_response, redirect, request
from pydantic import BaseModel

from bff.common.errors import LaunchPostponed, NotFound, OriginNotRegistered, PartnerProblem
from bff.common.secret import Secret
from bff.connect.attempt import Attempt, Status
from bff.content.product import is_draft
from bff.content.words import Words
from bff.openapi.operation import Answer, Parameter
from bff.web.kit import audit
from bff.web.kit.guards import (
    launch_is_confirmed,
    launch_is_direct,
    refuse_faulty_fields,
    refuse_repeated_fields,
    take_small_forms,
)
from bff.web.kit.in_app import refuses_browser
from bff.web.kit.launches import launchable
from bff.web.kit.limits import BY_ADDRESS, Limit, Purpose
from bff.web.kit.locales import browser_languages
from bff.web.kit.responses import answer
from bff.web.kit.services import services
from bff.web.openapi import describe, parameters
from bff.web.popup import launch_cookies
from bff.web.popup.endings import LAUNCH, trouble, waiting_page
from bff.web.popup.page import page_of, words_of

routes = Blueprint("hitchpost_pages", __name__)
routes.before_request(take_small_forms)
routes.before_request(refuse_repeated_fields)
routes.before_request(refuse_faulty_fields)

OPENING_CACHE: Final = "public, max-age=300"
SECRET: Final = Parameter("secret", "The attempt's return secret.", "path")


class LaunchForm(BaseModel):
    """The opening page's form: ``product`` and ``origin`` are those that the page was opened for.

    ``confirmation`` is set by the interstitial page. ``anyway`` continues in an in-app browser.
    """

    launch_token: str
    product: str | None = None
    origin: str | None = None
    confirmation: str | None = None
    anyway: str | None = None


class ReturnForm(BaseModel):
    """The return page's form: the ``error`` of its query, and the user's answer whether they finished."""

    error: str | None = None
    finished: Literal["yes", "no"] | None = None


class Returned(BaseModel):
    """The attempt's status, and the URL to continue at if the flow ran in the page's own tab."""

    status: Status
    return_url: str | None


@routes.get("/connect/opening")
@describe.page(
    *(200, 403, 404),
    limit=BY_ADDRESS,
    parameters=(
        Parameter("product", "The product's key.", required=True),
        Parameter("origin", "The origin of the page that opens it.", required=True),
        Parameter("connector", "The connector's key."),
        parameters.LOCALE,
    ),
)
def opening() -> Response:
    """The popup's first page. It receives the launch token from its opener and posts it."""
    product = services().products.get(request.args.get("product", ""))
    origin = request.args.get("origin", "")
    if product is None:
        raise NotFound("opening: there is no such product")
    if origin not in product.origins:
        raise OriginNotRegistered(f"opening: {origin or '(none)'} is not registered for {product.key}")
    offered = product.connector(request.args.get("connector", ""))
    name = services().catalogue.named(offered).name if offered else product.name
    words = Words(
        product, [request.args.get("locale", ""), *browser_languages()], offered.key if offered else None
    )
    page = page_of("opening.html", product, words, origin=origin, connector_name=name)
    if not is_draft(product.key):
        page.headers["Cache-Control"] = OPENING_CACHE
    page.vary.add("Accept-Language")
    return page


@routes.post(LAUNCH)
@describe.page(
    Answer(303, "On to the partner service.", headers=(describe.LOCATION,)),
    *(200, 403, 410, 502),
    limit=Limit((Purpose.LAUNCH,), by_address=True, needed=True),
    form=LaunchForm,
)
def launch() -> Response:
    """Use the launch token once and redirect to the partner service."""
    token = Secret(request.form.get("launch_token", ""))
    attempt = launchable(token)
    if not launch_is_direct(attempt) and not launch_is_confirmed(attempt):
        confirmation = services().sessions.confirmations.issue(attempt)
        return _ask(attempt, token, "interstitial.html", confirmation=confirmation)
    agent = request.headers.get("User-Agent", "")
    if refuses_browser(agent, attempt.connector) and "anyway" not in request.form:
        return _ask(attempt, token, "in_app.html", address=attempt.return_url or attempt.origin)
    # Checked before the token is used: it stays valid for a retry after the product file is corrected.
    services().accounts.claimed(attempt.account)
    # Counted for the attempt's user, before the token is used: it stays valid for a retry after a minute.
    services().limits.spend(Purpose.LAUNCH, attempt.product, attempt.account.id, attempt.user.id)
    try:
        launched = services().attempts.service.launch(attempt)
    except LaunchPostponed as postponed:
        return waiting_page(postponed, attempt)
    except PartnerProblem as problem:
        return trouble(problem, attempt)
    audit.launched(attempt)
    response = onward(launched.url)
    if launched.browser_secret is not None:
        launch_cookies.set_on(response, attempt.id, launched.browser_secret)
    return response


def onward(url: Secret) -> Response:
    """Redirect (303) to a URL that contains a secret: no body, no cache, no referrer."""
    response = make_response(redirect(url.reveal(), 303))
    # The default body repeats the URL.
    response.set_data(b"")
    response.headers.update({"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"})
    return response


@routes.get("/connect/return/<secret>")
@describe.page(200, 404, limit=BY_ADDRESS, parameters=(SECRET,))
def come_back(secret: str) -> Response:
    """The return page, to which the partner service sends the browser if it posts no message. Read-only."""
    attempt = services().attempts.service.by_return_secret(Secret(secret))
    product = services().products.get(attempt.product)
    return page_of("return.html", product, words_of(attempt, product), attempt=attempt)


@routes.post("/connect/return/<secret>")
@describe.page(
    Answer(200, "How the attempt stands.", Returned),
    *(403, 404),
    limit=BY_ADDRESS,
    parameters=(SECRET, parameters.OWN_ORIGIN),
    form=ReturnForm,
)
def report_return(secret: str) -> Response:
    """Receive the return page's report. Returns ``return_url`` if the flow ran in the page's own tab."""
    if request.headers.get("Origin") != services().urls.public_origin:
        abort(403, "this report comes from the return page only")
    error, finished = request.form.get("error", ""), request.form.get("finished") == "yes"
    attempt = services().attempts.service.record_return(Secret(secret), error, finished=finished)
    if request.form.get("finished") == "no":
        attempt = services().attempts.service.cancel(attempt)
    return answer({"status": attempt.status.value, "return_url": attempt.return_url})


def _ask(attempt: Attempt, token: Secret, template: str, **values: str) -> Response:
    """A page that asks the user first. Its form repeats the launch with the token, which is not used yet."""
    product = services().products.get(attempt.product)
    words = words_of(attempt, product)
    return page_of(template, product, words, attempt=attempt, launch_token=token.reveal(), **values)
