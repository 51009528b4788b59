"""What the API answers when it says no."""

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

    ``error`` is a short code (an OAuth error where the third party sent one), ``said`` all that it
    answered, ``names`` are what the explanation of ``reason`` lists. The page says it in the language of
    whoever looks at it.

    Whom it concerns is known only once a token, a state or a code of ours was brought: then ``concerns`` says
    so. ``again_in``: in so many seconds the page looks again, or goes back by itself where it can. ``asks``:
    the fields of the form by which the user says that the sign-in is to end; nothing has ended yet.
    """

    tell: str | None = None
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
        """Tell the page at ``target`` that there is news, where a message was asked for; else go back there.

        The way back may hold a secret: only the browser that is ``proved`` to have begun is shown it.
        """
        self.tell = target if message is not None else None
        self.back = target if message is None and proved else None
        return self


def how_long_to_wait(error: ApiError | FlowError) -> dict[str, str]:
    """``Retry-After`` (RFC 9110, section 10.2.3), in whole seconds, for a refusal that time heals."""
    return {} if error.retry_after is None else {"Retry-After": str(math.ceil(error.retry_after))}


def denied() -> ApiError:
    """The 401 of a missing, wrong or unsuitable bearer token (ASP.NET's standard words)."""
    return ApiError(401, "Authorization has been denied for this request.")


def missing(what: str) -> ApiError:
    """The 404 of an unknown id."""
    return ApiError(404, f"{what} not found.")
