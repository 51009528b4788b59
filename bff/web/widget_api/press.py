"""A button is pressed: what its launch will wait for is begun while the popup still opens."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, Response, request

from bff.common.errors import InvalidRequest, OriginNotRegistered
from bff.common.secret import Secret
from bff.connect.attempt import Attempt
from bff.web.kit import cors
from bff.web.kit.bodies import Body, checked
from bff.web.kit.guards import ORIGIN, refuse_faulty_fields, refuse_repeated_fields, take_small_forms
from bff.web.kit.in_app import is_hopeless
from bff.web.kit.limits import Purpose
from bff.web.kit.services import services

FIELD: Final = "launch_token"

routes = Blueprint("hitchpost_press", __name__)
routes.before_request(take_small_forms)
routes.before_request(refuse_repeated_fields)
routes.before_request(refuse_faulty_fields)
routes.after_request(cors.grant)


class Press(Body):
    """What the page sends."""

    launch_token: str


@routes.post("/v1/press")
def press() -> Response:
    """Tell that an attempt's button is pressed: its sign-in token is minted ahead of its launch.

    Nothing of that is in the answer, nor told to any page. It is a form, as the launch is: any other body
    would have the browser ask first whether it may be sent, and so cost the time that this saves. The launch
    token speaks for itself, from the page that began and from nowhere else. Twice is once.
    """
    if FIELD not in request.form:
        raise InvalidRequest(f"{FIELD}: send it as the field of a form")
    pressed = checked(Press, request.form.to_dict())
    attempt = services().clicks.connect.peek(Secret(pressed.launch_token))
    if request.headers.get(ORIGIN) != attempt.origin:
        raise OriginNotRegistered("a press is told by the page that began its attempt")
    mint_ahead(attempt)
    heard = Response(status=204)
    del heard.headers["Content-Type"]  # There is nothing of any type.
    return heard


def mint_ahead(attempt: Attempt) -> None:
    """Mint for the launch of this attempt, unless that would ask the person first, whether they will go on.

    Raises ``RateLimited`` or ``LimitsUnavailable``.
    """
    if is_hopeless(request.headers.get("User-Agent", ""), attempt.connector):
        return
    # Counted apart from launches, and as many: else a button that is pressed would launch half as often.
    services().limits.spend(Purpose.PRESS, attempt.product, attempt.account.id, attempt.user.id)
    services().clicks.connect.press(attempt)
