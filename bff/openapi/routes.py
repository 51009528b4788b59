"""Collects the declared routes of an app from its URL map."""

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
    """Routes without a declaration, or two declarations of one method and path."""


@dataclass(frozen=True)
class Route:
    """One method of one path, with its variables in braces. ``view`` is the route's function."""

    method: str
    path: str
    view: Callable[..., Any]
    operation: Operation
    parameters: tuple[Parameter, ...]


def collect(
    app: Flask, *, blueprint: str = "", prefix: str = "", undescribed: tuple[str, ...] = ()
) -> tuple[Route, ...]:
    """Collect the routes of ``app``, or of one ``blueprint``, and remove ``prefix`` from their paths.

    Paths that begin with one of ``undescribed`` are left out. Raises ``Undeclared``.
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
    declared_names = {parameter.name for parameter in operation.parameters if parameter.where == "path"}
    undeclared = [
        Parameter(name, where="path", schema=NUMBER if kinds.get(name) == "int" else FILLED)
        for name in _IN_BRACES.findall(described)
        if name not in declared_names
    ]
    for method in sorted(METHODS & (rule.methods or set())):
        yield Route(method.lower(), described, view, operation, (*undeclared, *operation.parameters))


def _name(view: Callable[..., Any]) -> str:
    return f"{view.__module__}.{view.__name__}"
