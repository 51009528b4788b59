"""Renders pages in a Jinja environment of our own, which does not depend on a host's Flask app.

A host's environment may have other delimiters, a strict ``undefined``, templates of the same names, no
escaping, or context processors that fail in our requests.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import jinja2
from flask import Response, request

from bff.resources import TEMPLATES


def render(template: str, **values: Any) -> str:
    """Render one of our templates."""
    return _environment().get_template(template).render(values)


def html(text: str, status: int = 200) -> Response:
    """An HTML response. Not made with ``make_response``, as a host's app may have its own response class."""
    return Response(text, status, content_type="text/html; charset=utf-8")


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, auto_reload=False, cache_size=-1
    )
    environment.globals["request"] = request
    return environment
