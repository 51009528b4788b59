"""Reading and cancelling attempts, and accepting another third-party account."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, Response, request

from bff.connect.attempt import READ_HINTS, Attempt, Delivery, Hint
from bff.connect.timeline import timeline_json
from bff.openapi.operation import Answer
from bff.serving import metrics
from bff.web.kit import cors
from bff.web.kit.authenticate import signed_in, signed_in_or_host_server
from bff.web.kit.bodies import Body, read_body
from bff.web.kit.guards import CUSTOM_HEADER
from bff.web.kit.limits import Limit
from bff.web.kit.responses import answer
from bff.web.kit.services import services
from bff.web.openapi import describe, parameters, shapes
from bff.web.openapi.describe import Access
from bff.web.widget_api.attempt_json import page_json
from bff.web.widget_api.beginning import BEGIN_PURPOSES, count_begin
from bff.web.widget_api.policy import require_may_accept

CUT_OFF: Final = "cut_off"
"""Sent in place of a hint by a page that cannot reach the popup it opened."""

routes = Blueprint("hitchpost_attempts", __name__)
routes.after_request(cors.grant)


class EmptyBody(Body):
    """An empty object."""


@routes.get("/v1/attempts/<attempt_id>")
@describe.operation(
    Answer(200, "The attempt.", shapes.AttemptState),
    access=Access.PAGE_OR_SERVER,
    parameters=(parameters.ATTEMPT, parameters.HINT, parameters.HINT_AS_HEADER),
    refusals=["not_found"],
)
def read(attempt_id: str) -> Response:
    """Poll and return an attempt: for the page that began it, or the host's server with its secret key."""
    product, principal = signed_in_or_host_server()
    service = services().attempts.service
    attempt = service.owned(attempt_id, principal) if principal else service.read(attempt_id, product.key)
    hint = _hint(attempt)
    if hint or principal is not None:
        metrics.signalled(hint.value if hint else None)
    observed = services().attempts.poller.poll(attempt, hint)
    if principal is None:
        timeline = timeline_json(observed, services().attempts.store.steps(attempt.id))
        views = services().attempts.views
        return answer(views.for_server(observed, product) | {"timeline": timeline})
    reply = page_json(product, principal, observed, hint)
    if request.headers.get(CUSTOM_HEADER) == CUT_OFF:
        reply["advice"] = "set Cross-Origin-Opener-Policy to same-origin-allow-popups on this page"
    return answer(reply)


@routes.post("/v1/attempts/<attempt_id>/cancel")
@describe.operation(
    Answer(200, "The attempt, which has ended.", shapes.AttemptState),
    access=Access.PAGE,
    parameters=(parameters.ORIGIN, parameters.ATTEMPT),
    body=EmptyBody,
    refusals=["not_found"],
)
def cancel(attempt_id: str) -> Response:
    """Cancel an attempt. The reply may still be ``connected``, if the sign-in has succeeded."""
    product, principal = signed_in()
    read_body(EmptyBody)
    service = services().attempts.service
    attempt = service.owned(attempt_id, principal)
    return answer(page_json(product, principal, service.cancel(attempt)))


@routes.post("/v1/attempts/<attempt_id>/accept")
@describe.operation(
    Answer(200, "The new attempt, which replaces the connected third-party account.", shapes.AttemptState),
    access=Access.PAGE,
    limit=Limit(BEGIN_PURPOSES),
    parameters=(parameters.ORIGIN, parameters.ATTEMPT),
    body=EmptyBody,
    refusals=("not_found", "not_allowed", "expired", *describe.PARTNER),
)
def accept(attempt_id: str) -> Response:
    """Accept the third-party account that signed in after an ``account_mismatch``, by a new attempt.

    Ends the grant of the connected one, so the product's ``disconnect`` policy applies.
    """
    product, principal = signed_in()
    read_body(EmptyBody)
    attempt = services().attempts.service.owned(attempt_id, principal)
    acceptance = services().attempts.acceptance
    count_begin(principal, repeated=acceptance.accepted(attempt) is not None)
    require_may_accept(product, principal, attempt)
    return answer(page_json(product, principal, acceptance.accept(attempt)))


def _hint(attempt: Attempt) -> Hint | None:
    # Unknown hints are ignored: a widget of another version may send some that this server does not know.
    hint = request.headers.get(CUSTOM_HEADER)
    if hint not in READ_HINTS and request.query_string:
        hint = request.args.get("hint")
    found = Hint(hint) if hint in READ_HINTS else None
    if found is Hint.RETURNED and attempt.delivery is Delivery.MESSAGE and attempt.returned_at is None:
        # The widget sends ``returned`` whenever it goes on with an existing attempt. A sign-in in a popup
        # does not return to the BFF, so this shows only that the page is there.
        return Hint.FOCUS
    return found
