"""Mints for a launch as its button is pressed, while the popup still opens."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, Response, request

from bff.common.errors import InvalidRequest, OriginNotRegistered
from bff.common.secret import Secret
from bff.connect.attempt import Attempt
from bff.openapi.operation import Answer
from bff.web.kit import cors
from bff.web.kit.bodies import Body, validate
from bff.web.kit.guards import ORIGIN, refuse_faulty_fields, refuse_repeated_fields, take_small_forms
from bff.web.kit.in_app import refuses_browser
from bff.web.kit.launches import launchable
from bff.web.kit.limits import Limit, Purpose
from bff.web.kit.services import services
from bff.web.openapi import describe, parameters
from bff.web.openapi.describe import Access

FORM_FIELD: Final = "launch_token"
"""The only field of the form."""

routes = Blueprint("hitchpost_press", __name__)
routes.before_request(take_small_forms)
routes.before_request(refuse_repeated_fields)
routes.before_request(refuse_faulty_fields)
routes.after_request(cors.grant)


class PressForm(Body):
    """The form of ``POST /v1/press``."""

    launch_token: str


@routes.post("/v1/press")
@describe.operation(
    Answer(204, "The press was accepted."),
    access=Access.ANYBODY,
    limit=Limit((Purpose.PRESS,), by_address=True),
    parameters=(parameters.ORIGIN,),
    form=PressForm,
    refusals=("origin_not_allowed", "launch_refused", "invalid_request", "storage_unavailable"),
)
def press() -> Response:
    """Report that an attempt's button is pressed, so that its sign-in token is minted ahead of its launch.

    For an attempt that adds a connection it is minted at the launch only. Idempotent. The reply is empty. The
    body is a form, so the browser sends no CORS preflight, which would take as long as this call saves. The
    launch token authorises it, and ``Origin`` must be the attempt's.
    """
    if FORM_FIELD not in request.form:
        raise InvalidRequest(f"{FORM_FIELD}: send it as the field of a form")
    pressed = validate(PressForm, request.form.to_dict())
    attempt = launchable(Secret(pressed.launch_token))
    if request.headers.get(ORIGIN) != attempt.origin:
        raise OriginNotRegistered("a press must come from the origin of the page that began the attempt")
    mint_ahead(attempt)
    response = Response(status=204)
    del response.headers["Content-Type"]  # There is no content.
    return response


def mint_ahead(attempt: Attempt) -> None:
    """Mint for the launch of this attempt in the background, as the button is pressed.

    Does nothing in an in-app browser in which the third party refuses sign-ins: there the launch first asks
    the user whether to go on. Raises ``RateLimited`` or ``LimitsUnavailable``.
    """
    if refuses_browser(request.headers.get("User-Agent", ""), attempt.connector):
        return
    # A limit of its own, as high as that of launches: sharing theirs would halve the launches allowed.
    services().limits.spend(Purpose.PRESS, attempt.product, attempt.account.id, attempt.user.id)
    services().attempts.service.press(attempt)
