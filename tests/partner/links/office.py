"""The embedded partner service without a socket of its own: many rules at the price of one."""

from __future__ import annotations

import base64
import contextlib
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, quote, urlsplit

from flask import Flask
from pydantic import SecretStr
from sqlalchemy import Row, Table, select, update
from werkzeug.test import TestResponse

from bff.partner.app import create_app
from bff.partner.context import EXTENSION, Embedded
from bff.partner.crypto import sha256
from bff.partner.providers.catalogue import Catalogue, CatalogueConnector
from bff.partner.settings import Settings
from bff.partner.storage import tables
from tests.support.third_party import ThirdParty, open_third_party

LINK: Final = "/connectorauth/updateaccountconnectoroauth"
TARGET: Final = "https://app.example"
PLAIN, MACHINE, KEYED, LACKING, ISSUED = range(1, 6)
CLIENT: Final = {"client_id": "api-client", "client_secret": "api-client-secret-0123456789"}


@dataclass
class Office:
    """The service, and an account in it."""

    app: Flask
    third: ThirdParty
    account: str = ""

    def __post_init__(self) -> None:
        self.account = "acct-" + secrets.token_hex(4)
        self.browser = self.app.test_client()
        self.key = self._access_token()
        assert self.call("POST", "/v1.0/accounts", {"Id": self.account, "Name": "Acme"}).status_code == 200

    def restrict(self) -> None:
        """From now on calls are made with an access token for this account only."""
        self.key = self._access_token(scope=f"account:{self.account}")

    @property
    def service(self) -> Embedded:
        """What its routes work with."""
        found: Embedded = self.app.extensions[EXTENSION]
        return found

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """One API call for the account."""
        headers = {"Authorization": f"Bearer {self.key}", "X-Cyclr-Account": self.account}
        return self.app.test_client().open(path, method=method, json=body, headers=headers)

    def install(self, connector: int = PLAIN, **properties: str) -> int:
        """A new account connector with these properties."""
        named = [{"Name": name, "Value": value} for name, value in properties.items()]
        body = {"Name": secrets.token_hex(4), "Properties": named}
        answer = self.call("POST", f"/v1.0/connectors/{connector}/install", body)
        assert answer.status_code == 200, answer.text
        return int(answer.json["Id"])

    def ask_for_token(self, account: str | None = None, **more: Any) -> Any:
        """Ask for a sign-in token."""
        path = f"/v1.0/accounts/{quote(account or self.account, safe='')}/signintoken"
        return self.call("POST", path, {"Username": "ada", **more})

    def token(self, **more: Any) -> str:
        """A sign-in token."""
        answer = self.ask_for_token(**more)
        assert answer.status_code == 200, answer.text
        return str(answer.json["Token"])

    def open(self, connector: object, token: str | None = None, /, **changes: str | None) -> TestResponse:
        """Open a link in the browser; a parameter that is changed to None is left out."""
        asked = {
            "id": str(connector),
            "token": token or self.token(),
            "targetOrigin": TARGET,
            "callbackMessage": "done",
            **changes,
        }
        query = {name: value for name, value in asked.items() if value is not None}
        return self.browser.get(LINK, query_string=query)

    def begin(self, connector: int, token: str | None = None, /, **changes: str | None) -> str:
        """The state of a new flow."""
        return asked_of(self.open(connector, token, **changes))["state"]

    def answer(self, state: str, **values: Any) -> TestResponse:
        """Bring the third party's answer."""
        return self.browser.get("/connector/callback", query_string={"state": state, **values})

    def told(self, connector: int) -> dict[str, Any]:
        """What the API tells of an account connector."""
        answer = self.call("GET", f"/v1.0/account/connectors/{connector}")
        return dict(answer.json)

    def sign_ins(self, connector: int) -> list[tuple[str, str | None]]:
        """The sign-ins of an account connector, newest first: how each ended, and why."""
        return [
            (each["Result"], each["Error"]) for each in self.told(connector)["Hitchpost"]["RecentSignIns"]
        ]

    def rows(self, table: Table) -> list[Row[Any]]:
        """What a table holds."""
        with self.service.database.reading() as connection:
            return list(connection.execute(select(table)))

    def stored(self, token: str) -> Row[Any]:
        """What is kept of a sign-in token."""
        return next(row for row in self.rows(tables.sign_in_token) if row.sha256 == sha256(token))

    def change_token(self, token: str, **values: datetime) -> None:
        """Write into the row of a sign-in token."""
        ours = update(tables.sign_in_token).where(tables.sign_in_token.c.sha256 == sha256(token))
        with self.service.database.writing() as connection:
            assert connection.execute(ours.values(values)).rowcount == 1

    def _access_token(self, **scope: str) -> str:
        form = {"grant_type": "client_credentials", **CLIENT, **scope}
        granted: Any = self.app.test_client().post("/oauth/token", data=form)
        return str(granted.json["access_token"])


def asked_of(answer: TestResponse) -> dict[str, str]:
    """The parameters of the redirect to the third party."""
    assert answer.status_code == 302, answer.text
    query = parse_qs(urlsplit(answer.headers["Location"]).query)
    return {name: value for name, (value,) in query.items()}


def catalogue_at(third: str) -> list[CatalogueConnector]:
    """One connector of each kind."""

    def connector(number: int, key: str, **more: Any) -> CatalogueConnector:
        values = {
            "id": number,
            "key": key,
            "name": key.title(),
            "authorize_url": f"{third}/authorize",
            "token_url": f"{third}/token",
            "client_id": "catalogue-client",
            "client_secret": "catalogue-secret",
            "token_auth": "client_secret_post",
            "scopes": ["contacts.read", "contacts.write"],
        }
        return CatalogueConnector.model_validate({**values, **more})

    of_another_third_party = {"authorize_url": f"{third}/other", "token_url": f"{third}/token?of=another"}
    needed = [{"name": "Region"}, {"name": "Subdomain"}, {"name": "Nickname", "optional": True}]
    return [
        connector(PLAIN, "plain", authorize_params={"access_type": "offline"}),
        connector(MACHINE, "machine", grant="client_credentials", authorize_url=None),
        connector(KEYED, "keyed", auth="api_key"),
        connector(LACKING, "lacking", property=needed),
        connector(ISSUED, "issued", issuer="https://as.example", **of_another_third_party),
    ]


@contextlib.contextmanager
def open_office(folder: Path, database_url: str, **switches: Any) -> Iterator[Office]:
    """An office with its third party; ``switches`` are settings of the service."""
    with open_third_party() as third:
        settings = Settings(
            public_url="http://localhost",
            database_url=database_url,
            catalogue=folder / "unread.toml",
            client_id=CLIENT["client_id"],
            client_secret=SecretStr(CLIENT["client_secret"]),
            encryption_keys=SecretStr("k1:" + base64.b64encode(bytes(32)).decode()),
            **switches,
        )
        yield Office(create_app(settings, Catalogue(catalogue_at(third.url))), third)
