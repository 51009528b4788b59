"""Says at the end which browser engines were driven, and which were left out and why."""

from __future__ import annotations

import pytest


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The engines by name: a skipped one must not hide in a count."""
    ran: set[str] = set()
    skipped: dict[str, str] = {}
    for reports in terminalreporter.stats.values():
        for report in reports:
            told = dict(getattr(report, "user_properties", []))
            if "engine_missing" in told:
                skipped[told["engine"]] = told["engine_missing"]
            elif "engine" in told:
                ran.add(told["engine"])
    if ran or skipped:
        terminalreporter.write_line(f"browser engines run: {', '.join(sorted(ran)) or 'none'}")
    for engine, reason in sorted(skipped.items()):
        terminalreporter.write_line(f"browser engine skipped: {engine} ({reason})")
