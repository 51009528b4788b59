"""The routes of an app that are described, as its own map of addresses has them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from flask import Flask
from werkzeug.routing import Rule

from bff.openapi.operation import Operation, Parameter, declared

METHODS: Final = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE"})
_VARIABLE: Final = re.compile(r"<(?:(?P<kind>[^:<>]+):)?(?P<name>\w+)>")
_IN_BRACES: Final = re.compile(r"{(\w+)}")
NUMBER: Final = {"type": "integer", "minimum": 0}
FILLED: Final = {"type": "string", "minLength": 1}


class Undeclared(Exception):
    """Routes that say nothing of themselves, or of which two claim one address."""


@dataclass(frozen=True)
class Route:
    """One method of one path, whose variables stand in braces. ``view`` is the route's function."""

    method: str
    path: str
    view: Callable[..., Any]
    operation: Operation
    parameters: tuple[Parameter, ...]


def collect(
    app: Flask, *, blueprint: str = "", prefix: str = "", undescribed: tuple[str, ...] = ()
) -> tuple[Route, ...]:
    """Every route of ``app``; of one ``blueprint`` alone if it is named, whose ``prefix`` is left out.

    Paths that begin with one of ``undescribed`` are passed over. Raises ``Undeclared``.
    """
    found: dict[tuple[str, str], Route] = {}
    faults = []
    for rule in app.url_map.iter_rules():
        path = rule.rule.removeprefix(prefix)
        if not rule.endpoint.startswith(blueprint) or path.startswith(undescribed):
            continue
        view = app.view_functions[rule.endpoint]
        for route in _routes_of(rule, path, view):
            before = found.setdefault((route.method, route.path), route)
            if before.view is not view:
                faults.append(f"{route.method} {route.path}: {_name(before.view)} describes it as well")
        if declared(view) is None:
            faults.append(f"{path}: describe {_name(view)} below its route decorator")
    if faults:
        raise Undeclared("; ".join(faults))
    return tuple(found.values())


def _routes_of(rule: Rule, path: str, view: Callable[..., Any]) -> Iterator[Route]:
    if (operation := declared(view)) is None:
        return
    kinds = {match["name"]: match["kind"] for match in _VARIABLE.finditer(path)}
    described = operation.path or _VARIABLE.sub(r"{\g<name>}", path)
    told = {parameter.name for parameter in operation.parameters if parameter.where == "path"}
    untold = [
        Parameter(name, where="path", schema=NUMBER if kinds.get(name) == "int" else FILLED)
        for name in _IN_BRACES.findall(described)
        if name not in told
    ]
    for method in sorted(METHODS & (rule.methods or set())):
        yield Route(method.lower(), described, view, operation, (*untold, *operation.parameters))


def _name(view: Callable[..., Any]) -> str:
    return f"{view.__module__}.{view.__name__}"
