"""Pages that end a way or stop on it: what went wrong and what to do, what waits, and what is over."""

from __future__ import annotations

from typing import Final

from flask import Response, request
from werkzeug.exceptions import HTTPException

from bff.common.errors import (
    HitchpostError,
    LaunchRefused,
    LimitsUnavailable,
    PartnerProblem,
    RateLimited,
    StorageUnavailable,
)
from bff.common.secret import Secret
from bff.connect.attempt import Attempt, Status
from bff.content.words import Words
from bff.serving.edge import request_id
from bff.web.kit.locales import browsers
from bff.web.kit.mount import own_path
from bff.web.kit.responses import how_long_to_wait, tell_unforeseen
from bff.web.kit.services import services
from bff.web.popup import waiting
from bff.web.popup.page import page_of, values_of, words_of

HEALED_BY_TIME: Final = frozenset({408, 429, 500, 502, 503, 504})
LAUNCH: Final = "/connect/launch"
RELOAD_SECONDS: Final = "3"


def trouble(error: Exception, attempt: Attempt | None = None) -> Response:
    """A page that tells a person what went wrong and what to do, and its opener that there is news."""
    status, code = _status_of(error)
    page = _trouble(status, code, attempt, again=_again(error, status, attempt))
    page.headers.update(how_long_to_wait(error))
    if request.method == "GET" and isinstance(error, StorageUnavailable):
        # Nothing was done, and what is asked for can be asked for again: the page does so by itself.
        page.headers["Refresh"] = RELOAD_SECONDS
    return page


def refused(status: int) -> Response:
    """The page for an address that no route is asked for: too long, for another host, and so on."""
    return _trouble(status, "invalid_request", None)


def refused_launch(error: LaunchRefused) -> Response:
    """The page for a launch token that is no longer good; the page that began is told if it is known."""
    token = request.form.get("launch_token", "")
    return trouble(error, services().clicks.connect.attempt_of(Secret(token)))


def ended(attempt: Attempt) -> Response:
    """What is shown in the window of an attempt that is over."""
    if attempt.status is Status.CONNECTED:
        product = services().products.get(attempt.product)
        return page_of("return.html", product, words_of(attempt, product), attempt=attempt, state="done")
    return _trouble(410, attempt.error_code or "failed", attempt)


def waits(error: Exception) -> bool:
    """Whether this request is a launch that can be handed in again as it is."""
    is_launch = request.method == "POST" and own_path() == LAUNCH
    return is_launch and isinstance(error, waiting.PASSING)


def waiting_page(error: Exception, attempt: Attempt | None = None) -> Response:
    """A page that hands in the same launch again after a while, by itself."""
    product = services().products.get(attempt.product) if attempt else None
    words = words_of(attempt, product) if attempt else Words(None, browsers())
    wait = waiting.seconds(error)
    again = waiting.fields(attempt)
    page = page_of("waiting.html", product, words, attempt=attempt, handed_in=again, seconds=wait)
    page.vary.add("Accept-Language")
    page.status_code = 503
    page.headers["Retry-After"] = str(wait)
    return page


def _trouble(
    status: int, code: str, attempt: Attempt | None, again: dict[str, str] | None = None
) -> Response:
    product = services().products.get(attempt.product) if attempt else None
    words = words_of(attempt, product) if attempt else Words(None, browsers())
    about = values_of(product, words, attempt.connector.name if attempt else "")
    title, next_step = about["error"](code)
    page = page_of(
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


def _again(error: Exception, status: int, attempt: Attempt | None) -> dict[str, str] | None:
    """How to do the same once more: by a link, or by a form of these fields; None where that is in vain."""
    if status not in HEALED_BY_TIME or request.method not in {"GET", "POST"}:
        return None
    if request.method == "GET":
        return {}
    # Refused before anything was looked at: then the launch token is as good as before.
    if not isinstance(error, StorageUnavailable | RateLimited | LimitsUnavailable):
        try:
            services().clicks.connect.peek(Secret(request.form.get("launch_token", "")))
        except Exception:  # noqa: BLE001  # what broke before may break again, and no page of an error makes another
            return None
    return waiting.fields(attempt)


def _status_of(error: Exception) -> tuple[int, str]:
    if isinstance(error, StorageUnavailable):
        return 503, "partner_unavailable"
    if isinstance(error, HitchpostError):
        return error.status, error.told if isinstance(error, PartnerProblem) else error.code
    # Only these: what others call their code is no status (SQLAlchemy's is a text).
    if isinstance(error, HTTPException) and error.code is not None:
        return error.code, "not_found" if error.code < 500 else "failed"
    tell_unforeseen(error)
    return 500, "failed"
