"""Makes the OpenAPI document (3.1) from the operations and their models."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from inspect import cleandoc
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from bff.web.kit.guards import CUSTOM_HEADER
from bff.web.openapi.operation import PROBLEM, STATUS_OF, Answer, Operation
from bff.web.openapi.shapes import Problem

REFERENCE: Final = "#/components/schemas/{model}"
ABOUT: Final = (
    "What the widget and a host's own server call. Every refusal is a problem document (RFC 9457) whose"
    " `code` is stable, and carries `X-Request-Id`."
)
TAGS: Final = {
    "widget": "Called by the page of a signed-in user.",
    "server": "Called by the host's own server, with its secret key.",
    "pages": "What a person sees in the popup.",
    "operations": "For whoever runs it.",
}
SCHEMES: Final[dict[str, dict[str, str]]] = {
    "sessionToken": {
        "type": "http",
        "scheme": "bearer",
        "description": "A session token of `POST /v1/sessions`, or a JWT of the host's.",
    },
    "secretKey": {"type": "http", "scheme": "bearer", "description": "A secret key of the product."},
    "hostSession": {
        "type": "apiKey",
        "in": "cookie",
        "name": "session",
        "description": "Inside the host's own Flask app: its session, under the name that it has there.",
    },
    "widgetHeader": {
        "type": "apiKey",
        "in": "header",
        "name": CUSTOM_HEADER,
        "description": "`1`, or the signal that made the page look, with every call that rests on a cookie.",
    },
}
HEADERS: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "Cache-Control": ("How long it may be kept.", {"type": "string"}),
    "ETag": ("Its version.", {"type": "string"}),
    "Location": ("Where to go.", {"type": "string"}),
    "Retry-After": ("Seconds to wait before the next try.", {"type": "string", "pattern": "^[0-9]+$"}),
    "WWW-Authenticate": ("How to sign in.", {"type": "string"}),
    "X-Request-Id": ("Finds this call in the log.", {"type": "string"}),
}
WITH_STATUS: Final = {401: ("WWW-Authenticate",), 429: ("Retry-After",), 503: ("Retry-After",)}


def make_document(public_url: str, operations: Sequence[Operation]) -> dict[str, Any]:
    """The document of these operations, for a BFF at ``public_url``."""
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method] = _described(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Hitchpost",
            "version": version("hitchpost"),
            "description": ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": public_url}],
        "tags": [{"name": name, "description": about} for name, about in TAGS.items()],
        "paths": paths,
        "components": {"securitySchemes": SCHEMES, "schemas": _schemas(operations)},
    }


def _described(operation: Operation) -> dict[str, Any]:
    summary, _, rest = cleandoc(operation.view.__doc__ or "").partition("\n\n")
    found: dict[str, Any] = {
        "operationId": f"{operation.view.__module__.rpartition('.')[2]}_{operation.view.__name__}",
        "summary": " ".join(summary.split()),
        "tags": [operation.tag],
        "responses": _responses(operation),
    }
    if rest:
        found["description"] = " ".join(rest.split())
    if operation.security:
        found["security"] = [{name: [] for name in together} for together in operation.security]
    if operation.parameters:
        found["parameters"] = [parameter.described() for parameter in operation.parameters]
    if operation.body:
        found["requestBody"] = {
            "required": True,
            "content": {operation.body_type: {"schema": _schema(operation.body)}},
        }
    return found


def _responses(operation: Operation) -> dict[str, Any]:
    found = {str(answer.status): _answer(answer) for answer in operation.answers}
    refusals = operation.refusals if "500" in found else (*operation.refusals, "internal_error")
    by_status: dict[int, list[str]] = {}
    for code in refusals:
        by_status.setdefault(STATUS_OF[code], []).append(code)
    found |= {str(status): _refusal(status, codes) for status, codes in by_status.items()}
    return dict(sorted(found.items()))


def _answer(answer: Answer) -> dict[str, Any]:
    described: dict[str, Any] = {"description": answer.about}
    if answer.shape is not None:
        described["content"] = {answer.media_type: {"schema": _schema(answer.shape)}}
    if answer.headers:
        described["headers"] = _headers(answer.headers)
    return described


def _refusal(status: int, codes: list[str]) -> dict[str, Any]:
    schema = {
        "allOf": [
            _schema(Problem),
            {"properties": {"status": {"const": status}, "code": {"enum": sorted(codes)}}},
        ]
    }
    return {
        "description": "Refused: " + ", ".join(f"`{code}`" for code in sorted(codes)) + ".",
        "content": {PROBLEM: {"schema": schema}},
        "headers": _headers((*WITH_STATUS.get(status, ()), "X-Request-Id")),
    }


def _headers(names: Iterable[str]) -> dict[str, Any]:
    return {
        name: {"description": HEADERS[name][0], "required": True, "schema": HEADERS[name][1]}
        for name in names
    }


def _schema(shape: type[BaseModel] | Mapping[str, Any]) -> dict[str, Any]:
    if isinstance(shape, Mapping):
        return dict(shape)
    return {"$ref": REFERENCE.format(model=shape.__name__)}


def _schemas(operations: Sequence[Operation]) -> dict[str, Any]:
    bodies = {operation.body for operation in operations if operation.body}
    told = [answer.shape for operation in operations for answer in operation.answers]
    answers = {shape for shape in told if isinstance(shape, type)} | {Problem}
    wanted: list[tuple[type[BaseModel], JsonSchemaMode]] = [(shape, "validation") for shape in bodies]
    wanted += [(shape, "serialization") for shape in answers]
    _, found = models_json_schema(sorted(wanted, key=str), ref_template=REFERENCE)
    schemas: dict[str, Any] = found["$defs"]
    return dict(sorted(schemas.items()))
