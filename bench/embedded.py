"""The embedded partner service as in production, with accounts in it, and what its callers send."""

from __future__ import annotations

import base64
import contextlib
import secrets
import sqlite3
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlencode

import requests
from sqlalchemy import insert

from bench.load import http_request
from bench.process import ROOT, Server, serving
from bench.product import UNLIMITED
from bff.partner.crypto import sha256
from bff.partner.storage.tables import sign_in_token
from bff.serving.database import open_database, writing
from tests.support.ports import free_port

NAME: Final = "Hitchpost's embedded service"
PUBLIC_URL: Final = "https://partner.example.com"
CLIENT_ID: Final = "bff"
CLIENT_SECRET: Final = "5d0c7f3a9be2416890d1c4a7"
USERNAME: Final = "ada"
CONNECTOR: Final = 101
LIFE: Final = timedelta(minutes=5)
ACCOUNTS: Final = 20
MESSAGE: Final = (
    '{"type":"hitchpost.callback","attempt":"att_Jv0C2vUQk3b7m9xYp1Rz4WtE","nonce":'
    '"q0V1rYwqvH2cJ8sVtM5nB7kD3fG6hL9pXzA4eR1uT0o","message":"connected:sandbox"}'
)
PROXY: Final = {
    "Host": "partner.example.com",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-For": "198.51.100.7",
}
BROWSER: Final = PROXY | {
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0"
    " Safari/537.36",
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "Accept-Language": "en,en-GB",
    "Sec-Fetch-Dest": "document",
    "Sec-Fetch-Mode": "navigate",
    "Sec-Fetch-Site": "cross-site",
}
CATALOGUE: Final = f"""
[[connector]]
id = {CONNECTOR}
key = "sandbox"
name = "Sandbox CRM"
auth = "oauth2"
authorize_url = "https://crm.example.com/authorize"
token_url = "https://crm.example.com/token"
client_id = "hitchpost"
client_secret = "8d1f0a6c5e7b4293b0e4f7a1"
scopes = ["contacts.read", "contacts.write"]
issuer = "https://crm.example.com"
"""


@dataclass(frozen=True)
class Embedded:
    """A running service. ``installed`` has the account connector of each account."""

    server: Server
    database: Path
    token: str
    installed: dict[str, int]

    def mints(self, server: Server) -> list[bytes]:
        """What the BFF asks ``server`` for a sign-in token, for each account."""
        headers = PROXY | {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        body = f'{{"Username": "{USERNAME}"}}'.encode()
        base = f"{server.url}/v1.0/accounts"
        return [
            http_request("POST", f"{base}/{account}/signintoken", headers, body) for account in self.installed
        ]

    def redemptions(self, count: int, server: Server, database: Path) -> list[bytes]:
        """Visits of ``count`` browsers, each with a token of its own, written straight into a database."""
        tokens, accounts = [_token() for _ in range(count)], list(self.installed)
        until = datetime.now(UTC) + LIFE
        rows: list[dict[str, Any]] = [
            {
                "sha256": sha256(token),
                "account_id": accounts[number % len(accounts)],
                "username": USERNAME,
                "expires_at": until,
            }
            for number, token in enumerate(tokens)
        ]
        engine = open_database(f"sqlite:///{database}")
        with writing(engine).begin() as connection:
            connection.execute(insert(sign_in_token), rows)
        engine.dispose()
        return [
            http_request("GET", server.url + _visit_path(token, self.installed[row["account_id"]]), BROWSER)
            for token, row in zip(tokens, rows, strict=True)
        ]

    def one_round(self) -> None:
        """Mint and redeem one token. Raises ``requests.HTTPError``."""
        account = next(iter(self.installed))
        token = self.call("POST", f"/v1.0/accounts/{account}/signintoken", {"Username": USERNAME})["Token"]
        url = f"{self.server.url}{_visit_path(token, self.installed[account])}"
        requests.get(url, headers=BROWSER, timeout=30, allow_redirects=False).raise_for_status()

    def call(self, method: str, path: str, body: Any, account: str | None = None) -> dict[str, Any]:
        """A call of the API. Raises ``requests.HTTPError``."""
        headers = PROXY | {"Authorization": f"Bearer {self.token}"}
        if account is not None:
            headers["X-Cyclr-Account"] = account
        answer = requests.request(method, self.server.url + path, json=body, headers=headers, timeout=30)
        answer.raise_for_status()
        document: dict[str, Any] = answer.json()
        return document

    def copy_database(self, path: Path) -> None:
        """A copy of its database, in one file."""
        with contextlib.closing(sqlite3.connect(self.database)) as connection:
            connection.execute("VACUUM INTO ?", (str(path),))


@contextlib.contextmanager
def embedded(folder: Path) -> Iterator[Embedded]:
    """A service below ``folder``, in production, behind a proxy that speaks https, on SQLite in a file."""
    (folder / "catalogue.toml").write_text(CATALOGUE)
    port, database = free_port(), folder / "partner.db"
    own = {
        "PUBLIC_URL": PUBLIC_URL,
        "BIND": f"127.0.0.1:{port}",
        "PROXY_HOPS": "1",
        "DRAIN_SECONDS": "0",
        "DATABASE_URL": f"sqlite:///{database}",
        "CATALOGUE": str(folder / "catalogue.toml"),
        "CLIENT_ID": CLIENT_ID,
        "CLIENT_SECRET": CLIENT_SECRET,
        "ENCRYPTION_KEYS": "k1:" + base64.b64encode(secrets.token_bytes(32)).decode(),
        "LIMIT_ADDRESS": UNLIMITED,
        "LIMIT_CLIENT_MINTS": UNLIMITED,
    }
    environment = {"PYTHONPATH": str(ROOT)} | {
        f"HITCHPOST_EMBEDDED_{key}": value for key, value in own.items()
    }
    command = [sys.executable, "-m", "bff", "partner"]
    log = folder / "partner.log"
    with serving(NAME, command, port=port, log=log, environment=environment) as server:
        yield _with_accounts(Embedded(server, database, _access_token(server), {}))


def _access_token(server: Server) -> str:
    form = {"grant_type": "client_credentials", "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
    answer = requests.post(f"{server.url}/oauth/token", data=form, headers=PROXY, timeout=60)
    answer.raise_for_status()
    token: str = answer.json()["access_token"]
    return token


def _with_accounts(service: Embedded) -> Embedded:
    for number in range(ACCOUNTS):
        account = f"account-{number}"
        service.call("POST", "/v1.0/accounts", {"Id": account, "Name": account})
        path = f"/v1.0/connectors/{CONNECTOR}/install"
        service.installed[account] = service.call("POST", path, {"Name": "Sandbox CRM"}, account)["Id"]
    return service


def _visit_path(token: str, account_connector: int) -> str:
    query = {
        "id": str(account_connector),
        "token": token,
        "targetOrigin": "https://app.example.com",
        "callbackMessage": MESSAGE,
    }
    return f"/connectorauth/updateaccountconnectoroauth?{urlencode(query, quote_via=quote)}"


def _token() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()
