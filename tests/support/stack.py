"""The whole product as a user starts it: `hitchpost demo`, in a folder and on ports of its own."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import requests

ROOT: Final = Path(__file__).parents[2]
LOWEST, HIGHEST = 20000, 32000


@dataclass(frozen=True)
class Stack:
    """A running demo, and what its ``demo.json`` says."""

    host: str
    bff: str
    partner: str
    sandbox: str
    product: str
    secret_key: str
    account: str
    folder: Path

    def attempt(self, attempt_id: str) -> dict[str, Any]:
        """The attempt as the host's server reads it, with the secret key."""
        return self.get(f"/v1/attempts/{attempt_id}")

    def get(self, path: str) -> dict[str, Any]:
        """What the BFF answers the host's server."""
        headers = {"Authorization": f"Bearer {self.secret_key}"}
        answer = requests.get(self.bff + path, headers=headers, timeout=20)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found


@contextlib.contextmanager
def run_demo(folder: Path, environment: Mapping[str, str] | None = None) -> Iterator[Stack]:
    """Run the demo until the block ends. Raises ``AssertionError`` with its output when it does not start."""
    for _ in range(5):
        process, lines = _start(folder, _free_block(), environment or {})
        if any(line.startswith("ready ") for line in lines):
            break
        process.wait(20)
    else:
        raise AssertionError("the demo did not start:\n" + "".join(lines))
    try:
        told = json.loads((folder / "demo.json").read_text())
        wanted = ("host", "bff", "partner", "sandbox", "product", "secret_key", "account")
        yield Stack(folder=folder, **{name: told[name] for name in wanted})
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)


def _start(
    folder: Path, port: int, environment: Mapping[str, str]
) -> tuple[subprocess.Popen[str], list[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "bff", "demo"],
        cwd=ROOT,
        env={
            **os.environ,
            "HITCHPOST_DEMO_DIR": str(folder),
            "HITCHPOST_DEMO_PORT": str(port),
            **environment,
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    lines: list[str] = []
    for line in process.stdout:
        lines.append(line)
        if line.startswith("ready "):
            break
    threading.Thread(target=process.stdout.read, daemon=True).start()
    return process, lines


def _free_block() -> int:
    # Tests run in parallel: a random block is rarely another's, and the demo refuses one that is taken.
    while True:
        first = random.randrange(LOWEST, HIGHEST, 4)
        if all(_is_free(port) for port in range(first, first + 4)):
            return first


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0
