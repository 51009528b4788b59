"""The completion endpoint: checks that the browser which returns is the one that launched the sign-in.

The only GET that changes state, as any OAuth callback does. It requires a single-use code and a top-level
navigation.
"""

from __future__ import annotations

import re
from typing import Final

from flask import Blueprint, Response, abort, request

from bff.common.errors import AnotherBrowser, HitchpostError, LaunchRefused, PartnerProblem
from bff.common.secret import Secret
from bff.openapi.operation import Answer, Parameter
from bff.web.kit.launches import require_authorised
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
    attempt = services().attempts.browser_binding.attempt(attempt_id)
    try:
        require_authorised(attempt)
        url = services().attempts.browser_binding.complete(
            attempt, launch_cookies.of_request(attempt_id), _code()
        )
    except (AnotherBrowser, LaunchRefused, PartnerProblem) as error:
        return _protect(error, trouble(error, attempt))
    return onward(url)


def _code() -> Secret:
    """The single-use code of the query. Raises ``LaunchRefused`` if it is missing, repeated or malformed."""
    codes = request.args.getlist("code")
    if len(codes) != 1 or CODE.fullmatch(codes[0]) is None:
        raise LaunchRefused("complete: exactly one code is needed")
    return Secret(codes[0])


def _require_visit() -> None:
    """Refuse prefetches (503) and requests that are not top-level navigations (403): they use up no code."""
    if any("prefetch" in request.headers.get(name, "") for name in ("Sec-Purpose", "Purpose", "X-Moz")):
        abort(503, "this is opened by a person only")
    # Older browsers do not send the Sec-Fetch headers. Scripts cannot set them.
    mode, destination = request.headers.get("Sec-Fetch-Mode"), request.headers.get("Sec-Fetch-Dest")
    if mode not in {None, "navigate"} or destination not in {None, "document"}:
        abort(403, "this is opened as a page of its own only")


def _protect(error: HitchpostError, page: Response) -> Response:
    """Set the headers of an error page: no referrer, and a reload if the partner service is unavailable."""
    page.headers["Referrer-Policy"] = "no-referrer"  # The URL contains the code.
    if isinstance(error, PartnerProblem):
        # The partner service keeps the sign-in for five minutes, so a retry can still succeed.
        page.headers["Refresh"] = RETRY_SECONDS
    return page
