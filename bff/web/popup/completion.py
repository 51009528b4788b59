"""Where the partner service sends the browser before a sign-in counts: only the one that launched it goes on.

The one GET that changes something (as any OAuth callback does): it needs a code that is good once, and
answers to nothing but a visit of a person.
"""

from __future__ import annotations

import re
from typing import Final

from flask import Blueprint, Response, abort, request

from bff.common.errors import CompletedElsewhere, HitchpostError, LaunchRefused, PartnerProblem
from bff.common.secret import Secret
from bff.openapi.operation import Answer, Parameter
from bff.web.kit.limits import BY_ADDRESS
from bff.web.kit.services import services
from bff.web.openapi import describe, parameters
from bff.web.popup import launch_cookies
from bff.web.popup.endings import trouble
from bff.web.popup.pages import onward

routes = Blueprint("hitchpost_completion", __name__)

CODE: Final = re.compile(r"[\w.~-]{16,255}", re.ASCII)
RETRY_SECONDS: Final = "3"


@routes.route("/connect/complete/<attempt_id>", methods=["GET"])
@describe.page(
    Answer(303, "On to the partner service.", headers=(describe.LOCATION,)),
    *(403, 404, 410, 502),
    limit=BY_ADDRESS,
    parameters=(
        parameters.ATTEMPT,
        Parameter("code", "The partner service's code, good once.", required=True),
    ),
)
def complete(attempt_id: str) -> Response:
    """Complete the sign-in of this attempt, if this is the browser that launched it."""
    if request.method != "GET":
        return Response(status=405, headers={"Allow": "GET", "Cache-Control": "no-store"})
    _require_visit()
    attempt = services().clicks.browser_binding.attempt(attempt_id)
    try:
        url = services().clicks.browser_binding.complete(
            attempt, launch_cookies.of_request(attempt_id), _code()
        )
    except (CompletedElsewhere, LaunchRefused, PartnerProblem) as error:
        return _told(error, trouble(error, attempt))
    return onward(url)


def _code() -> Secret:
    given = request.args.getlist("code")
    if len(given) != 1 or CODE.fullmatch(given[0]) is None:
        raise LaunchRefused("complete: exactly one code is needed")
    return Secret(given[0])


def _require_visit() -> None:
    """Nothing is used up by a browser that loads ahead, or a page that embeds the URL."""
    if any("prefetch" in request.headers.get(name, "") for name in ("Sec-Purpose", "Purpose", "X-Moz")):
        abort(503, "this is opened by a person only")
    # Not every browser sends them; one that does says the truth.
    sent = request.headers.get("Sec-Fetch-Mode"), request.headers.get("Sec-Fetch-Dest")
    if sent[0] not in {None, "navigate"} or sent[1] not in {None, "document"}:
        abort(403, "this is opened as a page of its own only")


def _told(error: HitchpostError, page: Response) -> Response:
    page.headers["Referrer-Policy"] = "no-referrer"  # The URL holds a code.
    if isinstance(error, PartnerProblem):
        # The sign-in waits for five minutes: this page tries again by itself.
        page.headers["Refresh"] = RETRY_SECONDS
    return page
