"""The pages that a person sees here: the end of a flow, good or bad.

Whoever opened the window waits for what its last page says. So the script that says it is in the page, not
one more request away, which may be slow or never answered, and so are its styles. The policy names both, and
nothing else runs.
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
    """One kind of last page: its template, its script, its headers."""

    def __init__(self, name: str) -> None:
        script, allowed = f"{name}.js", _INLINED.sources
        self.template: Final = f"{name}.html"
        self.script: Final = _INLINED[script]
        # No form-action and no Cross-Origin-Opener-Policy: the flow goes on to third parties, and the last
        # page has to reach the window that opened it.
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
    """Post ``message`` to exactly ``target_origin``."""
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
    """The error page, on which a denial or a failure ends.

    Cyclr's says nothing to anybody. This one tells the page that it concerns that there is news where a
    message was asked for, and offers the way back where the browser was to be returned.
    """
    page = _page(
        _TROUBLE,
        error.status,
        error.reason,
        names=error.names,
        error=error.error,
        said=error.said if not embedded().settings.is_production else None,
        tell=error.tell,
        back=error.back,
        asks=error.asks,
        # Refused for a while, nothing was used up.
        again=error.retry_after is not None and request.method == "GET",
    )
    page.headers.update(how_long_to_wait(error))
    if error.again_in is not None:
        # An address is quoted as in a link: browsers end it at a quotation mark.
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
