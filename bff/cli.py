"""The ``hitchpost`` command: what goes wrong in it, and that ``serve`` loads no other."""

from __future__ import annotations

import sys
from typing import Final

from bff.adapters.faulty_file import FaultyFile
from bff.core.errors import HitchpostError
from bff.serve import serve
from bff.settings import FaultySettings

FAULTY: Final = 2


def main(argv: list[str] | None = None) -> int:
    """Run one command. Exit status 2 when settings or files are at fault, with every fault on stderr."""
    try:
        return _run(sys.argv[1:] if argv is None else argv)
    except (FaultySettings, FaultyFile) as error:
        for fault in error.faults:
            print(fault, file=sys.stderr)
        return FAULTY
    except HitchpostError as error:
        print(error.detail, file=sys.stderr)
        return FAULTY


def _run(argv: list[str]) -> int:
    if argv == ["serve"]:
        # The others would load the whole app into a process that only looks after its workers.
        return serve()
    from bff.cli_commands import run  # noqa: PLC0415

    return run(argv)
