"""``python -m bff.partner``: serve, check settings or a catalogue, see or end grants, change keys."""

from __future__ import annotations

import sys
from contextlib import nullcontext

from bff.serving.loading import kept

with kept():
    from bff.partner.errors import ApiError
    from bff.partner.providers.catalogue import FaultyCatalogue
    from bff.partner.serve import serve
    from bff.partner.settings import FaultySettings
    from bff.serving.database_trouble import UnusableDatabase, told
    from bff.serving.terminal import plain


def main(arguments: list[str] | None = None) -> int:
    """Run a command; the exit status is 2 for settings or a catalogue that cannot be used."""
    given = sys.argv[1:] if arguments is None else arguments
    # What serves writes logs, and they have a form of their own.
    with nullcontext() if given == ["serve"] else plain():
        return _checked(given)


def _checked(arguments: list[str]) -> int:
    try:
        return _run(arguments)
    except (FaultySettings, FaultyCatalogue, UnusableDatabase) as error:
        print("\n".join(error.faults), file=sys.stderr)
        return 2
    except ApiError as error:
        print(error.message, file=sys.stderr)
        return 1
    except Exception as error:
        if (fault := told(error, "HITCHPOST_EMBEDDED_DATABASE_URL")) is None:
            raise
        print(fault, file=sys.stderr)
        return 2


def _run(arguments: list[str]) -> int:
    if arguments == ["serve"]:
        # The others would load the whole app into a process that only looks after its workers.
        return serve()
    from bff.partner.cli import run  # noqa: PLC0415

    return run(arguments)


if __name__ == "__main__":
    sys.exit(main())
