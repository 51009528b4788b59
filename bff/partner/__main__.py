"""``python -m bff.partner``: serve, check settings or a catalogue, see or end grants, change keys."""

from __future__ import annotations

import sys

from bff.serving.loading import kept

with kept():
    from bff.partner.catalogue import FaultyCatalogue
    from bff.partner.errors import ApiError
    from bff.partner.serve import serve
    from bff.partner.settings import FaultySettings


def main(arguments: list[str] | None = None) -> int:
    """Run a command; the exit status is 2 for settings or a catalogue that cannot be used."""
    try:
        return _run(sys.argv[1:] if arguments is None else arguments)
    except (FaultySettings, FaultyCatalogue) as error:
        print("\n".join(error.faults), file=sys.stderr)
        return 2
    except ApiError as error:
        print(error.message, file=sys.stderr)
        return 1


def _run(arguments: list[str]) -> int:
    if arguments == ["serve"]:
        # The others would load the whole app into a process that only looks after its workers.
        return serve()
    from bff.partner.cli import run  # noqa: PLC0415

    return run(arguments)


if __name__ == "__main__":
    sys.exit(main())
