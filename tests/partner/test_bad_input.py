"""Nothing that an API client or a browser sends breaks the service: a clear refusal, never a 500."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
import requests

from tests.partner.conftest import Api, api_token

pytestmark = pytest.mark.one_database

HOSTILE = {
    "null": b"null",
    "list": b"[]",
    "text": b'"x"',
    "no JSON": b"{",
    "deep": b"[" * 60_000,
    "bad UTF-8": b'{"Name":"\xff"}',
    "surrogate": b'{"Name":"\\ud800","Username":"\\ud800","UserName":"\\ud800"}',
    "NUL": b'{"Name":"a\\u0000","Username":"a\\u0000","UserName":"a\\u0000"}',
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE.keys())
@pytest.mark.parametrize("path", ["/v1.0/accounts", "/v1.0/accounts/{}/signintoken"])
def test_hostile_bodies_are_refused(api: Api, path: str, body: bytes) -> None:
    """What is no JSON object of texts that can be kept: 400, with a message."""
    url = api.url + path.format(quote(api.account, safe=""))
    headers = {"Authorization": f"Bearer {api.token}", "Content-Type": "application/json"}
    answer = requests.post(url, data=body, headers=headers, timeout=10)
    assert (answer.status_code, list(answer.json())) == (400, ["Message"])


@pytest.mark.parametrize("number", [2**31, 2**63, 10**30])
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_an_id_that_no_table_can_hold_is_unknown(api: Api, method: str, number: int) -> None:
    """404, as for every other id that there is not."""
    own = f"/v1.0/account/connectors/{api.install()['Id']}"
    for path in (f"/v1.0/account/connectors/{number}", f"{own}/properties/{number}"):
        assert api.call(method, path, {}).status_code == 404
    assert api.call("GET", f"/v1.0/connectors/{number}").status_code == 404


@pytest.mark.parametrize("order", ["Name", "Id", "Parameters", "Icon", "IsSystemConnector"])
def test_connectors_come_in_the_order_of_any_field(api: Api, order: str) -> None:
    """Also by one that has no order of its own, such as a list."""
    answer = api.call("GET", f"/v1.0/connectors?orderBy={order}")
    assert answer.status_code == 200
    assert len(answer.json()) > 1


@pytest.mark.both_databases
def test_accounts_come_in_the_order_of_an_empty_text(api: Api) -> None:
    """It stands before every other text."""
    own = f"/v1.0/accounts/{quote(api.account, safe='')}"
    assert api.call("PUT", own, {"Timezone": ""}, account=None).status_code == 200
    assert api.call("POST", "/v1.0/accounts", {"Name": "Other"}, account=None).status_code == 200
    told = api.call("GET", "/v1.0/accounts?orderBy=Timezone&pageSize=1", account=None)
    assert [account["Timezone"] for account in told.json()] == [""]


@pytest.mark.parametrize("order", ["Connector", "Properties", "Hitchpost", "AuthValue"])
def test_installed_connectors_come_in_the_order_of_any_field(api: Api, order: str) -> None:
    """The same for what is installed."""
    for connector in ("101", "102"):
        path = f"/v1.0/account/connectors/{api.install(connector)['Id']}/properties"
        assert api.call("POST", path, {"Name": "ClientId", "Value": "x"}).status_code == 200
    assert api.call("GET", f"/v1.0/account/connectors?orderBy={order}").status_code == 200


@pytest.mark.parametrize("text", ["a\x00b", "\ud800".encode("utf-8", "surrogatepass"), b"\xff"])
def test_text_that_no_table_can_hold_is_unknown(api: Api, text: Any) -> None:
    """NUL and bytes that are no UTF-8, in paths, headers, forms and cookies: never a 500."""
    named = quote(text)
    sign_in = f"/v1.0/account/connectors/{api.install()['Id']}/signins/{named}"
    assert api.call("PUT", sign_in + "/accept").status_code == 404
    for path in (f"/v1.0/accounts/{named}", f"/v1.0/connectors/{named}"):
        assert api.call("GET", path).status_code == 404
    assert requests.get(f"{api.url}/connector/callback?state={named}", timeout=10).status_code == 400
    url = f"{api.url}/connectorauth/updateaccountconnectoroauth?id={named}&token={named}"
    assert requests.get(f"{url}&targetOrigin=https://a.example", timeout=10).status_code == 403
    assert api_token(api.url, scope="account:a\x00b").status_code == 400


def test_two_slashes_are_not_one(api: Api) -> None:
    """404 in this API's form, and no redirect."""
    answer = requests.get(f"{api.url}/v1.0//accounts", allow_redirects=False, timeout=10)
    assert (answer.status_code, list(answer.json())) == (404, ["Message"])
