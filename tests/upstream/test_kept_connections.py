"""A kept connection that the partner service ends as it is used again costs nobody a sign-in (A54)."""

from __future__ import annotations

import json
import socket
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import pytest

from bff.common.errors import PartnerUnavailable
from bff.common.secret import Secret
from bff.outbound.breaker import Breaker, Rules
from bff.outbound.client import HttpClient
from bff.upstream.protocol import Connector
from tests.support.fault_proxy import RESET_ON_CLOSE
from tests.support.raw_server import ACCOUNT, QUICK, Api, Play, client_of, play, send

End = Callable[[socket.socket], None]
CONNECTOR: Final = Connector(7, "CRM")
IN_TIME: Final = "2099-01-01T00:00:00Z"


def fin(connection: socket.socket) -> None:
    """The end, as a program says it that has closed."""
    connection.shutdown(socket.SHUT_RDWR)


def reset(connection: socket.socket) -> None:
    """The end, as a machine says it that knows nothing of the connection, or had more to read."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
    connection.close()


def half_a_body(connection: socket.socket) -> None:
    """An answer has begun: whatever was asked for has been done."""
    connection.sendall(b"HTTP/1.1 200 X\r\nContent-Length: 100\r\n\r\n{")
    connection.shutdown(socket.SHUT_RDWR)


def half_a_body_and_reset(connection: socket.socket) -> None:
    """The same, and the other end of it."""
    connection.sendall(b"HTTP/1.1 200 X\r\nContent-Length: 100\r\n\r\n{")
    reset(connection)


def garbage(connection: socket.socket) -> None:
    """No HTTP: somebody else is there."""
    connection.sendall(b"220 mail.example ESMTP\r\n\r\n")
    connection.shutdown(socket.SHUT_RDWR)


def once_each(end: End, answer: Play) -> Play:
    """A server that answers one request on each connection, and ends it upon the next."""
    met: Counter[int] = Counter()
    lock = threading.Lock()

    def act(connection: socket.socket, request: bytes, over: threading.Event) -> None:
        port = connection.getpeername()[1]
        with lock:
            met[port] += 1
        if met[port] > 1:
            end(connection)
        else:
            answer(connection, request, over)

    return act


def fine(connection: socket.socket, _request: bytes, _over: threading.Event) -> None:
    """All is well."""
    send(connection, 200, b"{}")


ENDS: Final = pytest.mark.parametrize("end", [fin, reset])


@ENDS
def test_a54_a_connection_that_ended_meanwhile_is_not_used(end: End) -> None:
    """The end had come before the next call: it goes out once, on a connection of its own, whatever it is."""
    ended = threading.Semaphore(0)

    def act(connection: socket.socket, request: bytes, over: threading.Event) -> None:
        fine(connection, request, over)
        end(connection)
        ended.release()

    with play(act) as (url, seen):
        client = HttpClient(url, QUICK)
        for _ in range(5):
            assert client.send("POST", "/").status == 200
            assert ended.acquire(timeout=20)
        assert len(seen) == 5


@ENDS
@pytest.mark.parametrize(("method", "harmless"), [("GET", False), ("POST", True)])
def test_a54_a_harmless_call_survives_a_kept_connection_that_ends(
    end: End, method: str, harmless: bool
) -> None:
    """The end comes in the answer's place: it is sent once more, at once."""
    with play(once_each(end, fine)) as (url, seen):
        client = HttpClient(url, QUICK)
        assert [client.send(method, "/", harmless=harmless).status for _ in range(2)] == [200, 200]
        assert len(seen) == 3


@ENDS
def test_a54_a_call_that_may_harm_is_not_sent_again(end: End) -> None:
    """Nothing proves that it was not done."""
    with play(once_each(end, fine)) as (url, seen):
        client = HttpClient(url, QUICK)
        client.send("POST", "/")
        with pytest.raises(PartnerUnavailable, match="broke off"):
            client.send("POST", "/")
        assert len(seen) == 2


@pytest.mark.parametrize("end", [half_a_body, half_a_body_and_reset, garbage])
def test_a54_a_post_that_was_answered_is_never_sent_twice(end: End) -> None:
    """A kept connection on which something came back did not just end."""
    with play(once_each(end, fine)) as (url, seen):
        client = HttpClient(url, QUICK)
        client.send("POST", "/", harmless=True)
        with pytest.raises(PartnerUnavailable):
            client.send("POST", "/", harmless=True)
        assert len(seen) == 2


@ENDS
def test_a54_the_second_try_uses_no_kept_connection(end: End) -> None:
    """Idle for as long as the first, the others end at the same moment: the pool gives none of them out."""
    together, all_kept = threading.Barrier(8), threading.Event()

    def act(connection: socket.socket, request: bytes, over: threading.Event) -> None:
        if not all_kept.is_set():
            together.wait(20)
        fine(connection, request, over)

    with play(once_each(end, act)) as (url, seen):
        client = HttpClient(url, QUICK)
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda _: client.send("POST", "/", harmless=True), range(8)))
        all_kept.set()
        assert client.send("POST", "/", harmless=True).status == 200
        assert len(seen) == 10


def test_a54_an_upstream_that_keeps_nothing_is_not_asked_twice_for_ever() -> None:
    """Every second call meets an end: at most a tenth of the calls, and five, is repeated."""
    breaker = Breaker(Rules(minimum=1000))
    with play(once_each(fin, fine)) as (url, seen):
        client, failed = HttpClient(url, QUICK, breaker), 0
        for _ in range(100):
            try:
                client.send("GET", "/")
            except PartnerUnavailable:
                failed += 1
        assert 100 < len(seen) <= 115
        assert failed > 0


class Partner:
    """A partner service that does what it is asked, and ends the connection in place of one answer."""

    def __init__(self, loses: str) -> None:
        self.loses = loses.encode()
        self.lost = 0
        self.accounts: set[str] = set()
        self.installed: list[dict[str, object]] = []

    def __call__(self, connection: socket.socket, request: bytes, over: threading.Event) -> None:
        """One request."""
        line = request.split(b"\r\n")[0]
        if line.startswith(b"POST /oauth/token"):
            Api()(connection, request, over)
            return
        status, document = self.answer(line, request.partition(b"\r\n\r\n")[2])
        if self.loses in line and not self.lost:
            self.lost += 1
            reset(connection)
        else:
            send(connection, status, json.dumps(document).encode())

    def answer(self, line: bytes, body: bytes) -> tuple[int, object]:
        """Cyclr's words, as far as these calls go."""
        if line.startswith(b"POST /v1.0/accounts HTTP"):
            given = json.loads(body)["Id"]
            if given in self.accounts:
                return 400, {"Message": "ID already in use"}
            self.accounts.add(given)
            return 200, {}
        if b"/signintoken" in line:
            return (200, {"Token": "dG9rZW4=", "ExpiresAtUtc": IN_TIME}) if self.accounts else (404, {})
        if b"/install" in line:
            if self.installed:
                return 400, {"Message": "Account connector name 'CRM' is in use."}
            connector = {"Id": CONNECTOR.id, "Name": CONNECTOR.name}
            self.installed.append({"Id": 1, "Name": "CRM", "Authenticated": False, "Connector": connector})
            return 200, self.installed[0]
        return 200, self.installed


@pytest.mark.parametrize("loses", ["/signintoken", "POST /v1.0/accounts HTTP", "/install"])
def test_a54_a_launch_survives_a_kept_connection_that_ends(loses: str) -> None:
    """Done, but not told: asked once more, and there is one account and one connector."""
    partner = Partner(loses)
    with play(partner) as (url, _):
        client = client_of(url)
        assert client.list_account_connectors(ACCOUNT) == []
        assert client.install_connector(ACCOUNT, CONNECTOR).id == 1
        assert client.mint_sign_in_token(ACCOUNT, "ada").value.reveal() == "dG9rZW4="
    assert partner.lost == 1
    assert (len(partner.accounts), len(partner.installed)) == (1, 1)


def test_a54_what_is_used_up_is_not_asked_for_again() -> None:
    """A code that completes a sign-in is good once: a second call would be told that it is gone."""
    partner = Partner("/complete")
    with play(partner) as (url, seen):
        client = client_of(url)
        client.list_account_connectors(ACCOUNT)
        with pytest.raises(PartnerUnavailable):
            client.complete_sign_in(ACCOUNT, 1, "f" * 64, Secret("code"))
        assert sum(b"/complete" in request for request in seen) == 1
