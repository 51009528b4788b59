"""A partner service that knows every account, and answers what takes real ones time after a given delay.

``partner_stub.py PORT DELAY_MS``. It speaks what the BFF asks of Cyclr or of the embedded service: access
tokens, accounts, connectors, account connectors, installing, sign-in tokens. Nothing is checked or kept; each
account has the one connector installed, nobody has signed in yet. Lists and sign-in tokens take ``DELAY_MS``.

It needs uvloop, and stands apart from the rest of the bench: it runs in the peers' environment.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import sys
from typing import Any, Final, cast

CONNECTOR: Final = {"Id": 101, "Name": "Sandbox CRM", "Key": "sandbox"}
ACCOUNT_CONNECTOR: Final = {
    "Id": 1001,
    "Name": "Sandbox CRM",
    "Connector": CONNECTOR,
    "Authenticated": False,
    "AuthValue": None,
    "Hitchpost": {"AuthenticatedAtUtc": None, "LastSignIn": None, "RecentSignIns": []},
}
ACCESS_TOKEN: Final = {"access_token": "a" * 64, "token_type": "bearer", "expires_in": 1209599}


def _whole(document: Any, headers: str = "") -> bytes:
    body = json.dumps(document).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\n{headers}"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


TOKEN: Final = _whole(ACCESS_TOKEN)
ACCOUNT: Final = _whole({"Id": "any", "Name": "any"})
ENTRY: Final = _whole(CONNECTOR)
LIST: Final = _whole([ACCOUNT_CONNECTOR], "Total-Pages: 1\r\n")
ONE: Final = _whole(ACCOUNT_CONNECTOR)


def _sign_in_token(body: bytes) -> bytes:
    document: dict[str, Any] = {
        "Token": secrets.token_urlsafe(32) + "=",
        "ExpiresAtUtc": "2099-01-01T00:00:00.0000000Z",
    }
    told: dict[str, Any] = {"Completion": True} if b'"CompletionUrl"' in body else {}
    if b'"Connector"' in body:
        told["AccountConnector"] = {"Id": ACCOUNT_CONNECTOR["Id"], "Authenticated": False}
    return _whole(document | ({"Hitchpost": told} if told else {}))


def answer(method: bytes, path: bytes, body: bytes) -> tuple[bytes, bool]:
    """The answer, and whether it takes its time."""
    path = path.partition(b"?")[0]
    if path.endswith(b"/signintoken"):
        return _sign_in_token(body), True
    if path == b"/v1.0/account/connectors":
        return LIST, True
    if path.startswith(b"/v1.0/account/connectors/") or path.endswith(b"/install"):
        return ONE, False
    if path.startswith(b"/v1.0/connectors/"):
        return ENTRY, False
    return (TOKEN if (method, path) == (b"POST", b"/oauth/token") else ACCOUNT), False


class Partner(asyncio.Protocol):
    """One connection, kept alive; one request after the other."""

    def __init__(self, delay: float) -> None:
        self._delay = delay
        self._received = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Somebody connects."""
        # uvloop's own is none of asyncio's classes.
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Answer when the request is whole."""
        self._received += data
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            head = self._received[:end]
            length = _content_length(head)
            if len(self._received) < end + 4 + length:
                return
            body = self._received[end + 4 : end + 4 + length]
            self._received = self._received[end + 4 + length :]
            method, path, _ = head.split(b" ", 2)
            whole, takes_time = answer(method, path, body)
            if takes_time and self._delay:
                asyncio.get_running_loop().call_later(self._delay, self._write, whole)
            else:
                self._write(whole)

    def _write(self, whole: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(whole)


def _content_length(head: bytes) -> int:
    found = head.lower().partition(b"\r\ncontent-length:")[2]
    return int(found.partition(b"\r\n")[0]) if found else 0


async def main(port: int, delay_ms: float) -> None:
    """Serve until stopped."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Partner(delay_ms / 1000), "127.0.0.1", port, backlog=1024)
    await server.serve_forever()


if __name__ == "__main__":
    import uvloop

    uvloop.run(main(int(sys.argv[1]), float(sys.argv[2])))
