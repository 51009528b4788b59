"""The BFF's OpenAPI document says what the program does: every route, every status, every answer's shape."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import requests
from pydantic import BaseModel

from bff.app import api_document
from bff.openapi.routes import Route, Undeclared
from bff.web.host_api import calls, receipts
from bff.web.openapi import describe, shapes
from bff.web.openapi.routes import described
from bff.web.public import files, health
from bff.web.widget_api import config
from tests.support.mounted import create_host
from tests.support.world import HOST, SECRET_KEY, World, build_bff

pytestmark = pytest.mark.one_database

DOCUMENT = api_document("https://bff.example")
Described = tuple[Route, ...]


@pytest.fixture
def routes(world: World) -> Described:
    """Of the running BFF, as each declares itself."""
    return described(world.bff_app, "")


def test_a_route_that_declares_nothing_stops_the_start(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The program says which, and serves nothing."""
    monkeypatch.delattr(config.config, "openapi_operation")
    with pytest.raises(Undeclared, match=r"/v1/config: describe bff.web.widget_api.config.config"):
        build_bff("http://127.0.0.1:9", tmp_path, world.partner)


def test_what_anybody_may_call_says_how_it_is_counted() -> None:
    """Also that it is not: nobody forgets it."""
    with pytest.raises(TypeError, match="BY_ADDRESS, or UNCOUNTED"):
        describe.operation(access=describe.Access.ANYBODY)


def test_what_is_described_leads_to_its_route(world: World, routes: Described) -> None:
    """Also where of many addresses one is described."""
    adapter = world.bff_app.url_map.bind("")
    for route in routes:
        endpoint, _ = adapter.match(route.path.replace("{", "").replace("}", ""), route.method)
        assert world.bff_app.view_functions[endpoint] is route.view


def test_mounted_in_a_hosts_app_it_describes_its_own_routes(world: World, tmp_path: Path) -> None:
    """Without the host's, and with paths below the address that it is mounted at."""
    url = "http://127.0.0.1:9"
    app = create_host(url, tmp_path, world.partner)
    app.add_url_rule("/v1/of-the-host", view_func=lambda: "")
    answer = app.test_client().get("/hitchpost/v1/openapi.json")
    assert answer.json == api_document(f"{url}/hitchpost")


def credentials(world: World) -> dict[str, dict[str, str]]:
    """What each security scheme is sent as, by a page or a server."""
    page = {"Authorization": f"Bearer {world.session()}", "Origin": HOST}
    return {
        "sessionToken": page,
        "secretKey": {"Authorization": f"Bearer {SECRET_KEY}"},
        "": {"Origin": HOST},
    }


def test_who_may_call_is_who_is_let_in(world: World, routes: Described) -> None:
    """Whoever a route's access names gets further; whoever it does not is not signed in."""
    sent = credentials(world)
    for route in routes:
        named = {scheme for way in route.operation.security for scheme in way} & set(sent)
        path = world.bff + route.path.format(attempt_id="att_x", connection_id="7", secret="x")
        for scheme, headers in sent.items() if named else ():
            answer = requests.request(
                route.method, path, headers=headers, json={} if route.operation.body else None, timeout=10
            )
            assert (answer.status_code != 401) == (scheme in named), (route.path, scheme, answer.text)


def test_the_document_is_served_to_everybody(world: World) -> None:
    """It is an OpenAPI 3.1 document for this address, may be kept, and can be asked for again cheaply."""
    answer = requests.get(f"{world.bff}/v1/openapi.json", timeout=10)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"].startswith("public, max-age=")
    assert answer.json() == api_document(world.bff)
    assert answer.json()["openapi"] == "3.1.0"
    assert answer.json()["servers"] == [{"url": world.bff}]
    again = requests.get(answer.url, headers={"If-None-Match": answer.headers["ETag"]}, timeout=10)
    assert (again.status_code, again.content) == (304, b"")


def test_every_reference_leads_to_a_schema() -> None:
    """No `$ref` of the document leads nowhere."""
    found = re.findall(r"'#/components/schemas/(\w+)'", str(DOCUMENT))
    assert found
    assert set(found) <= set(DOCUMENT["components"]["schemas"])


def fits(answer: requests.Response, method: str, path: str, shape: type[BaseModel] | None = None) -> Any:
    """The JSON of an answer, which must be documented, and have no member that is not."""
    responses = DOCUMENT["paths"][path][method]["responses"]
    documented = responses[str(answer.status_code)]
    content = documented["content"][answer.headers["Content-Type"].partition(";")[0]]
    told = answer.json()
    whole = {**content["schema"], "components": DOCUMENT["components"]}
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
    fits(world.server("POST", "/v1/sign-in-urls", json=wanted), "post", "/v1/sign-in-urls", calls.MintedUrl)


@pytest.mark.parametrize(
    ("path", "shape"),
    [
        ("/health/live", health.Health),
        ("/health/ready", health.Health),
        ("/.well-known/jwks.json", receipts.Jwks),
        ("/widget/v1/manifest.json", files.WidgetManifest),
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
