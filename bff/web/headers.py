"""The security headers of every kind of route, on every answer of it, refusals too: one table."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import Any, Final

from flask import Flask, Response, request

from bff.serving.edge import App, Environ, Refuse
from bff.serving.security_headers import EVERYWHERE, over_tls
from bff.web.kit.mount import own_path
from bff.web.kit.responses import API_HEADERS, problem
from bff.web.kit.services import services
from bff.web.popup import endings, looks, page
from bff.web.studio import access
from bff.web.studio.errors import is_studio


class Kind(Enum):
    """What is answered there: data, a page for a person, the Studio, or a file that any page may load."""

    API = "api"
    PAGE = "page"
    STUDIO = "studio"
    FILE = "file"


TABLE: Final = {
    Kind.API: API_HEADERS,
    # No COOP on any page: it would cut the popup off from the page that opened it.
    Kind.PAGE: EVERYWHERE | {"Cross-Origin-Resource-Policy": "same-origin"} | page.HEADERS,
    Kind.STUDIO: EVERYWHERE | {"Cross-Origin-Resource-Policy": "same-origin"} | access.HEADERS,
    Kind.FILE: EVERYWHERE | looks.HEADERS,
}
"""A route that needs another value sets its own: what is there already stays."""

TOO_LONG: Final = frozenset({414, 431})
SAID: Final = "hitchpost.said"
"""In a request's environment: the list for the headers of our own answer, where a host may change them."""
SECURED: Final = "hitchpost.secured"
FILES: Final = frozenset({"hitchpost_files", "hitchpost_looks"})


def kind_of_request() -> Kind:
    """The kind of this request's route; of a path without one, that of its neighbours."""
    if request.blueprint is not None and request.blueprint.rpartition(".")[2] in FILES:
        return Kind.FILE
    path = own_path()
    if is_studio(path):
        return Kind.STUDIO
    return Kind.PAGE if page.is_page(path) else Kind.API


def secure(response: Response) -> Response:
    """Add the headers that this request's kind of route always has."""
    # Of the request, not in ``g``: that outlives it where an app context was pushed by hand.
    if SECURED in request.environ:
        return response
    request.environ[SECURED] = True
    header_values = TABLE[kind_of_request()] | over_tls(services().urls.public_url)
    there = {name.lower() for name, _ in response.headers}
    response.headers.extend(
        {name: value for name, value in header_values.items() if name.lower() not in there}
    )
    if (said := request.environ.get(SAID)) is not None:
        said[:] = response.headers.to_wsgi_list()
    return response


def refusals(app: Flask) -> Refuse:
    """Answers for requests that the edge lets reach no route: problem documents, and pages to people."""

    def refuse(status: int, code: str, detail: str) -> App:
        def answer(environ: Environ, start_response: Any) -> Iterable[bytes]:
            # A link may be too long for a person who follows it; what comes for another host is no browser's.
            for_people = status in TOO_LONG and str(environ.get("PATH_INFO", "")).startswith("/connect/")
            # The response contains nothing of the request, and does not depend on it.
            path = "/connect/" if for_people else "/"
            plain = environ | {"HTTP_HOST": "localhost", "PATH_INFO": path, "QUERY_STRING": ""}
            with app.request_context(plain):
                error_response = endings.refused(status) if for_people else problem(status, code, detail)
                response = secure(error_response)
            return response(environ, start_response)

        return answer

    return refuse
