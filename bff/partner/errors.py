"""What the API answers when it says no."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Literal

Reason = Literal[
    "finished",
    "bad_link",
    "used_link",
    "unknown_connector",
    "not_in_browser",
    "unset_properties",
    "stale_flow",
    "not_offered",
    "wrong_issuer",
    "removed",
    "declined",
    "other_account",
    "failed",
    "too_many",
]
"""Why a browser flow ended; ``words.py`` has a title and an explanation for each."""


class ApiError(Exception):
    """A refusal, told as ``{"Message": ...}`` with its HTTP status (the form of Cyclr's API).

    ``retry_after``: in so many seconds it may be another answer.
    """

    def __init__(self, status: int, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.retry_after = retry_after


class FlowError(Exception):
    """A browser flow that cannot go on; it ends on an error page of this service's own, as in Cyclr.

    ``error`` is a short code (an OAuth error where the third party sent one), ``names`` are what the
    explanation of ``reason`` lists. The page says it in the language of whoever looks at it.
    """

    def __init__(
        self,
        status: int,
        reason: Reason,
        *,
        names: Iterable[str] = (),
        error: str = "",
        retry_after: float | None = None,
    ) -> None:
        super().__init__(reason)
        self.retry_after = retry_after
        self.status = status
        self.reason = reason
        self.names = tuple(names)
        self.error = error


def how_long_to_wait(error: ApiError | FlowError) -> dict[str, str]:
    """``Retry-After`` (RFC 9110, section 10.2.3), in whole seconds, for a refusal that time heals."""
    return {} if error.retry_after is None else {"Retry-After": str(math.ceil(error.retry_after))}


def denied() -> ApiError:
    """The 401 of a missing, wrong or unsuitable bearer token (ASP.NET's standard words)."""
    return ApiError(401, "Authorization has been denied for this request.")


def missing(what: str) -> ApiError:
    """The 404 of an unknown id."""
    return ApiError(404, f"{what} not found.")
