"""Where webhooks can go: nowhere that an operator would not have them go, whatever a name leads to."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from bff.serving.destinations import Policy, networks_of
from bff.webhooks.sender import Sender, SendLimits
from tests.support.receiver import open_receiver
from tests.support.tls import Front, TlsFault, serve_tls, trust

QUICK = SendLimits(connect=2.0, read=2.0, total=3.0)
IMPATIENT = SendLimits(connect=1.0, read=0.3, total=0.4)


def send(policy: Policy, url: str) -> str | None:
    """Why an event was not taken at ``url``."""
    return Sender(policy, QUICK).send(url, "{}", {}).error


def resolving(*addresses: str) -> Callable[[str, int], list[str]]:
    """A resolver that answers so."""
    return lambda _host, _port: list(addresses)


def test_a90_a_name_that_leads_to_a_private_address_is_not_called() -> None:
    """Nor is one with a good address beside it: which one is taken must not be the resolver's choice."""
    for found in (("10.1.2.3",), ("93.184.215.14", "10.1.2.3")):
        policy = Policy(resolver=resolving(*found))
        assert send(policy, "https://hooks.example/x") == "forbidden_address"


def test_a90_an_address_in_the_url_is_held_against_the_same() -> None:
    """However it is written; and http is for this machine in development."""
    # No resolver says that it is forbidden: the URL itself has to.
    policy = Policy(resolver=resolving("93.184.215.14"))
    for url in ("https://10.1.2.3/", "https://2130706433/", "http://hooks.example/"):
        assert send(policy, url) == "forbidden_address"


def test_a90_the_address_that_was_looked_at_is_the_one_connected_to() -> None:
    """A name is resolved once; one that rebinds to a private address between two calls is refused then."""
    answers = iter([["93.184.215.14"], ["127.0.0.1"]])
    policy = Policy(resolver=lambda _host, _port: next(answers))
    assert policy.addresses("hooks.example", 443) == ["93.184.215.14"]
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        port = listening.getsockname()[1]
        assert send(policy, f"https://hooks.example:{port}/") == "forbidden_address"
        with pytest.raises(BlockingIOError):
            listening.accept()
    asked: list[str] = []

    def resolver(host: str, _port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"]

    with open_receiver() as receiver:
        url = receiver.url.replace("127.0.0.1", "localhost")
        assert send(Policy(loopback=True, resolver=resolver), url) is None
    assert asked == ["localhost"]


def test_a90_the_certificate_must_be_of_the_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An operator's own network may be named; what TLS checks stays: the name, and who vouches for it."""
    front = Front(tmp_path)
    trust(monkeypatch, front.authorities)
    policy = Policy(networks=networks_of("127.0.0.0/8"), resolver=resolving("127.0.0.1"))
    with serve_tls(front.context) as (served, heard):
        url = served.replace("127.0.0.1", "other.example")
        front.show(TlsFault.WRONG_HOST)
        assert send(policy, url) is None
        heard.clear()
        for shown, called in ((None, url), (TlsFault.WRONG_HOST, served), (TlsFault.UNTRUSTED, served)):
            front.show(shown)
            assert send(policy, called) == "tls_failed"
        assert not any(heard)


def test_a90_a_handshake_that_drips_ends_with_the_rest(tmp_path: Path) -> None:
    """The deadline is for the whole call: from the first byte, also before TLS stands."""
    over = threading.Event()

    def drip(listening: socket.socket) -> None:
        connection, _ = listening.accept()
        with connection:
            connection.recv(65536)
            # The head of a TLS record of 16 KiB, and then its bytes one by one.
            connection.sendall(b"\x16\x03\x03\x40\x00")
            while not over.wait(0.05):
                try:
                    connection.sendall(b"\x02")
                except OSError:
                    return

    policy = Policy(networks=networks_of("127.0.0.0/8"))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=drip, args=(listening,), daemon=True).start()
        outcome = Sender(policy, IMPATIENT).send(f"https://127.0.0.1:{listening.getsockname()[1]}/", "{}", {})
        over.set()
    assert outcome.error == "timed_out"
    assert outcome.seconds < 3
