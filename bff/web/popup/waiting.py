"""Repeats a launch that failed for a passing reason: after how many seconds, and with which form fields."""

from __future__ import annotations

import math
from typing import Final

from flask import request

from bff.common.errors import LaunchPostponed, LimitsUnavailable, StorageUnavailable
from bff.connect.attempt import Attempt
from bff.web.kit.confirmations import FIELD as CONFIRMATION
from bff.web.kit.guards import ORIGIN
from bff.web.kit.services import services

PASSING: Final = (LaunchPostponed, LimitsUnavailable, StorageUnavailable)
"""Errors after which the same launch may succeed. None of them uses the launch token."""
SOONEST, LATEST = 2, 10
"""Minimum and maximum seconds until the page tries again. ``Retry-After`` is limited to these."""
FIELDS: Final = ("launch_token", "product", "origin", CONFIRMATION, "anyway")
"""The form fields of a launch from the opening page or the interstitial page."""


def seconds(error: Exception) -> int:
    """Seconds that the page waits before it repeats the launch."""
    retry_after = getattr(error, "retry_after", None) or SOONEST
    return min(max(math.ceil(retry_after), SOONEST), LATEST)


def fields(attempt: Attempt | None) -> dict[str, str]:
    """The form fields of the repeated launch.

    It comes from the BFF's own origin, which ``guards.launch_is_direct`` trusts more than others. Fields of
    another origin are therefore dropped, except the token; the product and origin are those of the attempt if
    its own page sent this request. Else the form names who sent it, so that it is never taken for a launch of
    a page at the BFF's own origin, which names nobody. ``attempt`` is None if the database could not be read.
    """
    token, sender = request.form.get("launch_token", ""), request.headers.get(ORIGIN)
    if sender == services().urls.public_origin:
        return {name: request.form[name] for name in FIELDS if name in request.form}
    if attempt is not None and sender == attempt.origin:
        return {"launch_token": token, "product": attempt.product, "origin": attempt.origin}
    return {"launch_token": token, "origin": sender or ""}
