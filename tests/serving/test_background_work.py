"""A worker that stops finishes the background work that it has begun, and begins no other."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.support.ports import free_port
from tests.support.programs import environment

PATIENCE: Final = 15.0
"""Less than the 20 seconds after which the arbiter kills a worker."""
PROGRAM: Final = """
import sys
from bff.serving.server import Server, Serving

def build(_replacing):
    import time
    from concurrent.futures import ThreadPoolExecutor
    import structlog
    from bff.serving.periodic_thread import Rounds

    class Work(Rounds):
        def once(self):
            with ThreadPoolExecutor(1) as pool:
                pool.submit(self.work).result()

        def work(self):
            print("began", flush=True)
            while not self._over.is_set():
                time.sleep(0.01)
            print("stopped", flush=True)

    Work("work", 0.01, structlog.get_logger()).start()
    return lambda _environ, _start_response: []

Server(Serving(build, bind=sys.argv[1], threads=1, worker=sys.argv[2])).run()
"""


@pytest.mark.parametrize("worker", ["gevent", "threads"])
def test_background_work_is_told_that_its_worker_stops(worker: str, tmp_path: Path) -> None:
    """Python waits for the threads of a pool, so work that is not told would go on until it is killed."""
    command = [sys.executable, "-c", PROGRAM, f"127.0.0.1:{free_port()}", worker]
    with subprocess.Popen(
        command, env=environment({}), cwd=tmp_path, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        try:
            assert server.stdout.readline() == "began\n"
            server.send_signal(signal.SIGTERM)
            assert server.wait(PATIENCE) == 0
        finally:
            server.kill()
        assert "stopped\n" in server.stdout.read()
