"""Records which statements of the product a test run sends to which kind of database.

Most tests run on SQLite alone, as each of their statements is sent to PostgreSQL by another test. A run of
all tests names those that reached SQLite only: on PostgreSQL they could fail, and nobody would know. It does
not fail: what a program in a process of its own sends is not seen, nor what ``bff.serving.statements`` sends
past SQLAlchemy.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any, Final

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.sql import ClauseElement

PRODUCT: Final = Path(__file__).parents[2] / "bff"
NOT_COMPARED: Final = {"migrations", "statements.py"}
"""Parts of paths in the product."""
AT_RANDOM: Final = Path(__file__).parents[1] / "fuzz"
"""Tests that send other statements each time."""
KINDS: Final = ("sqlite", "postgresql")
OF_SQLITE: Final = re.compile("sqlite_|julianday")
"""What stands in statements that no other database knows."""
RECORDED: Final = "statements"
"""The key under which a process of the run sends what it has recorded."""


class StatementRecorder:
    """A plugin of pytest. It keeps the first test that sent a statement to a kind of database."""

    def __init__(self) -> None:
        self._first: dict[str, dict[str, str]] = {kind: {} for kind in KINDS}
        self._known: set[tuple[str, str]] = set()
        self._test: str | None = "before the first test"
        event.listen(Engine, "before_cursor_execute", self._record)

    def _record(
        self, connection: Any, _cursor: Any, sent: str, _parameters: Any, context: Any, _many: bool
    ) -> None:
        kind = connection.dialect.name
        if self._test is None or (kind, sent) in self._known:
            return
        compiled = getattr(context, "compiled", None)
        if compiled is not None and not context.isddl and _is_sent_by_the_product():
            self._known.add((kind, sent))
            self._first[kind].setdefault(neutral(compiled.statement), self._test)

    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Remember which test it is."""
        self._test = None if item.path.is_relative_to(AT_RANDOM) else item.nodeid

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Where processes share a run: add what one of them recorded."""
        for kind, first in getattr(node, "workeroutput", {}).get(RECORDED, {}).items():
            self._first[kind] = first | self._first[kind]

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """In such a process: send what was recorded."""
        if (output := getattr(session.config, "workeroutput", None)) is not None:
            output[RECORDED] = self._first

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Name them."""
        if _is_whole(terminalreporter.config):
            for statement, test in self.only_on_sqlite():
                terminalreporter.write_line(f"never sent to PostgreSQL: {statement}\n  first sent by {test}")

    def only_on_sqlite(self) -> list[tuple[str, str]]:
        """Statements that PostgreSQL was not sent, each with a test. None if it was sent nothing at all."""
        sqlite, postgresql = (self._first[kind] for kind in KINDS)
        left = {statement for statement in sqlite if not OF_SQLITE.search(statement)} - set(postgresql)
        return sorted((statement, sqlite[statement]) for statement in left if postgresql)


def neutral(statement: ClauseElement) -> str:
    """The text of a statement in no database's dialect, however many values it has."""
    text = re.sub(r"\s+", " ", str(statement))
    text = re.sub(r":\w+", "?", text)
    text = re.sub(r"\?(, \?)+", "?", text)
    return re.sub(r"\(\?\)(, \(\?\))+", "(?)", text)


def _is_whole(config: pytest.Config) -> bool:
    """Whether all tests were asked for."""
    chosen = any(config.getoption(name, None) for name in ("keyword", "markexpr", "lf"))
    return config.args_source is pytest.Config.ArgsSource.TESTPATHS and not chosen


def _is_sent_by_the_product() -> bool:
    """Whether SQLAlchemy was called by a module of the product: neither by a test, nor by a migration."""
    frame = sys._getframe(2)
    while frame.f_back and "sqlalchemy" in frame.f_code.co_filename:
        frame = frame.f_back
    path = Path(frame.f_code.co_filename)
    return path.is_relative_to(PRODUCT) and NOT_COMPARED.isdisjoint(path.parts)
