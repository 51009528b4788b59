"""Starts the demo's four programs, waits until all answer, and stops them."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import IO, Final

import requests

from bff.common.faulty_file import FaultyFile
from bff.common.secret import Secret
from bff.demo.lock import locked
from bff.demo.pause import write_groups
from bff.demo.plan import (
    PRODUCT,
    Plan,
    environment,
    make_plan,
    write_environment,
    write_files,
    write_summary,
)
from bff.products.file import read_products
from bff.products.store import DatabaseProducts
from bff.serving.database import open_database
from bff.storage.schema import SCHEMA
from bff.storage.sealing import Sealing
from bff.studio.access import Role
from bff.studio.invites import make_link
from bff.webhooks.endpoints import DatabaseEndpoints
from bff.webhooks.parts import put_products

START_SECONDS: Final = 60.0
STOP_SECONDS: Final = 10.0


@dataclass(frozen=True)
class Program:
    """One of the four programs: its name, the module to run, and the URL of its health check."""

    name: str
    module: list[str]
    health: str


@dataclass
class Running:
    """A running program and its log file."""

    program: Program
    process: subprocess.Popen[bytes]
    log: IO[bytes]
    path: Path


def run_demo(environ: Mapping[str, str]) -> int:
    """Run until Ctrl-C or SIGTERM; return the exit status. Raises ``FaultyFile`` for faulty settings."""
    plan = make_plan(environ)
    with locked(plan.folder) as is_ours:
        _require_free(plan, is_ours)
        return _run(plan)


def _run(plan: Plan) -> int:
    print(f"preparing the demo in {plan.folder}/", flush=True)
    write_files(plan)
    write_environment(plan)
    _apply_products(plan)
    stopping = _Stopping()
    running = [_start(plan, program) for program in _programs(plan)]
    try:
        if not _wait_until_ready(running, stopping):
            return 0 if stopping.asked else 1
        write_groups(plan.folder, {item.program.name: item.process.pid for item in running})
        write_summary(plan)
        print(f"studio {_studio_link(plan)}", flush=True)
        print(f"ready {plan.host}", flush=True)
        while not stopping.asked and all(item.process.poll() is None for item in running):
            time.sleep(0.2)  # house-allow: sleep: this program only watches the others
        return 0 if stopping.asked else _report_exited(running)
    finally:
        _stop(running)


class _Stopping:
    """Set by SIGINT and SIGTERM: the demo is to stop."""

    def __init__(self) -> None:
        self.asked = False
        signal.signal(signal.SIGINT, self._ask)
        signal.signal(signal.SIGTERM, self._ask)

    def _ask(self, _number: int, _frame: FrameType | None) -> None:
        self.asked = True


def _programs(plan: Plan) -> list[Program]:
    return [
        Program("sandbox", ["bff.partner.sandbox"], f"{plan.sandbox}/health/live"),
        Program("partner", ["bff.partner", "serve"], f"{plan.partner}/health/live"),
        Program("bff", ["bff", "serve"], f"{plan.bff}/health/ready"),
        Program("host", ["bff.demo.host"], f"http://127.0.0.1:{plan.port}/health/live"),
    ]


def _require_free(plan: Plan, folder_is_ours: bool) -> None:
    faults = []
    if not folder_is_ours:
        faults.append(
            f"HITCHPOST_DEMO_DIR: the demo in {plan.folder} is running; stop it, or set another folder"
        )
    taken = []
    for port in range(plan.port, plan.port + 4):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                taken.append(port)
    if taken:
        ports = ", ".join(map(str, taken))
        faults.append(f"HITCHPOST_DEMO_PORT: port {ports} is in use; stop what runs there, or set another")
    if faults:
        raise FaultyFile(faults)


def _apply_products(plan: Plan) -> None:
    engine = open_database(plan.database_url)
    SCHEMA.upgrade(engine)
    store, sealing = DatabaseProducts(engine), Sealing([Secret(plan.secrets["signing_key"])])
    endpoints = DatabaseEndpoints(engine, lambda: sealing, lambda: datetime.now(UTC))
    path = plan.folder / "products.toml"
    applied = read_products(path)
    applied += read_products(plan.extra_products) if plan.extra_products else []
    for number, item in enumerate(applied):
        registration, keys = item.registration, set(item.secret_keys)
        if registration.key == PRODUCT:
            # Keep the demo's page working if the extra product file redefines its product.
            keys.add(Secret(plan.secrets["secret_key"]))
            origins = tuple(dict.fromkeys((*registration.origins, plan.host)))
            registration = replace(registration, origins=origins)
        applied[number] = replace(item, registration=registration, secret_keys=tuple(keys))
    put_products(plan.extra_products or path, store, endpoints, applied)
    engine.dispose()


def _studio_link(plan: Plan) -> str:
    engine = open_database(plan.database_url)
    link = make_link(engine, plan.bff, PRODUCT, "ada@acme.example", Role.PUBLISHER)
    engine.dispose()
    return link


def _start(plan: Plan, program: Program) -> Running:
    print(f"starting {program.name}", flush=True)
    path = plan.folder / f"{program.name}.log"
    log = path.open("wb")
    process = subprocess.Popen(  # noqa: S603  # our own interpreter and modules, no shell
        [sys.executable, "-m", *program.module],
        env=environment(plan),
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        # A new session, so that Ctrl-C reaches this program only, which stops the others in order.
        start_new_session=True,
    )
    return Running(program, process, log, path)


def _wait_until_ready(running: list[Running], stopping: _Stopping) -> bool:
    waiting, deadline = list(running), time.monotonic() + START_SECONDS
    while waiting and not stopping.asked:
        if any(item.process.poll() is not None for item in running):
            _report_exited(running)
            return False
        if time.monotonic() > deadline:
            print(f"{waiting[0].program.name} does not answer; see {waiting[0].path}", file=sys.stderr)
            return False
        waiting = [item for item in waiting if not _answers(item.program.health)]
        time.sleep(0.05)  # house-allow: sleep: between two health checks
    return not stopping.asked


def _answers(url: str) -> bool:
    try:
        with requests.Session() as session:
            session.trust_env = False
            return session.get(url, timeout=2, allow_redirects=False).ok
    except requests.RequestException:
        return False


def _report_exited(running: list[Running]) -> int:
    for item in running:
        if item.process.poll() is not None:
            tail = item.path.read_text(errors="replace")[-2000:]
            print(
                f"{item.program.name} stopped (exit status {item.process.returncode}):\n{tail}",
                file=sys.stderr,
            )
    return 1


def _stop(running: list[Running]) -> None:
    for item in reversed(running):
        item.process.send_signal(signal.SIGCONT)  # a paused process would not handle SIGTERM
        item.process.terminate()
    for item in running:
        try:
            item.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            item.process.kill()
        item.log.close()
