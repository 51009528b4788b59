"""The path prefix at which the BFF is mounted in a Flask app, and the paths of requests below it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Final
from urllib.parse import unquote, urlsplit

from flask import Blueprint, Flask, Request, current_app, request
from werkzeug.exceptions import MethodNotAllowed
from werkzeug.routing import Rule

NAME: Final = "hitchpost"
"""The blueprint's name. Endpoints begin with it."""
PREFIX: Final = "hitchpost_prefix"


def normal(url_prefix: str | None) -> str:
    """Normalize a prefix: decoded, with a leading slash and no trailing one; or empty."""
    inner = unquote(url_prefix or "").strip("/")
    return f"/{inner}" if inner else ""


def faults(prefix: str, public_url: str) -> Iterator[str]:
    """The faults of a normalized prefix, one line each."""
    if "<" in prefix:
        yield f"url_prefix: {prefix} has a part that varies; the BFF has one address, HITCHPOST_PUBLIC_URL"
    elif not unquote(public_url).endswith(prefix):
        yield f"HITCHPOST_PUBLIC_URL: must end with {prefix}, where the BFF is mounted"


def place(app: Flask, blueprint: Blueprint, prefix: str, public_url: str) -> None:
    """Register the BFF's routes below ``prefix``.

    If the app matches hosts or subdomains (``host_matching``, ``subdomain_matching``), the routes get the
    host of the public URL. Without a host they would match no request, or those for another host.
    """
    app.extensions[PREFIX] = prefix
    host, usual, subdomain = urlsplit(public_url).netloc, app.url_rule_class, None
    if app.url_map.host_matching:
        app.url_rule_class = partial(usual, host=host)  # type: ignore[assignment]
    elif app.subdomain_matching and host.endswith(f".{app.config['SERVER_NAME']}"):
        subdomain = host.removesuffix(f".{app.config['SERVER_NAME']}")
    app.register_blueprint(blueprint, url_prefix=prefix or None, subdomain=subdomain)
    app.url_rule_class = usual


def own_path() -> str | None:
    """The path of this request below the mount; None outside of it.

    The public URL and ``SCRIPT_NAME`` are not used, as a proxy or dispatcher may have removed a part.
    """
    prefix: str = current_app.extensions.get(PREFIX, "")
    return request.path[len(prefix) :] if request.path.startswith(f"{prefix}/") else None


def handles(app: Flask, incoming: Request) -> bool:
    """Whether a request is for the BFF: it matches one of its routes, or no route but its prefix."""
    if incoming.url_rule is not None:
        return _is_own_route(incoming.url_rule)
    prefix: str = app.extensions.get(PREFIX, "")
    if prefix:
        return incoming.path.startswith(f"{prefix}/")
    # Without a prefix, an unmatched request is the BFF's only if it has a route with this path for other
    # methods.
    fault, routes = incoming.routing_exception, app.create_url_adapter(incoming)
    if routes is None or not isinstance(fault, MethodNotAllowed) or not fault.valid_methods:
        return False
    rule, _ = routes.match(method=next(iter(fault.valid_methods)), return_rule=True)
    return _is_own_route(rule)


def _is_own_route(rule: Rule) -> bool:
    return str(rule.endpoint).startswith(f"{NAME}.")
