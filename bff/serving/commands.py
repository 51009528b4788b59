"""How a command ends: its exit status, and the lines about what an operator has to correct."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import partial

from bff.serving.database_trouble import message_for
from bff.serving.faulty import Faulty
from bff.serving.terminal import FAULTY, one_line, run_plainly


def run_command(arguments: list[str], run: Callable[[list[str]], int], database_setting: str) -> int:
    """Run a command by its arguments; return its exit status.

    That is ``FAULTY``, with a line for each fault on standard error, for ``Faulty``, a file that cannot be
    used, and an error of the database. ``database_setting``: the variable with its URL.
    """
    command = partial(_checked, lambda: run(arguments), database_setting)
    # The server writes structured logs, which are encoded already; every other command prints plain text.
    return command() if arguments == ["serve"] else run_plainly(command)


def _checked(run: Callable[[], int], database_setting: str) -> int:
    try:
        return run()
    except Faulty as error:
        faults = error.faults
    except OSError as error:
        if error.filename is None:
            raise
        faults = [f"{one_line(error.filename)}: {error.strerror}"]
    except Exception as error:
        if (fault := message_for(error, database_setting)) is None:
            raise
        faults = [fault]
    print_errors(faults)
    return FAULTY


def report(faults: list[str], warnings: list[str]) -> int:
    """Print what ``check-config`` found; return its exit status."""
    print_errors(faults, warnings)
    if faults:
        return FAULTY
    print("the settings are sound")
    return 0


def print_errors(faults: list[str], warnings: Sequence[str] = ()) -> None:
    """Print each on a line of standard error."""
    for line in (*(f"warning: {warning}" for warning in warnings), *faults):
        print(line, file=sys.stderr)
