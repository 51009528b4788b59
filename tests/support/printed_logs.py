"""Prints the logs of servers that run in a test's own process, on whatever ``sys.stdout`` is at that moment.

structlog's default does so by ``print``, which holds no reference to ``sys.stdout`` while it writes (CPython
issue 130163). pytest exchanges that for each test; a thread of a server that just prints would crash.
"""

from __future__ import annotations

import contextlib
import sys

import structlog


class _Printed:
    """A structlog logger that prints whole lines."""

    def msg(self, message: str) -> None:
        """Print one line. A capture that has just ended does not take it."""
        stream = sys.stdout
        with contextlib.suppress(ValueError):
            stream.write(message + "\n")
            stream.flush()

    debug = info = warning = warn = error = critical = fatal = exception = log = msg


def print_logs() -> None:
    """Send the logs of this process there, from now on."""
    structlog.configure(logger_factory=lambda *_names: _Printed())
