"""Entry point of the ``hitchpost`` command: reports errors, and runs ``serve`` without loading the others."""

from __future__ import annotations

import sys

from bff.cli import FAULTY
from bff.common.errors import HitchpostError
from bff.common.faulty_file import FaultyFile
from bff.common.text import text_fault
from bff.serve import serve
from bff.serving.database_trouble import UnusableDatabase, message_for
from bff.serving.terminal import one_line, run_plainly
from bff.settings import PREFIX, FaultySettings


def main(argv: list[str] | None = None) -> int:
    """Run one command. For faulty arguments, settings or files, prints all faults and returns ``FAULTY``."""
    given = sys.argv[1:] if argv is None else argv
    # ``serve`` writes logs, which are encoded already.
    return _checked(given) if given == ["serve"] else run_plainly(lambda: _checked(given))


def _checked(given: list[str]) -> int:
    # Python decodes bytes of the command line that are not UTF-8 to lone surrogates.
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
    except OSError as error:
        if error.filename is None:
            raise
        print(f"{one_line(error.filename)}: {error.strerror}", file=sys.stderr)
        return FAULTY
    except Exception as error:
        if (fault := message_for(error, f"{PREFIX}DATABASE_URL")) is None:
            raise
        print(fault, file=sys.stderr)
        return FAULTY


def _run(argv: list[str]) -> int:
    if argv == ["serve"]:
        # Not through ``commands``, which would load the whole app into the arbiter process.
        return serve()
    from bff.cli.commands import run  # noqa: PLC0415

    return run(argv)
