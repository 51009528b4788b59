"""The databases that tests run on; and, told at the end, which of them and which browsers were there."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest

from tests.support.browsers import ENGINES
from tests.support.core_fixtures import core, core_engine
from tests.support.cyclr.world import CyclrWorld, open_cyclr_world, stock
from tests.support.databases import DatabaseUrl, sqlite_url
from tests.support.deselecting import deselect
from tests.support.fixtures import mounted, server_hears, shared_world, strict, studio, world
from tests.support.matrix import Played, document
from tests.support.postgresql import NoPostgresql, PostgresqlServer, database_name, private_postgresql
from tests.support.printed_logs import print_logs
from tests.support.shares import computes, dealt
from tests.support.statements import StatementRecorder
from tests.support.third_party import third

__all__ = [
    "core",
    "core_engine",
    "mounted",
    "server_hears",
    "shared_world",
    "strict",
    "studio",
    "third",
    "world",
]

NICE: Final = 10
"""How far the process that begins without a browser stands back."""
BEGUN: Final = pytest.StashKey[bool]()
DATABASES: Final = ("sqlite", "postgresql")


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgresqlServer]:
    """A private server, one for each process of the test run; skips where there is none."""
    try:
        with private_postgresql() as server:
            yield server
    except NoPostgresql as reason:
        pytest.skip(str(reason))


@pytest.fixture
def postgresql_url(postgresql: PostgresqlServer, tmp_path: Path) -> str:
    """An empty database there."""
    return postgresql.url(database_name(tmp_path, "own"))


@pytest.fixture(scope="session", params=DATABASES)
def database_url(request: pytest.FixtureRequest) -> DatabaseUrl:
    """Where the databases of a world are: whatever takes this runs on both kinds."""
    if request.param == "sqlite":
        return sqlite_url
    server: PostgresqlServer = request.getfixturevalue("postgresql")
    return lambda folder, name: server.url(database_name(folder, name), like=name)


@pytest.fixture(scope="session")
def shared_cyclr_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CyclrWorld]:
    """A BFF in front of the strict stand-in for Cyclr."""
    with open_cyclr_world(tmp_path_factory.mktemp("cyclr")) as world:
        yield world


@pytest.fixture
def cyclr_world(shared_cyclr_world: CyclrWorld) -> CyclrWorld:
    """The same with everything at the partner service as it was at first, and an account of one's own."""
    shared_cyclr_world.cyclr.reset()
    stock(shared_cyclr_world.cyclr)
    return replace(shared_cyclr_world, account="acme-" + secrets.token_hex(4))


def pytest_configure(config: pytest.Config) -> None:
    """Before any test's server logs, or sends a statement."""
    print_logs()
    config.pluginmanager.register(StatementRecorder())


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Let the process that begins without a browser take what the browsers leave: users wait for those."""
    if BEGUN not in item.config.stash:
        item.config.stash[BEGUN] = True
        if computes(item, int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))):
            os.nice(NICE)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave repetitions on PostgreSQL to `make databases`; begin with long tests, and end with short ones."""
    if "TESTS_EVERY_DATABASE" not in os.environ:
        deselect(config, items, _repeats)
    processes = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    if processes > 1:
        items[:] = dealt(items, processes)


def _repeats(item: pytest.Item) -> bool:
    """Whether the same is played on SQLite, and does not depend on the kind of database."""
    spec = getattr(item, "callspec", None)
    other = spec is not None and spec.params.get("database_url", DATABASES[0]) != DATABASES[0]
    one = item.get_closest_marker("one_database") and not item.get_closest_marker("both_databases")
    return other and bool(one)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The engines by name: a skipped one must not hide in a count."""
    ran: set[str] = set()
    skipped: dict[str, str] = {}
    played: list[Played] = []
    for report, told in _reports(terminalreporter):
        if "engine_missing" in told:
            skipped[told["engine"]] = told["engine_missing"]
        elif "engine" in told:
            ran.add(told["engine"])
        if "outcome" in told and report.when == "call":
            played.append(Played(told["engine"], json.loads(told["outcome"]), report.passed))
    for kind, reason in _databases(terminalreporter):
        terminalreporter.write_line(f"database {kind}: {reason}")
    if ran or skipped:
        terminalreporter.write_line(f"browser engines run: {', '.join(sorted(ran)) or 'none'}")
    for engine, reason in sorted(skipped.items()):
        terminalreporter.write_line(f"browser engine skipped: {engine} ({reason})")
    if played and (path := os.environ.get("TESTS_OUTCOMES")):
        page = document(played, ENGINES)
        terminalreporter.write_line(page)
        Path(path).write_text(page, encoding="utf-8")


def _databases(terminalreporter: pytest.TerminalReporter) -> Iterator[tuple[str, str]]:
    for kind in DATABASES:
        ours = [report for report, _ in _reports(terminalreporter) if f"[{kind}" in report.nodeid]
        if any(report.passed for report in ours):
            yield kind, "run"
        elif ours:
            reason = next(
                (report.longrepr[2] for report in ours if isinstance(report.longrepr, tuple)), "failed"
            )
            yield kind, reason


def _reports(terminalreporter: pytest.TerminalReporter) -> Iterator[tuple[Any, dict[str, Any]]]:
    for reports in terminalreporter.stats.values():
        for report in reports:
            # What was deselected is among them too, and is no report.
            if not isinstance(report, pytest.Item):
                yield report, dict(getattr(report, "user_properties", []))
