"""A launch that is handed in again, by a page that waits or by its button: when, and with what."""

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
"""What a launch is given back for: nothing is used up, and soon it may go on."""
SOONEST, LATEST = 2, 10
"""Seconds until the page tries again, between which ``Retry-After`` may choose."""
FIELDS: Final = ("launch_token", "product", "origin", CONFIRMATION, "anyway")
"""What a launch is handed in with, by the opening page or the interstitial."""


def seconds(error: Exception) -> int:
    """How long the page waits before it hands in the launch again."""
    asked = getattr(error, "retry_after", None) or SOONEST
    return min(max(math.ceil(asked), SOONEST), LATEST)


def fields(attempt: Attempt | None) -> dict[str, str]:
    """What it hands in. The page's own ``Origin`` will be the BFF's, which is trusted with more.

    So what another page claimed goes on only as far as it was found true: nothing but the token, and that of
    an attempt whose own page sent it. ``attempt`` is None where the database could not be asked.
    """
    token, sender = request.form.get("launch_token", ""), request.headers.get(ORIGIN)
    if sender == services().urls.public_origin:
        return {name: request.form[name] for name in FIELDS if name in request.form}
    if attempt is not None and sender == attempt.origin:
        return {"launch_token": token, "product": attempt.product, "origin": attempt.origin}
    return {"launch_token": token}
