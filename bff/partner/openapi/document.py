"""Makes the OpenAPI document (3.1) from the operations and their models."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from inspect import cleandoc
from typing import Any, Final

from pydantic.json_schema import models_json_schema

from bff.partner.access import ACCOUNT_HEADER, MAX_PAGE_SIZE
from bff.partner.openapi.operation import HTML, JSON, TEXT, ListOf, Operation, Shape, models_of, shape_of
from bff.partner.openapi.shapes import Message

REFERENCE: Final = "#/components/schemas/{model}"
ABOUT: Final = (
    "Speaks Cyclr's HTTP protocol, and a little more under `Hitchpost`. Every refusal over the API is"
    ' `{"Message"}`; what a browser is shown is a page.'
)
WHOLE: Final = {"type": "integer", "minimum": 1}
PAGED: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "page": ("Which page, from 1.", {**WHOLE, "maximum": 1_000_000}),
    "pageSize": ("Items of a page.", {**WHOLE, "maximum": MAX_PAGE_SIZE}),
    "sortOrderAsc": ("`false` for the reverse order.", {"type": "boolean"}),
}
REFUSED: Final = {
    400: "The request cannot be used; the message says why.",
    401: "No access token, one that has ended, or one for another account.",
    404: "There is no such thing, or none in this account.",
    409: "The user has to sign in first.",
    410: "It is gone.",
    413: "The body is too large.",
    422: "What a user typed is wrong; `Hitchpost.Fields` says which, and how.",
    424: "What a user typed could not be tried: the third party did not answer.",
    500: "Something broke on our side.",
    503: "The third party, or the database, is away; `Retry-After` says when to ask again.",
}
PAGE: Final = {200: "The last page.", 302: "On to the third party, or back to the host's page."}
GONE_WRONG: Final = "A page that says what went wrong."
BEARER: Final = {"type": "http", "scheme": "bearer", "description": "An access token of `POST /oauth/token`."}


def make_document(public_url: str, operations: Sequence[Operation]) -> dict[str, Any]:
    """The document of these operations, for a service at ``public_url``."""
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method] = _described(operation)
    models = {pair for operation in operations for pair in models_of(operation)}
    _, found = models_json_schema(sorted(models, key=str), ref_template=REFERENCE)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Hitchpost's embedded partner service",
            "version": version("hitchpost"),
            "description": ABOUT,
        },
        "servers": [{"url": public_url}],
        "paths": paths,
        "components": {
            "securitySchemes": {"accessToken": BEARER},
            "schemas": dict(sorted(found["$defs"].items())),
        },
    }


def _described(operation: Operation) -> dict[str, Any]:
    summary, _, rest = cleandoc(operation.view.__doc__ or "").partition("\n\n")
    found: dict[str, Any] = {
        "operationId": f"{operation.view.__module__.rpartition('.')[2]}_{operation.view.__name__}",
        "summary": " ".join(summary.split()),
        "responses": _responses(operation),
    }
    if rest:
        found["description"] = " ".join(rest.split())
    if not operation.public:
        found["security"] = [{"accessToken": []}]
    if parameters := _parameters(operation):
        found["parameters"] = parameters
    if operation.body:
        found["requestBody"] = {"content": {operation.body_type: {"schema": _schema(operation.body)}}}
    return found


def _parameters(operation: Operation) -> list[dict[str, Any]]:
    found = [
        {"name": name, "in": "path", "required": True, "schema": _path_schema(name)}
        for name in re.findall(r"{(\w+)}", operation.path)
    ]
    if operation.account:
        about = "The account's id; a token that is restricted to one account needs none."
        found.append({"name": ACCOUNT_HEADER, "in": "header", "description": about, "schema": dict(TEXT)})
    asked = {name: (about, dict(TEXT)) for name, about in (operation.query or {}).items()}
    if isinstance(operation.answers, ListOf):
        asked |= PAGED
        if isinstance(item := operation.answers.item, type):
            asked["orderBy"] = ("The member to order by.", {"enum": sorted(item.model_fields)})
    return found + [
        {"name": name, "in": "query", "description": about, "schema": schema}
        for name, (about, schema) in asked.items()
    ]


def _path_schema(name: str) -> dict[str, Any]:
    number = name in {"account_connector_id", "property_id"}
    return {"type": "integer", "minimum": 0} if number else {"type": "string", "minLength": 1}


def _responses(operation: Operation) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if (shape := shape_of(operation)) is not None:
        found["200"] = _answer("As asked.", _told(operation, shape))
    if isinstance(operation.answers, ListOf):
        header = {"description": "How many pages there are.", "required": True, "schema": dict(TEXT)}
        found["200"]["headers"] = {"Total-Pages": header}
    for status in operation.pages:
        found[str(status)] = _answer(PAGE.get(status, GONE_WRONG), dict(TEXT), HTML)
    for status in _refusals(operation):
        schema = _schema(Message)
        if status == 400 and operation.error:
            schema = {"anyOf": [_schema(operation.error), schema]}
        found[str(status)] = _answer(REFUSED[status], schema)
    return dict(sorted(found.items()))


def _refusals(operation: Operation) -> set[int]:
    statuses = {*operation.refusals, 500, 503}
    if not operation.public:
        statuses.add(401)
    if operation.body:
        statuses |= {400, 413}
    if isinstance(operation.answers, ListOf):
        statuses.add(400)
    return statuses


def _told(operation: Operation, shape: Shape) -> dict[str, Any]:
    schema = _schema(shape)
    return {"type": "array", "items": schema} if isinstance(operation.answers, ListOf) else schema


def _answer(about: str, schema: dict[str, Any], media_type: str = JSON) -> dict[str, Any]:
    return {"description": about, "content": {media_type: {"schema": schema}}}


def _schema(shape: Shape) -> dict[str, Any]:
    if isinstance(shape, Mapping):
        return dict(shape)
    return {"$ref": REFERENCE.format(model=shape.__name__)}
