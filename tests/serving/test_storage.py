"""Liveness waits for nothing, readiness tells the truth in a second, each wait for a store ends (A71)."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import socket
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests

from bff.serving.readiness import Readiness
from tests.serving.test_reload import workers, world_of
from tests.support.databases import sqlite_url
from tests.support.postgresql import PostgresqlServer, database_name
from tests.support.programs import Program, run_bff, run_partner
from tests.support.slow_clients import Timed
from tests.support.waiting import wait_for

AT_ONCE = 0.5
LONG = pytest.mark.skipif(int(os.environ.get("HITCHPOST_FAULT_ROUNDS") or 0) < 20, reason="make faults")
WITHIN = 1.5
"""A second, and what a busy machine adds."""
END = 12.0
"""Every wait for a database is over by then."""


@pytest.fixture(scope="module")
def bff(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """A BFF on SQLite."""
    with run_bff(tmp_path_factory.mktemp("storage"), sqlite_url) as program:
        yield program


@contextlib.contextmanager
def locked(program: Program) -> Iterator[None]:
    """Somebody else writes, and does not come to an end."""
    with contextlib.closing(sqlite3.connect(program.log.parent / "bff.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield


@contextlib.contextmanager
def full(program: Program) -> Iterator[None]:
    """No file of its workers may grow any more, as on a full disk."""
    for worker in workers(program):
        resource.prlimit(worker, resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))
    try:
        yield
    finally:
        for worker in workers(program):
            resource.prlimit(worker, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)


@contextlib.contextmanager
def stopped(server: PostgresqlServer) -> Iterator[None]:
    """The database answers nobody, and closes nothing."""
    first = server.process_id
    children = subprocess.run(["ps", "-o", "pid=", "--ppid", str(first)], capture_output=True, check=True)
    processes = [first, *map(int, children.stdout.split())]
    for process in processes:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        for process in processes:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGCONT)


def check_without_database(program: Program, prepared: dict[str, Any], token: str, end: float = END) -> None:
    """What is promised while nothing can be stored; nothing is used up by it."""
    world = world_of(program)
    with ThreadPoolExecutor(40) as pool:
        hanging = [
            pool.submit(world.page, "POST", "/v1/attempts", token, json={"connector": "sandbox"})
            for _ in range(35)
        ]
        launch = pool.submit(world.launch, prepared["launch_token"])
        for _ in range(3):
            answer, seconds = Timed(program.url).get("/health/live")
            assert answer.ok
            assert seconds < AT_ONCE
            answer, seconds = Timed(program.url).get("/health/ready")
            assert (answer.status_code, answer.json()["lacking"]) == (503, "database")
            assert seconds < WITHIN
        began = time.monotonic()
        refusals = [each.result(end) for each in hanging]
        page = launch.result(end)
        assert time.monotonic() - began < end
    for refusal in refusals:
        assert refusal.status_code == 503, refusal.text
        assert refusal.headers["Content-Type"] == "application/problem+json"
        assert refusal.json()["code"] in {"storage_unavailable", "limits_unavailable"}
        assert int(refusal.headers["Retry-After"]) > 0
    assert page.status_code == 503
    assert "<html" in page.text


def check_after(program: Program, prepared: dict[str, Any], token: str) -> None:
    """It goes on by itself, and the launch token is as good as before."""
    wait_for(lambda: requests.get(f"{program.url}/health/ready", timeout=5).ok)
    world = world_of(program)
    assert world.read(prepared["id"])["status"] == "created"
    assert world.begin(token)["status"] == "created"


@LONG
@pytest.mark.parametrize("trouble", [locked, full])
def test_a71_with_threads_a_database_that_keeps_nothing(tmp_path: Path, trouble: Any) -> None:
    """The same with a worker of threads, all of which wait."""
    with run_bff(tmp_path, sqlite_url, worker="threads", threads="8") as program:
        world = world_of(program)
        token = world.session()
        prepared = world.begin(token)
        with trouble(program):
            check_without_database(program, prepared, token, END * 4)
        check_after(program, prepared, token)


@pytest.mark.parametrize("trouble", [locked, full])
def test_a71_a_database_that_keeps_nothing(bff: Program, trouble: Any) -> None:
    """Locked, or on a full disk: 503 to whoever wants to store, and nothing is half done."""
    world = world_of(bff)
    token = world.session()
    prepared = world.begin(token)
    with trouble(bff):
        check_without_database(bff, prepared, token)
    check_after(bff, prepared, token)


@pytest.mark.parametrize("worker", ["gevent", pytest.param("threads", marks=LONG)])
def test_a71_a_database_that_has_stopped(tmp_path: Path, postgresql: PostgresqlServer, worker: str) -> None:
    """PostgreSQL that answers nothing any more, with every connection still open."""
    url = postgresql.url(database_name(tmp_path, "stopped"))
    with run_bff(tmp_path, lambda _, __: url, worker=worker) as program:
        world = world_of(program)
        token = world.session()
        prepared = world.begin(token)
        with stopped(postgresql):
            # Of threads some wait for a thread first.
            check_without_database(program, prepared, token, END if worker == "gevent" else END * 2)
        check_after(program, prepared, token)


def test_a71_the_embedded_service_ends_its_waits_too(tmp_path: Path) -> None:
    """Its database is locked: alive at once, unready within a second, 503 in the form of its API."""
    with run_partner(tmp_path, sqlite_url) as partner:
        form = {"grant_type": "client_credentials", "client_id": "api-client"}
        form["client_secret"] = "api-client-secret-0123456789"
        with contextlib.closing(sqlite3.connect(tmp_path / "partner.db", isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            answer, seconds = Timed(partner.url).get("/health/live")
            assert answer.ok
            assert seconds < AT_ONCE
            answer, seconds = Timed(partner.url).get("/health/ready")
            assert answer.json()["lacking"] == "database"
            assert seconds < WITHIN
            refusal = requests.post(f"{partner.url}/oauth/token", data=form, timeout=END)
            assert refusal.status_code == 503
            assert "database" in refusal.json()["Message"]
        wait_for(lambda: requests.get(f"{partner.url}/health/ready", timeout=5).ok)


@LONG
@pytest.mark.parametrize("worker", ["gevent", "threads"])
def test_a71_a_hung_partner_service_holds_up_nobody_else(tmp_path: Path, worker: str) -> None:
    """Many launches wait for a partner service that is connected and silent; all else goes on."""
    with socket.create_server(("127.0.0.1", 0), backlog=200) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        settings = {"worker": worker, "partner_read_timeout": "4"}
        with run_bff(tmp_path, sqlite_url, url, **settings) as program, ThreadPoolExecutor(60) as pool:
            world = world_of(program)
            token = world.session()
            launches = [
                pool.submit(world.launch, attempt["launch_token"])
                for attempt in [world.begin(token) for _ in range(50)]
            ]
            answer, seconds = Timed(program.url).get("/health/live")
            assert answer.ok
            assert seconds < AT_ONCE
            answer, seconds = Timed(program.url).get("/health/ready")
            assert answer.ok
            assert seconds < WITHIN
            if worker == "gevent":
                assert world.begin(token)["status"] == "created"
            assert {launch.result(60).status_code for launch in launches} == {503}


def test_a71_readiness_answers_though_its_question_does_not() -> None:
    """A question that hangs is asked once, however many want to know; when it ends it is asked anew."""
    read, write = os.pipe()
    asked: list[int] = []

    def fault() -> str | None:
        asked.append(1)
        os.read(read, 1)
        return None

    readiness = Readiness(fault, within=0.05)
    began = time.monotonic()
    assert [readiness.lacking() for _ in range(5)] == ["database"] * 5
    assert time.monotonic() - began < AT_ONCE * 4
    assert len(asked) == 1
    os.write(write, b"xx")
    wait_for(lambda: readiness.lacking() is None)
    for end in (read, write):
        os.close(end)
