"""Pages for errors, for launches that are retried, and for attempts that have ended."""

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
from bff.content.words import ERROR_CODES, Words
from bff.serving.edge import request_id
from bff.web.kit.launches import launchable
from bff.web.kit.locales import browser_languages
from bff.web.kit.mount import own_path
from bff.web.kit.responses import how_long_to_wait, log_unforeseen
from bff.web.kit.services import services
from bff.web.popup import waiting
from bff.web.popup.page import page_of, values_of, words_of

HEALED_BY_TIME: Final = frozenset({408, 429, 500, 502, 503, 504})
LAUNCH: Final = "/connect/launch"
RELOAD_SECONDS: Final = "3"


def trouble(error: Exception, attempt: Attempt | None = None) -> Response:
    """The error page for ``error``: what went wrong and what to do. Its script notifies the opener."""
    status, code = _status_of(error)
    page = _error_page(status, code, attempt, again=_retry_fields(error, status, attempt))
    page.headers.update(how_long_to_wait(error))
    if request.method == "GET" and isinstance(error, StorageUnavailable):
        # A GET that failed changed nothing, so the page may reload itself.
        page.headers["Refresh"] = RELOAD_SECONDS
    return page


def refused(status: int) -> Response:
    """The page for a request that is refused before routing, such as a URL that is too long."""
    return _error_page(status, "invalid_request", None)


def refused_launch(error: LaunchRefused) -> Response:
    """The page for an invalid launch token. It notifies the opener if the token's attempt is known."""
    token = request.form.get("launch_token", "")
    return trouble(error, services().attempts.service.attempt_of(Secret(token)))


def ended(attempt: Attempt) -> Response:
    """The page for an attempt that has ended."""
    if attempt.status is Status.CONNECTED:
        product = services().products.get(attempt.product)
        return page_of("return.html", product, words_of(attempt, product), attempt=attempt, state="done")
    return _error_page(410, attempt.error_code or "failed", attempt)


def waits(error: Exception) -> bool:
    """Whether this request is a launch that can be repeated unchanged."""
    is_launch = request.method == "POST" and own_path() == LAUNCH
    return is_launch and isinstance(error, waiting.PASSING)


def waiting_page(error: Exception, attempt: Attempt | None = None) -> Response:
    """A page whose script repeats the launch after ``Retry-After`` seconds. Status 503."""
    product = services().products.get(attempt.product) if attempt else None
    words = words_of(attempt, product) if attempt else Words(None, browser_languages())
    wait = waiting.seconds(error)
    fields = waiting.fields(attempt)
    page = page_of("waiting.html", product, words, attempt=attempt, handed_in=fields, seconds=wait)
    page.vary.add("Accept-Language")
    page.status_code = 503
    page.headers["Retry-After"] = str(wait)
    return page


def _error_page(
    status: int, code: str, attempt: Attempt | None, again: dict[str, str] | None = None
) -> Response:
    product = services().products.get(attempt.product) if attempt else None
    words = words_of(attempt, product) if attempt else Words(None, browser_languages())
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
        # Without an attempt, the log can be searched for the request's id.
        support_code=attempt.support_code if attempt else request_id(request.environ),
        again=again,
    )
    page.vary.add("Accept-Language")
    page.status_code = status
    return page


def _retry_fields(error: Exception, status: int, attempt: Attempt | None) -> dict[str, str] | None:
    """The form fields that repeat this request; empty if a link repeats it; None if a retry cannot help."""
    if status not in HEALED_BY_TIME or request.method not in {"GET", "POST"}:
        return None
    if request.method == "GET":
        return {}
    # These errors are raised before the launch token is used, so it is still valid.
    if not isinstance(error, StorageUnavailable | RateLimited | LimitsUnavailable):
        try:
            launchable(Secret(request.form.get("launch_token", "")))
        except Exception:  # noqa: BLE001  # an error page must not fail, and the first error may occur again
            return None
    return waiting.fields(attempt)


def _status_of(error: Exception) -> tuple[int, str]:
    if isinstance(error, StorageUnavailable):
        return 503, "partner_unavailable"
    if isinstance(error, HitchpostError):
        if isinstance(error, PartnerProblem) and error.code not in ERROR_CODES:
            return error.status, error.page_code
        return error.status, error.code
    # Other exceptions have a ``code`` that is no HTTP status: SQLAlchemy's is a text.
    if isinstance(error, HTTPException) and error.code is not None:
        return error.code, "not_found" if error.code < 500 else "failed"
    log_unforeseen(error)
    return 500, "failed"
