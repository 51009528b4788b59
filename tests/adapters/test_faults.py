"""A partner service that misbehaves: every call ends, says little, and gives nothing away."""

from __future__ import annotations

import contextlib
import gzip
import json
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bff.adapters.http_client import MAX_BODY_BYTES, HttpClient, Limits
from bff.adapters.partner_client import PartnerClient
from bff.core.errors import PartnerUnavailable
from bff.core.ports import AccountRef
from bff.core.secret import Secret

ACCOUNT = AccountRef("acme", "Acme")
QUICK = Limits(connect=1.0, read=0.5, total=1.0)
CLIENT_SECRET = "a-secret-that-nobody-may-see"
ACCESS_TOKEN = "an-access-token-that-nobody-may-see"

Play = Callable[[socket.socket, bytes, threading.Event], None]


@contextlib.contextmanager
def play(act: Play) -> Iterator[tuple[str, list[bytes]]]:
    """A server on a raw socket: ``act`` gets each connection with its request; yields URL and requests."""
    over, requests = threading.Event(), []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve(connection: socket.socket) -> None:
            with connection, contextlib.suppress(OSError):
                while (request := _read_request(connection)) is not None:
                    requests.append(request)
                    act(connection, request, over)

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listening.accept()
                    threading.Thread(target=serve, args=(connection,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}", requests
        over.set()


def _read_request(connection: socket.socket) -> bytes | None:
    data = b""
    while b"\r\n\r\n" not in data:
        received = connection.recv(65536)
        if not received:
            return None
        data += received
    head, _, body = data.partition(b"\r\n\r\n")
    length = next(
        (
            int(line.split(b":")[1])
            for line in head.split(b"\r\n")
            if line.lower().startswith(b"content-length:")
        ),
        0,
    )
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def send(connection: socket.socket, status: int, body: bytes, *headers: str) -> None:
    """A whole answer."""
    lines = [
        f"HTTP/1.1 {status} X",
        f"Content-Length: {len(body)}",
        "Content-Type: application/json",
        *headers,
    ]
    connection.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)


def answers(status: int, body: bytes, *headers: str) -> Play:
    """Always the same answer."""
    return lambda connection, _request, _over: send(connection, status, body, *headers)


def drip(connection: socket.socket, start: bytes, over: threading.Event) -> None:
    """One byte at a time, more often than a read may take, until the test is over."""
    connection.sendall(start)
    while not over.wait(0.05):
        connection.sendall(b"a")


def hangs(_connection: socket.socket, _request: bytes, over: threading.Event) -> None:
    """No answer at all."""
    over.wait()


FAULTS: dict[str, Play] = {
    "hangs": hangs,
    "drips headers": lambda connection, _, over: drip(connection, b"HTTP/1.1 200 OK\r\nX-A: ", over),
    "drips a body": lambda connection, _, over: drip(
        connection, b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", over
    ),
    "sends too much": answers(200, b" " * (MAX_BODY_BYTES + 1)),
    "sends a bomb": answers(200, gzip.compress(b" " * (MAX_BODY_BYTES * 20)), "Content-Encoding: gzip"),
    "redirects": answers(302, b"", "Location: http://127.0.0.1:1/elsewhere"),
    "fails": answers(500, b'{"Message": "An error has occurred."}'),
    "speaks no HTTP": lambda connection, _, __: connection.sendall(b"220 mail.example ESMTP\r\n\r\n"),
    "hangs up": lambda connection, _, __: connection.shutdown(socket.SHUT_RDWR),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
def test_a_fault_is_partner_unavailable(fault: Play) -> None:
    """However it misbehaves, the call ends as unavailable; a test that hung would fail by its time-out."""
    with play(fault) as (url, _), pytest.raises(PartnerUnavailable) as raised:
        HttpClient(url, QUICK).send("POST", "/oauth/token", form={"client_secret": CLIENT_SECRET})
    assert CLIENT_SECRET not in str(raised.value)


def test_nobody_listening_is_partner_unavailable() -> None:
    """A refused connection says which host."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    with pytest.raises(PartnerUnavailable, match=f"127.0.0.1:{port}"):
        HttpClient(f"http://127.0.0.1:{port}", QUICK).send("GET", "/")


@pytest.mark.parametrize("header", ["120", "Wed, 21 Oct 2099 07:28:00 GMT"])
def test_retry_after_is_passed_on(header: str) -> None:
    """Seconds or a date; never more than an hour."""
    with (
        play(answers(429, b"{}", f"Retry-After: {header}")) as (url, _),
        pytest.raises(PartnerUnavailable) as raised,
    ):
        HttpClient(url, QUICK).send("GET", "/")
    assert raised.value.retry_after == (120 if header == "120" else 3600)


def test_cookies_are_not_kept() -> None:
    """A cookie that the partner service sets is never sent back."""
    with play(answers(200, b"{}", "Set-Cookie: a=b; Path=/")) as (url, requests):
        client = HttpClient(url, QUICK)
        client.send("GET", "/one")
        client.send("GET", "/two")
    assert all(b"cookie" not in request.lower() for request in requests)


def test_the_environment_adds_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither .netrc credentials nor a proxy from the environment is used."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login thief password thief\n")
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with play(answers(200, b"{}")) as (url, requests):
        HttpClient(url, QUICK).send("GET", "/")
    assert b"authorization" not in requests[0].lower()


def test_a_get_survives_a_connection_that_died_while_kept() -> None:
    """The server closes a kept connection at the moment it is used again: a GET is sent once more."""
    seen: list[bytes] = []

    def act(connection: socket.socket, request: bytes, _over: threading.Event) -> None:
        seen.append(request)
        if len(seen) == 2:
            connection.shutdown(socket.SHUT_RDWR)
        else:
            send(connection, 200, b"{}")

    with play(act) as (url, _):
        client = HttpClient(url, QUICK)
        assert [client.send("GET", "/").status for _ in range(2)] == [200, 200]
        assert len(seen) == 3


def test_a_post_is_never_sent_twice() -> None:
    """A second POST might mint a second token."""
    with play(FAULTS["hangs up"]) as (url, requests):
        with pytest.raises(PartnerUnavailable):
            HttpClient(url, QUICK).send("POST", "/")
        assert len(requests) == 1


class Api:
    """A partner service that refuses as many bearer tokens as it is told to."""

    def __init__(self, *, refuse: int = 0, expires_in: object = 1209599) -> None:
        self.refuse = refuse
        self.expires_in = expires_in
        self.tokens = 0
        self.lock = threading.Lock()

    def __call__(self, connection: socket.socket, request: bytes, _over: threading.Event) -> None:
        """Answer one request."""
        if request.startswith(b"POST /oauth/token"):
            with self.lock:
                self.tokens += 1
                token = {"access_token": f"{ACCESS_TOKEN}-{self.tokens}", "expires_in": self.expires_in}
            send(connection, 200, json.dumps(token).encode())
            return
        with self.lock:
            refused, self.refuse = self.refuse > 0, self.refuse - 1
        send(connection, 401 if refused else 200, b'{"Message": "no"}' if refused else b"[]")


def client_of(url: str) -> PartnerClient:
    """A client with limits that suit a test."""
    return PartnerClient(url, "id", Secret(CLIENT_SECRET), Limits(1.0, 5.0, 10.0))


def test_one_token_serves_many_threads() -> None:
    """Thirty calls at once fetch one access token."""
    api = Api()
    with play(api) as (url, _), ThreadPoolExecutor(30) as pool:
        client = client_of(url)
        assert list(pool.map(lambda _: client.list_account_connectors(ACCOUNT), range(30))) == [[]] * 30
    assert api.tokens == 1


def test_a_refused_token_is_renewed_once() -> None:
    """A 401 before the token's time: one new token, and the call goes on."""
    api = Api(refuse=1)
    with play(api) as (url, _):
        assert client_of(url).list_account_connectors(ACCOUNT) == []
    assert api.tokens == 2


def test_a_token_that_is_always_refused_ends() -> None:
    """Still 401 with a new token: unavailable, no loop, and no secret in what is said."""
    api = Api(refuse=10**6)
    with play(api) as (url, _), pytest.raises(PartnerUnavailable) as raised:
        client_of(url).list_account_connectors(ACCOUNT)
    assert api.tokens == 2
    assert ACCESS_TOKEN not in str(raised.value)
    assert CLIENT_SECRET not in str(raised.value)


@pytest.mark.parametrize("expires_in", [None, 0, -1, "soon", True, []])
def test_a_token_without_a_sensible_life_is_none(expires_in: object) -> None:
    """A lifetime that is missing or nonsense is failing, not for ever."""
    with play(Api(expires_in=expires_in)) as (url, _), pytest.raises(PartnerUnavailable):
        client_of(url).list_account_connectors(ACCOUNT)


@pytest.mark.parametrize(
    "document",
    [
        b"null",
        b"{}",
        b'["x"]',
        b'[{"Id": "1"}]',
        b'[{"Id": 1, "Name": "a", "Authenticated": true, "Connector": null}]',
        b"\xff",
        b"[" * 100_000,
    ],
)
def test_an_answer_of_another_shape_is_unavailable(document: bytes) -> None:
    """A page, a proxy's words or half an object is no answer, and never a crash."""

    def act(connection: socket.socket, request: bytes, over: threading.Event) -> None:
        if request.startswith(b"POST /oauth/token"):
            Api()(connection, request, over)
        else:
            send(connection, 200, document)

    with play(act) as (url, _), pytest.raises(PartnerUnavailable):
        client_of(url).list_account_connectors(ACCOUNT)


def test_authenticated_is_true_only_when_it_says_so() -> None:
    """A flag of another type is not taken for true."""
    item = {"Id": 1, "Name": "a", "Authenticated": "false", "Connector": {"Id": 2, "Name": "b"}}

    def act(connection: socket.socket, request: bytes, over: threading.Event) -> None:
        if request.startswith(b"POST /oauth/token"):
            Api()(connection, request, over)
        else:
            send(connection, 200, json.dumps([item]).encode())

    with play(act) as (url, _):
        assert client_of(url).list_account_connectors(ACCOUNT)[0].authenticated is False


def test_calls_are_logged_without_what_is_secret(capfd: pytest.CaptureFixture[str]) -> None:
    """A log line names method, path template, status and time; nobody's account and no token."""
    with play(Api()) as (url, _):
        client_of(url).list_account_connectors(AccountRef("a-private-account", "x"))
    said = "".join(capfd.readouterr())
    assert "/v1.0/account/connectors" in said
    assert ACCESS_TOKEN not in said
    assert CLIENT_SECRET not in said
    assert "a-private-account" not in said
