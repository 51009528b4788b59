"""The peers that serve, each started the way its own documentation has it for production, with one worker."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.install import PEERS, Installed
from bench.process import Server, serving
from tests.support.ports import free_port

THREADS: Final = 32
"""As many as ours has by default; it is gunicorn's for both."""
FLASK, FASTAPI, EXPRESS = "Flask + requests", "FastAPI + httpx", "Express + axios"


@dataclass(frozen=True)
class Peers:
    """Starts them; each makes its one call to ``partner_url``. Logs are written below ``folder``."""

    installed: Installed
    folder: Path
    partner_url: str

    @contextlib.contextmanager
    def flask(self) -> Iterator[Server]:
        """Flask with requests, under gunicorn."""
        port = free_port()
        options = ["--worker-class", "gthread", "--threads", str(THREADS), "--keep-alive", "15"]
        module = ["gunicorn", "--bind", f"127.0.0.1:{port}", *options, "flask_requests:app"]
        with self._python(FLASK, port, module) as server:
            yield server

    @contextlib.contextmanager
    def fastapi(self) -> Iterator[Server]:
        """FastAPI with httpx, under uvicorn with uvloop and httptools."""
        port = free_port()
        options = ["--loop", "uvloop", "--http", "httptools", "--no-access-log"]
        module = ["uvicorn", "--port", str(port), *options, "fastapi_httpx:app"]
        with self._python(FASTAPI, port, module) as server:
            yield server

    @contextlib.contextmanager
    def express(self) -> Iterator[Server]:
        """Express with axios."""
        port = free_port()
        environment = {
            "NODE_ENV": "production",
            "NODE_PATH": str(self.installed.node_modules),
            "PARTNER": self.partner_url,
            "PORT": str(port),
        }
        command = ["node", str(PEERS / "express_axios.cjs")]
        log = self.folder / "express.log"
        with serving(EXPRESS, command, port=port, log=log, environment=environment) as server:
            yield server

    @contextlib.contextmanager
    def _python(self, name: str, port: int, module: list[str]) -> Iterator[Server]:
        log = self.folder / f"{module[0]}.log"
        with serving(
            name,
            [self.installed.python, "-m", *module],
            port=port,
            log=log,
            environment={"PARTNER": self.partner_url},
            folder=PEERS,
        ) as server:
            yield server
