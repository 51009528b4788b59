"""The bare peers of ``peers/``: small Flask apps under the same gunicorn, with the same settings as ours."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import requests

from bench.process import PATIENCE, ROOT, Server, serving
from bff.serving.server import Server as OurServer
from bff.serving.server import Serving
from bff.serving.settings import ServedSettings
from tests.support.ports import free_port

PEERS: Final = ROOT / "bench/peers"
THREADS: Final[int] = ServedSettings.model_fields["threads"].default


@contextlib.contextmanager
def bare(
    folder: Path, name: str, module: str, environment: Mapping[str, str] | None = None
) -> Iterator[Server]:
    """The app ``module`` of ``peers/`` in one worker, with our own interpreter and packages; ready."""
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", *gunicorn_options(port), f"{module}:app"]
    log = folder / f"{module}.log"
    with serving(name, command, port=port, log=log, environment=environment, folder=PEERS) as server:
        requests.get(f"{server.url}/health/ready", timeout=PATIENCE).raise_for_status()
        yield server


def gunicorn_options(port: int) -> list[str]:
    """What decides of its speed, as our programs set it."""
    ours = OurServer(Serving(lambda _: None, bind=f"127.0.0.1:{port}", threads=THREADS)).cfg
    return [
        *("--bind", f"127.0.0.1:{port}"),
        *("--worker-class", "gthread"),
        *("--threads", str(ours.threads)),
        *("--workers", str(ours.workers)),
        *("--keep-alive", str(ours.keepalive)),
        *("--worker-connections", str(ours.worker_connections)),
    ]
