"""The last pages of a flow: success and error.

The page that opened the window waits for the message of the last page. So the script that posts it is part of
the page, and needs no further request. So are the styles. The Content-Security-Policy allows both by hash,
and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import quote

from flask import Response, make_response, render_template, request

from bff.partner.context import embedded
from bff.partner.errors import FlowError, Reason, how_long_to_wait
from bff.partner.resources import ASSETS
from bff.partner.sign_in.words import best
from bff.serving.inlined import Inlined

_INLINED: Final = Inlined(ASSETS)
_STYLES: Final = "partner.css"
URL_CHARACTERS: Final = "!#$%&()*+,/:;=?@[]~"


class _Kind:
    """A kind of last page: its template, script and headers."""

    def __init__(self, name: str) -> None:
        script, allowed = f"{name}.js", _INLINED.sources
        self.template: Final = f"{name}.html"
        self.script: Final = _INLINED[script]
        # No form-action, because the flow goes on to third parties. No Cross-Origin-Opener-Policy, because
        # the last page posts to the window that opened it.
        self.headers: Final = {
            "Content-Security-Policy": (
                f"default-src 'none'; script-src {allowed[script]}; style-src {allowed[_STYLES]};"
                " img-src data:;"
                " base-uri 'none'; frame-ancestors 'none'"
            ),
            "Cache-Control": "no-store",
            "Referrer-Policy": "no-referrer",
            "X-Frame-Options": "DENY",
        }


_FINISHED: Final = _Kind("finished")
_TROUBLE: Final = _Kind("trouble")


def finished(target_origin: str, message: str) -> Response:
    """The success page, which posts ``message`` to ``target_origin``."""
    settings = embedded().settings
    return _page(
        _FINISHED,
        200,
        "finished",
        target_origin=target_origin,
        message=message,
        form=settings.message_form,
        window=settings.message_window,
        closes=settings.close_window,
    )


def trouble(error: FlowError) -> Response:
    """The error page, also for a denied consent.

    Unlike Cyclr's, it notifies the page that began the sign-in if a callback message was given. Otherwise it
    links back to the target.
    """
    page = _page(
        _TROUBLE,
        error.status,
        error.reason,
        names=error.names,
        error=error.error,
        said=error.said if not embedded().settings.is_production else None,
        notify=error.notify,
        back=error.back,
        asks=error.asks,
        # After a rate limit the same request can be repeated.
        again=error.retry_after is not None and request.method == "GET",
    )
    page.headers.update(how_long_to_wait(error))
    if error.again_in is not None:
        # The URL is percent-encoded, because browsers end it at a quotation mark.
        onward = f"; url={quote(error.back, safe=URL_CHARACTERS)}" if error.back else ""
        page.headers["Refresh"] = f"{error.again_in}{onward}"
    return page


def _page(kind: _Kind, status: int, reason: Reason, names: Iterable[str] = (), **values: Any) -> Response:
    words = best(request.headers.get("Accept-Language", ""))
    title, explanation = words.ending(reason, names)
    values |= {
        "words": words,
        "title": title,
        "explanation": explanation,
        "script": kind.script,
        "style": _INLINED[_STYLES],
    }
    response = make_response(render_template(kind.template, **values), status)
    response.headers.update(kind.headers)
    response.vary.add("Accept-Language")
    return response
