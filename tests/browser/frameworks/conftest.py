"""The host applications as programs of their own, beside one running Hitchpost."""

from __future__ import annotations

import contextlib
import json
import secrets
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from tests.support.own_product import register
from tests.support.ports import free_ports
from tests.support.stack import ROOT, Stack

APPS: Final = Path(__file__).with_name("apps")


@dataclass(frozen=True)
class Hosts:
    """Where the host applications answer, by framework."""

    running: Stack
    urls: dict[str, str]

    def page(self, framework: str) -> str:
        """The settings page of an account that nobody else uses."""
        return f"{self.urls[framework]}/{framework}-{secrets.token_hex(4)}"


@pytest.fixture(scope="session")
def hosts(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hosts]:
    """All of them, started once for the worker's run."""
    folder = tmp_path_factory.mktemp("frameworks")
    express, django, flask = (f"http://127.0.0.1:{port}" for port in free_ports(3))
    running = register(stack, "app", [express, django])
    with contextlib.ExitStack() as programs:
        _bundle(folder / "bundles")
        told = json.loads((stack.folder / "demo.json").read_text())
        own = folder / "flask"
        own.mkdir()
        node = ["node", str(APPS / "server.mjs"), _port(express), running.bff, running.secret_key]
        python = [sys.executable, str(APPS / "django_app.py"), _port(django), running.bff]
        inside = [sys.executable, str(APPS / "flask_app.py"), _port(flask), running.partner]
        keys = [told["partner_client_id"], told["partner_client_secret"]]
        for command in (
            [*node, str(folder / "bundles")],
            [*python, running.secret_key],
            [*inside, *keys, str(own)],
        ):
            programs.enter_context(_run(command))
        pages = {name: f"{express}/{name}" for name in ("react", "vue", "htmx", "turbo")}
        yield Hosts(running, pages | {"django": django, "flask": flask})


def _bundle(target: Path) -> None:
    command = [str(ROOT / "node_modules/.bin/esbuild"), str(APPS / "react.jsx"), str(APPS / "vue.js")]
    flags = ["--bundle", "--jsx=automatic", f"--outdir={target}", "--log-level=warning"]
    subprocess.run([*command, *flags], check=True, timeout=60, cwd=ROOT)


@contextlib.contextmanager
def _run(command: list[str]) -> Iterator[None]:
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        # The BFF logs there before, that it has made a database.
        assert any(line.strip() == "ready" for line in process.stdout)
        try:
            yield
        finally:
            process.kill()


def _port(url: str) -> str:
    return url.rpartition(":")[2]
