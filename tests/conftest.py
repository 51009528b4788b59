"""Says at the end which browser engines were driven, and writes the outcome matrix if asked to."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.browsers import ENGINES
from tests.support.matrix import Played, document, medians, table


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
    if ran or skipped:
        terminalreporter.write_line(f"browser engines run: {', '.join(sorted(ran)) or 'none'}")
    for engine, reason in sorted(skipped.items()):
        terminalreporter.write_line(f"browser engine skipped: {engine} ({reason})")
    if played and (path := os.environ.get("HITCHPOST_OUTCOMES")):
        terminalreporter.write_line(table(played, ENGINES))
        terminalreporter.write_line(medians(played, ENGINES))
        Path(path).write_text(document(played, ENGINES), encoding="utf-8")


def _reports(terminalreporter: pytest.TerminalReporter) -> Iterator[tuple[Any, dict[str, Any]]]:
    for reports in terminalreporter.stats.values():
        for report in reports:
            yield report, dict(getattr(report, "user_properties", []))
