"""Hitchpost's programs as operators run them: processes of their own, under gunicorn, with their logs."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import requests

from tests.support.databases import DatabaseUrl
from tests.support.ports import free_port
from tests.support.servers import serve
from tests.support.waiting import wait_for
from tests.support.world import (
    CLIENT_ID,
    CLIENT_SECRET,
    PRODUCTS,
    SANDBOX_SECRET,
    build_sandbox,
    catalogue_for,
)

ROOT: Final = Path(__file__).parents[2]
PATIENCE: Final = 60.0
SIGNING_KEY: Final = "3f1d9c27ab5e84f06d2b7c9e51a08f43d6e2b90c7f5a1384"


@dataclass
class Program:
    """A running program: its address, its process, and the file that its output goes to."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path

    def lines(self) -> list[dict[str, Any]]:
        """What it has logged; every line must be one JSON object."""
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def line(self, **wanted: Any) -> dict[str, Any]:
        """Wait for the first line that has these values."""
        return wait_for(lambda: next((line for line in self.lines() if wanted.items() <= line.items()), None))

    def end(self) -> int:
        """Ask it to stop; its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)

    def raw(self, request: bytes) -> bytes:
        """Send bytes as they are; all that comes back until the server closes."""
        host, port = self.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=PATIENCE) as connection:
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: connection.recv(65536), b""))


def environment(own: Mapping[str, str]) -> dict[str, str]:
    """The environment without any setting of Hitchpost, and ``own``."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("HITCHPOST_")}
    return plain | {"PYTHONPATH": str(ROOT)} | dict(own)


@contextlib.contextmanager
def run(arguments: list[str], own: Mapping[str, str], url: str, log: Path) -> Iterator[Program]:
    """Run ``python -m ...`` until the block ends; it is ready when the block begins."""
    with log.open("ab") as output:
        command = [sys.executable, "-m", *arguments]
        process = subprocess.Popen(
            command,
            env=environment(own),
            stdout=output,
            stderr=output,
            cwd=log.parent,
            start_new_session=True,
        )
    program = Program(url, process, log)
    try:
        wait_for(lambda: process.poll() is not None or is_ready(url))
        assert process.poll() is None, log.read_text()
        yield program
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(PATIENCE)


def is_ready(url: str) -> bool:
    """Whether ``/health/ready`` says so."""
    try:
        return requests.get(f"{url}/health/ready", timeout=5).ok
    except requests.RequestException:
        return False


def bff_environment(folder: Path, partner: str, port: int, database: str) -> dict[str, str]:
    """The settings of a BFF on this port."""
    (folder / "products.toml").write_text(PRODUCTS)
    return {
        "HITCHPOST_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "HITCHPOST_BIND": f"127.0.0.1:{port}",
        "HITCHPOST_DATABASE_URL": database,
        "HITCHPOST_SECRET_KEYS": SIGNING_KEY,
        "HITCHPOST_PARTNER_API_URL": partner,
        "HITCHPOST_PARTNER_SERVICE_URL": partner,
        "HITCHPOST_PARTNER_CLIENT_ID": CLIENT_ID,
        "HITCHPOST_PARTNER_CLIENT_SECRET": CLIENT_SECRET,
        "HITCHPOST_PRODUCTS": str(folder / "products.toml"),
    }


def partner_environment(folder: Path, sandbox: str, port: int, database: str) -> dict[str, str]:
    """The settings of an embedded partner service on this port."""
    (folder / "catalogue.toml").write_text(catalogue_for(sandbox))
    return {
        "HITCHPOST_EMBEDDED_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "HITCHPOST_EMBEDDED_BIND": f"127.0.0.1:{port}",
        "HITCHPOST_EMBEDDED_DATABASE_URL": database,
        "HITCHPOST_EMBEDDED_CATALOGUE": str(folder / "catalogue.toml"),
        "HITCHPOST_EMBEDDED_CLIENT_ID": CLIENT_ID,
        "HITCHPOST_EMBEDDED_CLIENT_SECRET": CLIENT_SECRET,
        "HITCHPOST_EMBEDDED_ENCRYPTION_KEYS": "k1:" + base64.b64encode(bytes(range(32))).decode(),
        "HITCHPOST_SANDBOX_CLIENT_SECRET": SANDBOX_SECRET,
    }


@contextlib.contextmanager
def run_bff(
    folder: Path, database_url: DatabaseUrl, partner: str = "http://127.0.0.1:9", **more: str
) -> Iterator[Program]:
    """A BFF; ``more`` are further settings without their prefix."""
    port = free_port()
    own = bff_environment(folder, partner, port, database_url(folder, "bff"))
    own |= {f"HITCHPOST_{name.upper()}": value for name, value in more.items()}
    with run(["bff", "serve"], own, f"http://127.0.0.1:{port}", folder / "bff.log") as program:
        yield program


@contextlib.contextmanager
def run_partner(folder: Path, database_url: DatabaseUrl, **more: str) -> Iterator[Program]:
    """An embedded partner service, and a sandbox to sign in at."""
    port, redirects = free_port(), []
    redirects.append(f"http://127.0.0.1:{port}/connector/callback")
    with serve(lambda url: build_sandbox(url, redirects)) as sandbox:
        own = partner_environment(folder, sandbox, port, database_url(folder, "partner"))
        own |= {f"HITCHPOST_EMBEDDED_{name.upper()}": value for name, value in more.items()}
        with run(
            ["bff.partner", "serve"], own, f"http://127.0.0.1:{port}", folder / "partner.log"
        ) as program:
            yield program
