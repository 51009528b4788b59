"""Errors of the API and of the browser flow."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Literal

from bff.partner.providers.said import Said

Reason = Literal[
    "finished",
    "bad_link",
    "used_link",
    "unknown_connector",
    "not_in_browser",
    "unset_properties",
    "stale_flow",
    "no_cookie",
    "finishing",
    "not_offered",
    "wrong_issuer",
    "removed",
    "declined",
    "other_account",
    "failed",
    "too_many",
    "really_declined",
]
"""Why a browser flow ended. ``words.py`` has a title and an explanation for each."""


class ApiError(Exception):
    """An API error, sent as ``{"Message": ...}`` with its HTTP status, as in Cyclr's API.

    ``retry_after``: seconds after which the request may succeed.
    """

    def __init__(self, status: int, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.retry_after = retry_after


class FlowError(Exception):
    """A browser flow cannot continue. The user sees an error page of this service, in their language.

    ``reason``: selects the page's title and explanation.
    ``names``: the names that the explanation lists.
    ``error``: a short code, the OAuth error if the third party sent one.
    ``said``: the third party's response.
    ``retry_after``: seconds after which a request may succeed, sent as ``Retry-After``.
    ``again_in``: seconds after which the page reloads, or returns to the host if possible.
    ``asks``: hidden fields of the form that confirms the end of the sign-in. Until then it is not over.

    The host page to return to is known only with a valid token, state or code. ``concerns`` sets it.
    """

    notify: str | None = None
    back: str | None = None

    def __init__(
        self,
        status: int,
        reason: Reason,
        *,
        names: Iterable[str] = (),
        error: str = "",
        said: Said | None = None,
        retry_after: float | None = None,
        again_in: int | None = None,
        asks: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(reason)
        self.retry_after = retry_after
        self.again_in = again_in
        self.asks = asks
        self.status = status
        self.reason = reason
        self.names = tuple(names)
        self.error = error
        self.said = said

    def concerns(self, target: str, message: str | None, *, proved: bool = True) -> FlowError:
        """Set the host page to notify (if it asked for a callback ``message``) or to link back to.

        The link may contain a secret. It is shown only if the browser is ``proved`` to have started the flow.
        """
        self.notify = target if message is not None else None
        self.back = target if message is None and proved else None
        return self


def how_long_to_wait(error: ApiError | FlowError) -> dict[str, str]:
    """The ``Retry-After`` header of a temporary error, in whole seconds (RFC 9110, section 10.2.3)."""
    return {} if error.retry_after is None else {"Retry-After": str(math.ceil(error.retry_after))}


def denied() -> ApiError:
    """The 401 for a missing, invalid or insufficient bearer token, with ASP.NET's standard message."""
    return ApiError(401, "Authorization has been denied for this request.")


def missing(what: str) -> ApiError:
    """The 404 for an unknown id."""
    return ApiError(404, f"{what} not found.")
