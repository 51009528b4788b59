"""The ``hitchpost`` command: what goes wrong in it, and that ``serve`` loads no other."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from typing import Final

from bff.common.errors import HitchpostError
from bff.common.faulty_file import FaultyFile
from bff.common.text import text_fault
from bff.serve import serve
from bff.serving.database_trouble import UnusableDatabase, told
from bff.serving.terminal import plain
from bff.settings import PREFIX, FaultySettings

FAULTY: Final = 2


def main(argv: list[str] | None = None) -> int:
    """Run one command. Exit status 2 when settings or files are at fault, with every fault on stderr."""
    given = sys.argv[1:] if argv is None else argv
    # What serves writes logs, and they have a form of their own.
    with nullcontext() if given == ["serve"] else plain():
        return _checked(given)


def _checked(given: list[str]) -> int:
    # What is no UTF-8 on a command line comes as halves of surrogate pairs.
    if fault := next(filter(None, map(text_fault, given)), None):
        print(f"the arguments are not in UTF-8, or cannot be kept: {fault}", file=sys.stderr)
        return FAULTY
    try:
        return _run(given)
    except (FaultySettings, FaultyFile, UnusableDatabase) as error:
        for fault in error.faults:
            print(fault, file=sys.stderr)
        return FAULTY
    except HitchpostError as error:
        print(error.detail, file=sys.stderr)
        return FAULTY
    except Exception as error:
        if (fault := told(error, f"{PREFIX}DATABASE_URL")) is None:
            raise
        print(fault, file=sys.stderr)
        return FAULTY


def _run(argv: list[str]) -> int:
    if argv == ["serve"]:
        # The others would load the whole app into a process that only looks after its workers.
        return serve()
    from bff.cli.commands import run  # noqa: PLC0415

    return run(argv)
