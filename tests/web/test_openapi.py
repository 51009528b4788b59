"""The BFF's OpenAPI document says what the program does: every route, every status, every answer's shape."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest
import requests
from flask import Flask
from pydantic import BaseModel

from bff.common.errors import EVERY
from bff.web.kit.responses import HTTP_CODES
from bff.web.openapi import shapes
from bff.web.openapi.operation import STATUS_OF
from bff.web.openapi.operations import OPERATIONS
from bff.web.openapi.routes import ITSELF, document
from tests.support.world import HOST, World

DESCRIBED = re.compile(r"/(v1|health|\.well-known)/")
METHODS = {"GET", "POST", "PUT", "PATCH", "DELETE"}


def routes_of(app: Flask, wanted: re.Pattern[str]) -> Iterator[tuple[str, str]]:
    """Method and path of each route, its parameters in braces."""
    for rule in app.url_map.iter_rules():
        path = re.sub(r"<(?:[^:<>]+:)?(\w+)>", r"{\1}", rule.rule)
        if wanted.match(path):
            yield from ((method.lower(), path) for method in METHODS & (rule.methods or set()))


def test_every_route_is_described(world: World) -> None:
    """Each route below /v1, /health and /.well-known is in bff/web/openapi/operations.py, and no other."""
    described = {(operation.method, operation.path) for operation in (*OPERATIONS, ITSELF)}
    there = set(routes_of(world.bff_app, DESCRIBED))
    assert there <= described
    assert {pair for pair in described if DESCRIBED.match(pair[1])} <= there


def test_what_is_described_leads_to_its_route(world: World) -> None:
    """Method and path of each description lead to the function whose docstring it tells."""
    adapter = world.bff_app.url_map.bind("")
    for operation in (*OPERATIONS, ITSELF):
        endpoint, _ = adapter.match(operation.path.replace("{", "").replace("}", ""), operation.method)
        assert world.bff_app.view_functions[endpoint] is operation.view


def test_the_document_is_served_to_everybody(world: World) -> None:
    """It is an OpenAPI 3.1 document for this address, may be kept, and can be asked for again cheaply."""
    answer = requests.get(f"{world.bff}/v1/openapi.json", timeout=10)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"].startswith("public, max-age=")
    assert answer.json() == document(world.bff)
    assert answer.json()["openapi"] == "3.1.0"
    assert answer.json()["servers"] == [{"url": world.bff}]
    again = requests.get(answer.url, headers={"If-None-Match": answer.headers["ETag"]}, timeout=10)
    assert (again.status_code, again.content) == (304, b"")


def test_every_reference_leads_to_a_schema() -> None:
    """No `$ref` of the document leads nowhere."""
    whole = document("https://bff.example")
    found = re.findall(r"'#/components/schemas/(\w+)'", str(whole))
    assert found
    assert set(found) <= set(whole["components"]["schemas"])


def test_every_code_has_one_status() -> None:
    """The codes that the document names are those that the program answers, each with its status."""
    assert set(HTTP_CODES.values()) | {kind.code for kind in EVERY} <= set(STATUS_OF)
    for operation in OPERATIONS:
        assert set(operation.refusals) <= set(STATUS_OF), operation.path


def fits(answer: requests.Response, method: str, path: str, shape: type[BaseModel] | None = None) -> Any:
    """The JSON of an answer, which must be documented, and have no member that is not."""
    responses = document("https://bff.example")["paths"][path][method]["responses"]
    documented = responses[str(answer.status_code)]
    content = documented["content"][answer.headers["Content-Type"].partition(";")[0]]
    told = answer.json()
    whole = {**content["schema"], "components": document("https://bff.example")["components"]}
    jsonschema_rs.validate(whole, told)
    if shape is not None:
        shape.model_validate_json(answer.content, extra="forbid")
    assert all(name in answer.headers for name in documented.get("headers", {}))
    return told


def test_answers_to_a_page_fit(world: World) -> None:
    """From its configuration to an attempt that is cancelled: each answer has the shape that is written."""
    token = world.session()
    fits(world.page("GET", "/v1/config", token), "get", "/v1/config", shapes.Config)
    begun = world.page("POST", "/v1/attempts", token, json={"connector": "sandbox"})
    attempt = fits(begun, "post", "/v1/attempts", shapes.PreparedAttempt)
    one = "/v1/attempts/{attempt_id}"
    fits(world.page("GET", f"/v1/attempts/{attempt['id']}", token), "get", one, shapes.AttemptState)
    cancelled = world.page("POST", f"/v1/attempts/{attempt['id']}/cancel", token, json={})
    assert fits(cancelled, "post", one + "/cancel", shapes.AttemptState)["error"]["code"] == "cancelled"


def test_answers_to_a_server_fit(world: World) -> None:
    """The same for what a host's server is told, a connected attempt with its timeline included."""
    body = {"user": {"id": "ada"}, "account": {"id": world.account}}
    fits(world.server("POST", "/v1/sessions", json=body), "post", "/v1/sessions", shapes.SessionToken)
    attempt = world.connect(world.session())
    read = world.server("GET", f"/v1/attempts/{attempt}?hint=message")
    told = fits(read, "get", "/v1/attempts/{attempt_id}", shapes.AttemptState)
    assert told["status"] == "connected"
    assert told["timeline"]
    found = world.server("GET", f"/v1/connections?account={world.account}")
    assert fits(found, "get", "/v1/connections", shapes.Connections)["connections"]
    wanted = {**body, "connector": "sandbox", "target_origin": HOST}
    fits(world.server("POST", "/v1/sign-in-urls", json=wanted), "post", "/v1/sign-in-urls", shapes.MintedUrl)


@pytest.mark.parametrize(
    ("path", "shape"),
    [
        ("/health/live", shapes.Health),
        ("/health/ready", shapes.Health),
        ("/.well-known/jwks.json", shapes.Jwks),
        ("/widget/v1/manifest.json", shapes.WidgetManifest),
    ],
)
def test_public_answers_fit(world: World, path: str, shape: type[BaseModel]) -> None:
    """What everybody may read."""
    fits(requests.get(world.bff + path, timeout=10), "get", path, shape)


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/v1/attempts", b"{", 400),
        ("/v1/attempts", b"{}", 422),
        ("/v1/attempts", b" " * 70_000, 413),
        ("/v1/attempts", None, 415),
    ],
)
def test_refusals_fit(world: World, path: str, body: bytes | None, status: int) -> None:
    """A refusal is a problem document of a documented status and code."""
    headers = {"Content-Type": "application/json"} if body is not None else {}
    answer = world.page("POST", path, world.session(), data=body, headers=headers)
    assert answer.status_code == status
    fits(answer, "post", path, shapes.Problem)


@pytest.mark.parametrize("account", ["", " acme", "a\nb", "..", "a" * 256])
def test_connections_of_no_possible_account(world: World, account: str) -> None:
    """An account that no session could name is refused before the partner service is asked."""
    before = len(world.partner_calls.seen)
    answer = world.server("GET", "/v1/connections", params={"account": account})
    assert answer.status_code == 422
    assert "?account=ID" in fits(answer, "get", "/v1/connections", shapes.Problem)["detail"]
    assert len(world.partner_calls.seen) == before
