"""A log or a number that cannot be written loses the line, not the request, and is counted (A70)."""

from __future__ import annotations

import io
import os
import pty
import re
import select
import signal
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from bff.serving.log_output import MOST_HELD, LogOutput
from tests.serving.test_reload import workers, world_of
from tests.support.databases import sqlite_url
from tests.support.ports import free_port
from tests.support.programs import Program, run_bff
from tests.support.waiting import wait_for


@pytest.fixture(scope="module")
def speechless(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Program, str]]:
    """A BFF whose output goes to a disk that is always full; and where its numbers are told."""
    folder = tmp_path_factory.mktemp("speechless")
    (folder / "bff.log").symlink_to("/dev/full")
    metrics = f"127.0.0.1:{free_port()}"
    with run_bff(folder, sqlite_url, metrics_bind=metrics) as program:
        yield program, f"http://{metrics}/metrics"


def counted(url: str, name: str) -> float:
    """A counter's value now; 0 when it has none yet."""
    found = re.search(rf"^{name}(?:_total)? ([0-9.e+]+)$", requests.get(url, timeout=10).text, re.MULTILINE)
    return float(found[1]) if found else 0.0


def test_a70_a_log_on_a_full_disk_stops_no_request(speechless: tuple[Program, str]) -> None:
    """Sessions, attempts and refusals are answered as ever, and the lines that were lost are counted."""
    program, metrics = speechless
    world = world_of(program)
    assert world.begin(world.session())["status"] == "created"
    assert requests.get(f"{program.url}/v1/nothing", timeout=10).status_code == 404
    assert requests.get(f"{program.url}/health/ready", timeout=10).ok
    wait_for(lambda: counted(metrics, "hitchpost_log_lines_lost") >= 3)


def test_a70_numbers_that_cannot_be_written_stop_no_request(tmp_path: Path) -> None:
    """Where the folder of the numbers cannot be used, requests go on without them."""
    folder = tmp_path / "numbers"
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)
    try:
        with run_bff(tmp_path, sqlite_url, metrics_bind=f"127.0.0.1:{free_port()}") as program:
            folder.rename(tmp_path / "moved away")
            folder.write_text("no folder")
            for worker in workers(program):
                os.kill(worker, signal.SIGKILL)
            wait_for(lambda: _is_ready(program))
            world = world_of(program)
            assert world.begin(world.session())["status"] == "created"
    finally:
        del os.environ["PROMETHEUS_MULTIPROC_DIR"]


def _is_ready(program: Program) -> bool:
    try:
        return requests.get(f"{program.url}/health/ready", timeout=5).ok
    except requests.RequestException:
        return False


def test_a70_a_closed_pipe_loses_lines_and_nothing_else() -> None:
    """Nobody reads any more: every line is lost and counted, none raises."""
    read, write = os.pipe()
    with os.fdopen(write, "w") as stream:
        output = LogOutput(stream)
        os.close(read)
        for _ in range(3):
            output.write("line\n")
    assert output.lost == 3


def test_a70_a_reader_that_stands_still_is_not_waited_for() -> None:
    """What it does not take is held up to a bound, then lost; what was held comes whole when it goes on."""
    read, write = os.pipe()
    line = "x" * 999 + "\n"
    with os.fdopen(write, "w") as stream:
        output = LogOutput(stream)
        for _ in range(3 * MOST_HELD // len(line)):
            output.write(line)
        assert output.lost > 0
        os.set_blocking(read, False)
        taken = b""
        while chunk := _chunk(read):
            taken += chunk
            output.flush()
        os.close(read)
    lines = taken.decode().splitlines(keepends=True)
    assert set(lines) == {line}
    assert len(lines) + output.lost == 3 * MOST_HELD // len(line)


def _chunk(read: int) -> bytes:
    try:
        return os.read(read, 65536)
    except BlockingIOError:
        return b""


def test_a70_the_journal_s_socket_is_not_waited_for() -> None:
    """Standard output may be a socket, as systemd gives it."""
    ours, theirs = socket.socketpair()
    with ours, theirs, os.fdopen(os.dup(ours.fileno()), "w") as stream:
        output = LogOutput(stream)
        output.write("first\n")
        assert theirs.recv(100) == b"first\n"
        for _ in range(3000):
            output.write("x" * 999 + "\n")
        assert output.lost > 0


def test_a70_a_stream_that_breaks_raises_nothing() -> None:
    """Whatever a stream does, a log never stops what it tells of."""
    stream = io.StringIO()
    output = LogOutput(stream)
    output.write("one\n")
    assert stream.getvalue() == "one\n"
    stream.close()
    output.write("two\n")
    assert output.lost == 1


@pytest.mark.parametrize("opens", [True, False])
def test_a70_a_terminal_that_nobody_reads_is_not_waited_for(
    opens: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped by Ctrl-S, or its reader stands still. It may be another user's, who lets nobody open it."""
    reader, terminal = pty.openpty()

    def refuse(*_: object, **__: object) -> int:
        raise PermissionError

    with os.fdopen(terminal, "w") as stream, monkeypatch.context() as patched:
        if not opens:
            patched.setattr(os, "open", refuse)
        output = LogOutput(stream)
        assert os.get_blocking(terminal)
        writer = threading.Thread(target=lambda: fill(output), daemon=True)
        writer.start()
        writer.join(30)
        assert not writer.is_alive()
        assert output.lost > 0
        os.close(reader)


def test_a70_a_pipe_that_cannot_be_opened_anew_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its lines may be longer than what it takes at once."""
    read, write = os.pipe()

    def refuse(*_: object, **__: object) -> int:
        raise PermissionError

    with os.fdopen(write, "w") as stream, monkeypatch.context() as patched:
        patched.setattr(os, "open", refuse)
        output = LogOutput(stream)
        writer = threading.Thread(target=lambda: fill(output, 3 * select.PIPE_BUF), daemon=True)
        writer.start()
        writer.join(30)
        assert not writer.is_alive()
        assert output.lost > 0
        os.close(read)


def fill(output: LogOutput, length: int = 1000) -> None:
    """Write more than is held for a slow reader."""
    for _ in range(2 * MOST_HELD // length):
        output.write("x" * (length - 1) + "\n")
