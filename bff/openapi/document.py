"""Generates the OpenAPI document (3.1) of routes and their models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from inspect import cleandoc
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from bff.openapi.operation import TEXT, Answer, Header, Operation, Parameter, models_in
from bff.openapi.routes import Route

REFERENCE: Final = "#/components/schemas/{model}"


def make_document(
    about: Mapping[str, Any], public_url: str, schemes: Mapping[str, Any], routes: Sequence[Route]
) -> dict[str, Any]:
    """The OpenAPI document of these routes, for a program at ``public_url``.

    ``about`` has the members that do not depend on routes, such as ``info``. ``schemes`` has the security
    schemes.
    """
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method] = _operation(route)
    return {
        "openapi": "3.1.0",
        **about,
        "servers": [{"url": public_url}],
        "paths": paths,
        "components": {
            "securitySchemes": dict(schemes),
            "schemas": _schemas([route.operation for route in routes]),
        },
    }


def _operation(route: Route) -> dict[str, Any]:
    operation = route.operation
    summary, _, rest = cleandoc(route.view.__doc__ or "").partition("\n\n")
    described: dict[str, Any] = {
        "operationId": f"{route.view.__module__.rpartition('.')[2]}_{route.view.__name__}",
        "summary": " ".join(summary.split()),
        "responses": {str(answer.status): _answer(answer) for answer in _by_status(operation)},
    }
    if rest:
        described["description"] = " ".join(rest.split())
    if operation.tag:
        described["tags"] = [operation.tag]
    if operation.security:
        described["security"] = [{name: [] for name in names} for names in operation.security]
    if route.parameters:
        described["parameters"] = [_parameter(parameter) for parameter in route.parameters]
    if operation.body:
        content = {operation.body.media_type: {"schema": _schema(operation.body.shape)}}
        described["requestBody"] = {"required": operation.body.required, "content": content}
    return described


def _by_status(operation: Operation) -> list[Answer]:
    return sorted(operation.answers, key=lambda answer: answer.status)


def _parameter(parameter: Parameter) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "in": parameter.where,
        "required": parameter.required or parameter.where == "path",
        **({"description": parameter.about} if parameter.about else {}),
        "schema": _schema(parameter.schema or TEXT),
    }


def _answer(answer: Answer) -> dict[str, Any]:
    described: dict[str, Any] = {"description": answer.about}
    if answer.shape is not None:
        described["content"] = {answer.media_type: {"schema": _schema(answer.shape)}}
    if answer.headers:
        described["headers"] = {header.name: _header(header) for header in answer.headers}
    return described


def _header(header: Header) -> dict[str, Any]:
    return {"description": header.about, "required": True, "schema": _schema(header.schema or TEXT)}


def _schema(schema: Any) -> Any:
    """The JSON Schema, with references in place of models."""
    if isinstance(schema, type):
        return {"$ref": REFERENCE.format(model=schema.__name__)}
    if isinstance(schema, Mapping):
        return {name: _schema(value) for name, value in schema.items()}
    return [_schema(value) for value in schema] if isinstance(schema, list | tuple) else schema


def _schemas(operations: Sequence[Operation]) -> dict[str, Any]:
    answers = [answer.shape for operation in operations for answer in operation.answers]
    wanted: set[tuple[type[BaseModel], JsonSchemaMode]] = {
        (operation.body.shape, "validation") for operation in operations if operation.body
    }
    wanted |= {(model, "serialization") for model in models_in(answers)}
    _, definitions = models_json_schema(sorted(wanted, key=str), ref_template=REFERENCE)
    schemas: dict[str, Any] = definitions["$defs"]
    return dict(sorted(schemas.items()))
