"""Pages are made in a Jinja environment of our own: inside a host's Flask app its own may be anything.

A host may have other delimiters, a strict ``undefined``, templates of our templates' names, no escaping, or
context processors that need more than our requests have.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import jinja2
from flask import Response, request

from bff.resources import TEMPLATES


def render(template: str, **values: Any) -> str:
    """The text of one of our templates."""
    return _environment().get_template(template).render(values)


def html(text: str, status: int = 200) -> Response:
    """A page. Not by ``make_response``: an app may have a class of its own for answers."""
    return Response(text, status, content_type="text/html; charset=utf-8")


@cache
def _environment() -> jinja2.Environment:
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, auto_reload=False, cache_size=-1
    )
    made.globals["request"] = request
    return made
