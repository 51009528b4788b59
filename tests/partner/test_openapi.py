"""The embedded service's OpenAPI document says what the program does."""

from __future__ import annotations

import re
from typing import Any

import jsonschema_rs
import pytest
import requests
from flask import Flask
from pydantic import BaseModel

from bff.openapi.routes import Undeclared
from bff.partner.api import accounts, api_tokens, sign_in_tokens
from bff.partner.app import api_document, create_app
from bff.partner.openapi import shapes
from bff.partner.openapi.routes import described
from tests.partner.conftest import Api, api_token

pytestmark = pytest.mark.one_database

DOCUMENT = api_document("https://partner.example")


def test_a_route_that_declares_nothing_stops_the_start(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """The program says which, and serves nothing."""
    monkeypatch.delattr(accounts.create, "openapi_operation")
    service = api.world.partner_service
    with pytest.raises(Undeclared, match=r"/v1.0/accounts: describe bff.partner.api.accounts.create"):
        create_app(service.settings, service.catalogue)


def test_what_is_described_leads_to_its_route(api: Api) -> None:
    """Also where a number goes to another function than a name."""
    app: Flask = api.world.partner_calls.app
    adapter = app.url_map.bind("")
    for route in described(app):
        endpoint, _ = adapter.match(re.sub(r"{\w+}", "1", route.path), route.method)
        assert app.view_functions[endpoint] is route.view


def test_who_may_call_is_who_is_let_in(api: Api) -> None:
    """Without an access token, what is declared to be anybody's, and nothing else."""
    for route in described(api.world.partner_calls.app):
        path = api.url + re.sub(r"{\w+}", "1", route.path)
        answer = requests.request(route.method, path, timeout=10, allow_redirects=False)
        assert (answer.status_code == 401) == bool(route.operation.security), (route.path, answer.text)


def test_the_document_is_served_to_everybody(api: Api) -> None:
    """It is an OpenAPI 3.1 document for this address, and may be kept."""
    answer = requests.get(f"{api.url}/v1.0/openapi.json", timeout=10)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"].startswith("public, max-age=")
    assert answer.json() == api_document(api.url)
    references = set(re.findall(r'"#/components/schemas/(\w+)"', answer.text))
    assert references <= set(answer.json()["components"]["schemas"])


def fits(answer: requests.Response, method: str, path: str, shape: type[BaseModel] | None = None) -> Any:
    """The JSON of an answer, which must be documented, and have no member that is not."""
    content = DOCUMENT["paths"][path][method]["responses"][str(answer.status_code)]["content"]
    schema = content[answer.headers["Content-Type"].partition(";")[0]]["schema"]
    jsonschema_rs.validate({**schema, "components": DOCUMENT["components"]}, answer.json())
    items = answer.json() if isinstance(answer.json(), list) else [answer.json()]
    for item in items if shape else ():
        shape.model_validate(item, extra="forbid", by_alias=True, by_name=False)
    return answer.json()


def test_answers_about_accounts_fit(api: Api) -> None:
    """Accounts, their users, and tokens."""
    fits(api_token(api.url), "post", "/oauth/token", api_tokens.AccessToken)
    fits(api_token(api.url, scope="all"), "post", "/oauth/token", api_tokens.OAuthError)
    one = "/v1.0/accounts/{account_id}"
    account = api.call("POST", "/v1.0/accounts", {"Name": "Acme"}, account=None)
    mine = f"/v1.0/accounts/{fits(account, 'post', '/v1.0/accounts', shapes.Account)['Id']}"
    fits(api.call("GET", "/v1.0/accounts", account=None), "get", "/v1.0/accounts", shapes.Account)
    fits(api.call("PUT", mine, {"Description": "x"}, account=None), "put", one, shapes.Account)
    user = {"UserName": "ada"}
    fits(api.call("PUT", mine + "/users", user, account=None), "put", one + "/users", shapes.Message)
    assert fits(api.call("GET", mine + "/users", account=None), "get", one + "/users") == ["ada"]
    token = api.call("POST", mine + "/signintoken", {"Username": "ada"}, account=None)
    fits(token, "post", one + "/signintoken", sign_in_tokens.SignInToken)
    fits(api.call("DELETE", mine, account=None), "delete", one, shapes.Message)


def test_answers_about_connectors_fit(api: Api) -> None:
    """The catalogue, what is installed, and properties."""
    named = "/v1.0/connectors/{connector}"
    fits(api.call("GET", "/v1.0/connectors"), "get", "/v1.0/connectors", shapes.Connector)
    fits(api.call("GET", "/v1.0/connectors/101"), "get", named, shapes.Connector)
    fits(api.call("GET", "/v1.0/connectors/sandbox"), "get", named, shapes.Connector)
    new = api.call("POST", "/v1.0/connectors/sandbox/install", {"AuthValue": "key"})
    installed = fits(new, "post", named + "/install", shapes.AccountConnector)
    path, one = (
        f"/v1.0/account/connectors/{installed['Id']}",
        "/v1.0/account/connectors/{account_connector_id}",
    )
    requests.get(api.sign_in_url(installed["Id"]), allow_redirects=False, timeout=10)
    told = fits(api.call("GET", path), "get", one, shapes.AccountConnector)
    assert told["Hitchpost"]["RecentSignIns"]
    set_one = api.call("POST", path + "/properties", {"Name": "ClientId", "Value": "x"})
    number = fits(set_one, "post", one + "/properties", shapes.Property)["Id"]
    fits(
        api.call("DELETE", f"{path}/properties/{number}"),
        "delete",
        one + "/properties/{property_id}",
        shapes.Message,
    )
    fits(api.call("PUT", path + "/deauthenticate"), "put", one + "/deauthenticate", shapes.Message)


@pytest.mark.parametrize(
    ("method", "path", "documented"),
    [
        ("GET", "/v1.0/account/connectors/1?x", "/v1.0/account/connectors/{account_connector_id}"),
        ("GET", "/v1.0/connectors?page=x", "/v1.0/connectors"),
        ("POST", "/v1.0/connectors/101/install", "/v1.0/connectors/{connector}/install"),
    ],
)
def test_refusals_fit(api: Api, method: str, path: str, documented: str) -> None:
    """A refusal is Cyclr's `{"Message"}`."""
    body = {"Properties": [{"Name": "nothing"}]} if method == "POST" else None
    answer = api.call(method, path, body)
    assert answer.status_code in {400, 404}
    fits(answer, method.lower(), documented, shapes.Message)
