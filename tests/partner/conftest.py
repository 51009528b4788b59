"""The embedded partner service on a socket, spoken to as an API client does."""

from __future__ import annotations

import contextlib
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote
from weakref import WeakKeyDictionary

import pytest
import requests

from tests.support.databases import DatabaseUrl
from tests.support.world import CLIENT_ID, CLIENT_SECRET, Calls, World, open_world


@dataclass
class Api:
    """An API client with an account of its own."""

    world: World
    token: str
    account: str

    @property
    def url(self) -> str:
        """Where the service is."""
        return self.world.partner

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        account: str | None = "own",
        token: str | None = None,
    ) -> requests.Response:
        """One API call, for the own account unless another, or none, is named."""
        headers: dict[str, str | bytes] = {"Authorization": f"Bearer {token or self.token}"}
        if account is not None:
            named = self.account if account == "own" else account
            headers["X-Cyclr-Account"] = named.encode()
        return requests.request(method, self.url + path, json=body, headers=headers, timeout=30)

    def install(self, connector: str = "101") -> dict[str, Any]:
        """An account connector in the own account."""
        answer = self.call("POST", f"/v1.0/connectors/{connector}/install", {})
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def sign_in_token(self) -> str:
        """A fresh one-time token."""
        path = f"/v1.0/accounts/{quote(self.account, safe='')}/signintoken"
        return str(self.call("POST", path, {"Username": "ada"}, account=None).json()["Token"])

    def sign_in_url(self, connector_id: int, token: str | None = None, **values: str) -> str:
        """The browser's URL."""
        query = {
            "id": str(connector_id),
            "token": token or self.sign_in_token(),
            "targetOrigin": "https://app.example",
        }
        prepared = requests.Request(
            "GET", f"{self.url}/connectorauth/updateaccountconnectoroauth", params={**query, **values}
        ).prepare()
        return str(prepared.url)


def api_token(url: str, **form: str) -> requests.Response:
    """Ask for an access token."""
    values = {"grant_type": "client_credentials", "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
    return requests.post(f"{url}/oauth/token", data={**values, **form}, timeout=30)


_TOKENS: Final = WeakKeyDictionary[Calls, tuple[str, float]]()
"""The access token of each world's API client, and when it was asked for."""
_SOON: Final = 300.0


def client_of(world: World) -> Api:
    """An API client with a new account in this world."""
    token, since = _TOKENS.get(world.partner_calls, ("", 0.0))
    if not token or time.monotonic() - since > _SOON:
        token = str(api_token(world.partner).json()["access_token"])
        _TOKENS[world.partner_calls] = token, time.monotonic()
    api = Api(world, token, "acct/ä " + secrets.token_hex(4))
    assert (
        api.call("POST", "/v1.0/accounts", {"Id": api.account, "Name": "Acme"}, account=None).status_code
        == 200
    )
    return api


@pytest.fixture(scope="session")
def partner_world(tmp_path_factory: pytest.TempPathFactory, database_url: DatabaseUrl) -> Iterator[World]:
    """One service for the worker's whole run."""
    with open_world(tmp_path_factory.mktemp("partner"), database_url=database_url) as world:
        yield world


@pytest.fixture
def api(partner_world: World) -> Api:
    """An API client with an account that nobody else uses; its id has a slash, a blank and an umlaut."""
    return client_of(partner_world)


@pytest.fixture
def switched(
    tmp_path_factory: pytest.TempPathFactory, database_url: DatabaseUrl
) -> Iterator[Callable[..., Api]]:
    """A service with some of its switches set."""
    with contextlib.ExitStack() as stack:
        yield lambda **switches: client_of(
            stack.enter_context(
                open_world(tmp_path_factory.mktemp("switched"), database_url=database_url, **switches)
            )
        )
