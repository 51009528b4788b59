"""Whatever is sent to the embedded service, it answers as its OpenAPI document says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import pytest
import schemathesis.pytest
from schemathesis import AuthContext, Case

from bff.partner.app import api_document
from tests.fuzz.api import bounded, checks, load, often, repeats
from tests.partner.conftest import Api, client_of
from tests.support.world import World

document = schemathesis.pytest.from_fixture("schema")


class Current:
    """The API client that calls, and what it has installed."""

    api: ClassVar[Api | None] = None
    real: ClassVar[dict[str, Any]] = {}


@pytest.fixture(scope="module", autouse=True)
def client(fuzz_world: World) -> Iterator[Api]:
    """Signed in, with an account, a connector and a property."""
    Current.api = client_of(fuzz_world)
    installed = Current.api.install()["Id"]
    path = f"/v1.0/account/connectors/{installed}/properties"
    added = Current.api.call("POST", path, {"Name": "ClientId", "Value": "x"}).json()
    Current.real = {
        "account_id": Current.api.account,
        "account_connector_id": installed,
        "property_id": added["Id"],
        "connector": "sandbox",
        "version": "1.0",
    }
    yield Current.api
    Current.api = None


class Credentials:
    """An access token, and the account that the call is about."""

    def get(self, case: Case, ctx: AuthContext) -> Api | None:
        """Who calls."""
        return Current.api

    def set(self, case: Case, data: Api, ctx: AuthContext) -> None:
        """Say who calls."""
        case.headers["Authorization"] = f"Bearer {data.token}"
        named = case.headers.get("X-Cyclr-Account")
        if case.operation.definition.raw.get("security") and (named is None or often(named)):
            case.headers["X-Cyclr-Account"] = data.account.encode().decode("latin-1")


@pytest.fixture
def schema(request: pytest.FixtureRequest) -> Any:
    """The OpenAPI document, with these credentials."""
    return load(api_document("http://127.0.0.1"), Credentials, request)


@document.parametrize()
@bounded
def test_the_service_keeps_its_word(case: Case, client: Api) -> None:
    """No 500; no undocumented status, media type, header or shape; 405 with `Allow`; 401 to strangers."""
    if repeats(case):
        return
    for name, value in case.path_parameters.items():
        # What is removed is made anew by nobody: those calls name what is not there.
        if name in Current.real and case.method != "DELETE" and often(value):
            case.path_parameters[name] = Current.real[name]
    case.call_and_validate(base_url=client.url, checks=checks(), allow_redirects=False, timeout=30)
