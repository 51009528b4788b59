"""The pages that a person sees here: the end of a flow, good or bad."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from flask import Response, make_response, render_template, request

from bff.partner.context import embedded
from bff.partner.errors import FlowError, Reason, how_long_to_wait
from bff.partner.words import best

# No form-action and no Cross-Origin-Opener-Policy: the flow goes on to third parties, and the last page
# has to reach the window that opened it.
HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
}


def finished(target_origin: str, message: str) -> Response:
    """Post ``message`` to exactly ``target_origin``."""
    settings = embedded().settings
    return _page(
        "finished.html",
        200,
        "finished",
        target_origin=target_origin,
        message=message,
        form=settings.message_form,
        window=settings.message_window,
        closes=settings.close_window,
    )


def trouble(error: FlowError, target: str | None = None, message: str | None = None) -> Response:
    """The error page, on which a denial or a failure ends.

    Cyclr's says nothing to anybody. This one tells the page at ``target`` that there is news where a message
    was asked for, and offers the way back where the browser was to be returned.
    """
    page = _page(
        "trouble.html",
        error.status,
        error.reason,
        names=error.names,
        error=error.error,
        tell=target if message is not None else None,
        back=target if message is None else None,
    )
    page.headers.update(how_long_to_wait(error))
    return page


def _page(template: str, status: int, reason: Reason, names: Iterable[str] = (), **values: Any) -> Response:
    words = best(request.accept_languages)
    title, explanation = words.ending(reason, names)
    page = render_template(template, words=words, title=title, explanation=explanation, **values)
    response = make_response(page, status)
    response.headers.update(HEADERS)
    response.vary.add("Accept-Language")
    return response
