"""Clients that are slow or silent hold no worker (A67), with either kind of worker where it says so."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from bff.serving import gevent_worker
from bff.serving.large_bodies import AT_ONCE, OF_ONE_ADDRESS, LargeBodies, sender_of
from tests.serving.test_storage import LONG
from tests.support.databases import sqlite_url
from tests.support.programs import Program, environment, run_bff
from tests.support.slow_clients import HALF_HEAD, SILENT, SLOW_BODY, Timed, slow_clients
from tests.support.waiting import wait_for
from tests.support.world import World

QUICK = 2.0
"""Seconds, on a machine that does much else meanwhile."""


@pytest.fixture(scope="module")
def bff(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """One BFF with one worker, as it is by default."""
    with run_bff(tmp_path_factory.mktemp("slow"), sqlite_url) as program:
        yield program


@pytest.mark.parametrize(
    ("count", "sent"), [(300, SILENT), (300, HALF_HEAD), (100, SLOW_BODY)], ids=["silent", "heads", "bodies"]
)
def test_a67_slow_clients_hold_no_worker(bff: Program, count: int, sent: bytes) -> None:
    """Beside several times as many slow clients as there are threads, all others are answered at once."""
    world = World(bff.url, "", "", None, bff.log.parent, None, "", "")  # type: ignore[arg-type]
    with slow_clients(bff.url, count, sent):
        for path in ("/health/live", "/health/ready", "/connect/opening?product=none"):
            answer, seconds = Timed(bff.url).get(path)
            assert seconds < QUICK, path
            assert answer.status_code in {200, 404}
        assert world.begin(world.session())["status"] == "created"


def test_a67_a_client_that_goes_on_is_served(bff: Program) -> None:
    """Slow is not refused: a head and a body that come in pieces are a request like any other."""
    host, port = bff.url.removeprefix("http://").split(":")
    request = SLOW_BODY.replace(b"{host}", bff.url.removeprefix("http://").encode()) + b"x" * 987
    with socket.create_connection((host, int(port)), timeout=20) as client:
        for start in range(0, len(request), 100):
            client.sendall(request[start : start + 100])
        assert client.recv(65536).startswith(b"HTTP/1.1 410 ")


def test_a67_every_wait_for_a_client_has_an_end() -> None:
    """A head, a body, and an answer that nobody takes: none is waited for longer than a minute."""
    waits = (gevent_worker.HEAD_SECONDS, gevent_worker.BODY_SECONDS, gevent_worker.STALLED_SECONDS)
    assert max(waits) <= 60
    assert gevent_worker.CROWDED_SECONDS < gevent_worker.HEAD_SECONDS


def test_a67_when_connections_run_out_silence_is_cut_short(tmp_path: Path) -> None:
    """Silent clients that take nearly all connections lose them within seconds.

    On SIGTERM what was begun and never sent is let go; the exit status is 0.
    """
    with run_bff(tmp_path, sqlite_url, connections="100") as bff:
        with slow_clients(bff.url, 150, SILENT):
            answer, seconds = Timed(bff.url).get("/health/live")
            assert answer.ok
            assert seconds < gevent_worker.HEAD_SECONDS
        with slow_clients(bff.url, 20, HALF_HEAD), requests.Session() as idle:
            assert idle.get(f"{bff.url}/health/live", timeout=20).ok
            assert bff.end() == 0


@LONG
def test_a67_thousands_of_slow_clients(tmp_path: Path) -> None:
    """All kinds at once, in the numbers in which they stopped a worker of threads."""
    with run_bff(tmp_path, sqlite_url) as bff:
        world = World(bff.url, "", "", None, tmp_path, None, "", "")  # type: ignore[arg-type]
        with (
            slow_clients(bff.url, 2000, SILENT),
            slow_clients(bff.url, 500, HALF_HEAD),
            slow_clients(bff.url, 500, SLOW_BODY),
        ):
            token = world.session()
            for _ in range(20):
                answer, seconds = Timed(bff.url).get("/health/live")
                assert answer.ok
                assert seconds < QUICK
                assert world.begin(token)["status"] == "created"


@LONG
def test_a67_a_slow_body_is_told_in_the_end(tmp_path: Path) -> None:
    """A body that does not come is refused with 408, and its connection closed."""
    with run_bff(tmp_path, sqlite_url) as bff, slow_clients(bff.url, 1, SLOW_BODY) as (client,):
        client.settimeout(gevent_worker.BODY_SECONDS + 10)
        assert client.recv(65536).startswith(b"HTTP/1.1 408 ")


def test_a67_with_threads_silence_costs_no_thread(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A worker of threads gives none to a connection that has sent nothing; health has its own."""
    folder = tmp_path_factory.mktemp("threads")
    with run_bff(folder, sqlite_url, worker="threads", threads="4") as bff:
        with slow_clients(bff.url, 50, SILENT):
            answer, seconds = Timed(bff.url).get("/connect/opening?product=none")
            assert answer.status_code == 404
            assert seconds < QUICK
        with slow_clients(bff.url, 8, HALF_HEAD):
            for path in ("/health/live", "/health/ready"):
                answer, seconds = Timed(bff.url).get(path)
                assert answer.ok
                assert seconds < QUICK


def test_a67_a_client_that_never_pauses_starves_nobody(bff: Program) -> None:
    """One connection whose next request is always there gives way to all others."""
    host, port = bff.url.removeprefix("http://").split(":")
    request = f"GET /connect/opening?product=none HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode()
    with socket.create_connection((host, int(port)), timeout=30) as greedy:
        greedy.sendall(request * 200)
        for _ in range(3):
            answer, seconds = Timed(bff.url).get("/health/live")
            assert answer.ok
            assert seconds < QUICK


def test_a67_a_hosts_own_server_is_not_patched() -> None:
    """Who mounts the BFF in an app of their own gets neither gevent nor its patches."""
    code = "import sys, bff.app; sys.exit(any(name.startswith('gevent') for name in sys.modules))"
    subprocess.run([sys.executable, "-c", code], env=environment({}), check=True, timeout=60)


def test_a67_unfinished_large_bodies_fill_no_memory(bff: Program) -> None:
    """Of bodies beyond the small ones only so many are read at a time; small ones go on meanwhile."""
    large = SLOW_BODY.replace(b"Content-Length: 1000", b"Content-Length: 60000")
    world = World(bff.url, "", "", None, bff.log.parent, None, "", "")  # type: ignore[arg-type]
    with slow_clients(bff.url, AT_ONCE + 40, large):
        assert wait_for(lambda: _refusal(bff)) == ("rate_limited", "5")
        assert world.begin(world.session())["status"] == "created"


def _refusal(bff: Program) -> tuple[str, str] | None:
    answer = requests.post(f"{bff.url}/v1/sessions", data=b"x" * 60_000, timeout=10)
    return (answer.json()["code"], answer.headers["Retry-After"]) if answer.status_code == 429 else None


def test_a67_one_address_does_not_take_all_large_bodies() -> None:
    """It has a share; what it has finished counts no more, and all together have a limit."""
    reading = LargeBodies()
    assert [reading.begin("192.0.2.1") for _ in range(OF_ONE_ADDRESS + 1)] == [
        *[True] * OF_ONE_ADDRESS,
        False,
    ]
    assert reading.begin("192.0.2.2")
    reading.end("192.0.2.1")
    assert reading.begin("192.0.2.1")
    others = [f"198.51.100.{number}" for number in range(AT_ONCE)]
    assert sum(map(reading.begin, others)) == AT_ONCE - OF_ONE_ADDRESS - 1


@pytest.mark.parametrize(
    ("hops", "forwarded", "sender"),
    [
        (0, "203.0.113.9", "192.0.2.1"),
        (1, "203.0.113.9, 198.51.100.7", "198.51.100.7"),
        (2, "203.0.113.9, 198.51.100.7:4711", "203.0.113.9"),
        (1, "2001:db8::1:2", "2001:db8::"),
        (1, "", "192.0.2.1"),
        (3, "203.0.113.9", "192.0.2.1"),
    ],
)
def test_a67_a_large_body_counts_for_whom_the_proxies_name(hops: int, forwarded: str, sender: str) -> None:
    """As many of them are believed as are configured."""
    assert sender_of({"REMOTE_ADDR": "192.0.2.1", "HTTP_X_FORWARDED_FOR": forwarded}, hops) == sender
