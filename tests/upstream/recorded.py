"""A server that gives the answers of Cyclr's documentation, and of public code that calls Cyclr."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import unquote, urlsplit

CLIENT_ID: Final = "00000000-0000-0000-0000-000000000000"
CLIENT_SECRET: Final = "recorded-client-secret"
ACCESS_TOKEN: Final = "0" * 63 + "1"
SIGN_IN_TOKEN: Final = "+7fCuHJ1LUq1bGasmHGVvnVw/UfsVe1DlYHXDrFuaBo="

TOKEN: Final = {
    "access_token": ACCESS_TOKEN,
    "token_type": "bearer",
    "expires_in": 1209599,
    "clientId": CLIENT_ID,
    ".refresh": "False",
    ".issued": "Thu, 16 Feb 2023 03:03:24 GMT",
    ".expires": "Thu, 02 Mar 2023 03:03:24 GMT",
}
CONNECTOR: Final = {
    "Id": 2550,
    "Name": "Pipedrive",
    "Description": "Pipedrive is a CRM.",
    "Status": "Approved",
    "Version": "1.0",
    "Icon": None,
    "AuthDescription": None,
    "AuthType": "OAuth2",
    "OAuth2Type": "AuthorisationCode",
    "AuthScheme": None,
}
DENIED: Final = {"Message": "Authorization has been denied for this request."}


@dataclass
class Recorded:
    """The answers, and the little that they depend on."""

    accounts: dict[str, dict[str, Any]] = field(default_factory=dict)
    installed: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(  # noqa: PLR0911
        self, method: str, path: str, account: str, body: bytes
    ) -> tuple[int, Any]:
        """The documented answer to one call."""
        parts = [unquote(part) for part in path.strip("/").split("/")]
        with self.lock:
            match method, parts:
                case "POST", ["v1.0", "accounts"]:
                    return self._create(json.loads(body))
                case "GET", ["v1.0", "accounts", key]:
                    return (
                        (200, self.accounts[key])
                        if key in self.accounts
                        else (404, {"Message": "Not found."})
                    )
                case "POST", ["v1.0", "accounts", key, "signintoken"]:
                    return self._sign_in(key, json.loads(body))
                case _ if not account:
                    return 401, DENIED
                case _ if account not in self.accounts:
                    return 404, {"Message": "Not found."}
                case "GET", ["v1.0", "connectors", reference]:
                    return self._catalogue(reference)
                case "POST", ["v1.0", "connectors", "2550", "install"]:
                    return self._install(account, json.loads(body))
                case "GET", ["v1.0", "account", "connectors"]:
                    return 200, self.installed.get(account, [])
                case "GET", ["v1.0", "account", "connectors", key]:
                    found = [item for item in self.installed.get(account, []) if str(item["Id"]) == key]
                    return (200, found[0]) if found else (404, {"Message": "Not found."})
        return 404, {"Message": "Not found."}

    def _create(self, document: dict[str, Any]) -> tuple[int, Any]:
        if document["Id"] in self.accounts:
            return 400, {"Message": "ID already in use"}
        self.accounts[document["Id"]] = {"CreatedDate": "2023-01-11T11:40:58.953", **document}
        return 200, self.accounts[document["Id"]]

    def _sign_in(self, key: str, document: dict[str, Any]) -> tuple[int, Any]:
        assert set(document) == {"Username"}
        if key not in self.accounts:
            return 404, {"Message": "Not found."}
        return 200, {"Token": SIGN_IN_TOKEN, "ExpiresAtUtc": "2037-12-08T11:02:48.7436471Z"}

    def _catalogue(self, reference: str) -> tuple[int, Any]:
        if reference == "2550":
            return 200, CONNECTOR
        if reference.lower() == "pipedrive":
            return 200, [CONNECTOR]
        return 404, {"Message": "Not found."}

    def _install(self, account: str, document: dict[str, Any]) -> tuple[int, Any]:
        have = self.installed.setdefault(account, [])
        name = document["Name"]
        if any(item["Name"] == name for item in have):
            return 400, {"Message": f"Account connector name '{name}' is in use."}
        have.append(
            {
                "Id": 36328 + len(have),
                "Name": name,
                "Description": None,
                "AuthValue": None,
                "Authenticated": False,
                "Connector": CONNECTOR,
                "IsPartnerIntegrationConnector": False,
                "Properties": [],
                "CustomFields": [],
            }
        )
        return 200, have[-1]


@contextlib.contextmanager
def serve_recorded() -> Iterator[str]:
    """Serve the recorded answers on a free port; yields the URL."""
    recorded = Recorded()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _respond(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            path = urlsplit(self.path).path
            if path == "/oauth/token":
                status, document = 200, TOKEN
                assert b"grant_type=client_credentials" in body
            elif self.headers.get("Authorization") != f"Bearer {ACCESS_TOKEN}":
                status, document = 401, DENIED
            else:
                account = (self.headers.get("X-Cyclr-Account") or "").encode("latin-1").decode()
                status, document = recorded.answer(self.command, path, account, body)
            sent = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json; charset=utf-8")
            self.send_header("X-Content-Type-Options", "nosniff")
            self.send_header("Content-Length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

        do_GET = do_POST = _respond  # noqa: N815

        def log_message(self, *_arguments: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
