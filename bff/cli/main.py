"""Entry point of the ``hitchpost`` command: reports errors, and runs ``serve`` without loading the others."""

from __future__ import annotations

import sys

from bff.cli import FAULTY
from bff.common.errors import HitchpostError
from bff.common.text import text_fault
from bff.serve import serve
from bff.serving.commands import run_command
from bff.settings import PREFIX


def main(argv: list[str] | None = None) -> int:
    """Run one command. For faulty arguments, settings or files, prints all faults and returns ``FAULTY``."""
    return run_command(sys.argv[1:] if argv is None else argv, _run, f"{PREFIX}DATABASE_URL")


def _run(argv: list[str]) -> int:
    # Python decodes bytes of the command line that are not UTF-8 to lone surrogates.
    if fault := next(filter(None, map(text_fault, argv)), None):
        print(f"the arguments are not in UTF-8, or cannot be kept: {fault}", file=sys.stderr)
        return FAULTY
    try:
        # ``serve`` not through ``commands``, which would load the whole app into the arbiter process.
        return serve() if argv == ["serve"] else _run_other(argv)
    except HitchpostError as error:
        print(error.detail, file=sys.stderr)
        return FAULTY


def _run_other(argv: list[str]) -> int:
    from bff.cli.commands import run  # noqa: PLC0415

    return run(argv)
