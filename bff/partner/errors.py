"""What the API answers when it says no."""

from __future__ import annotations


class ApiError(Exception):
    """A refusal, told as ``{"Message": ...}`` with its HTTP status (the form of Cyclr's API)."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class FlowError(Exception):
    """A browser flow that cannot go on; it ends on an error page of this service's own, as in Cyclr.

    ``error`` is a short code (an OAuth error where the third party sent one), ``explanation`` a sentence
    for the person who looks at the page.
    """

    def __init__(self, status: int, title: str, explanation: str, *, error: str = "") -> None:
        super().__init__(explanation)
        self.status = status
        self.title = title
        self.explanation = explanation
        self.error = error


def denied() -> ApiError:
    """The 401 of a missing, wrong or unsuitable bearer token (ASP.NET's standard words)."""
    return ApiError(401, "Authorization has been denied for this request.")


def missing(what: str) -> ApiError:
    """The 404 of an unknown id."""
    return ApiError(404, f"{what} not found.")
