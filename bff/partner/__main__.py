"""``hitchpost partner``: serve, check settings or a catalogue, list or revoke grants, rotate keys."""

from __future__ import annotations

import sys

from bff.serving.loading import kept

with kept():
    from bff.partner.errors import ApiError
    from bff.partner.providers.catalogue import FaultyCatalogue
    from bff.partner.serve import serve
    from bff.partner.settings import FaultySettings
    from bff.serving.database_trouble import UnusableDatabase, message_for
    from bff.serving.terminal import one_line, run_plainly


def main(arguments: list[str] | None = None) -> int:
    """Run a command, return its exit status: 2 for an unusable configuration or database, 1 for errors."""
    argv = sys.argv[1:] if arguments is None else arguments
    # The server writes structured logs; every other command prints plain text.
    return _checked(argv) if argv == ["serve"] else run_plainly(lambda: _checked(argv))


def _checked(arguments: list[str]) -> int:
    try:
        return _run(arguments)
    except (FaultySettings, FaultyCatalogue, UnusableDatabase) as error:
        print("\n".join(error.faults), file=sys.stderr)
        return 2
    except ApiError as error:
        print(error.message, file=sys.stderr)
        return 1
    except OSError as error:
        if error.filename is None:
            raise
        print(f"{one_line(error.filename)}: {error.strerror}", file=sys.stderr)
        return 2
    except Exception as error:
        if (fault := message_for(error, "HITCHPOST_EMBEDDED_DATABASE_URL")) is None:
            raise
        print(fault, file=sys.stderr)
        return 2


def _run(arguments: list[str]) -> int:
    if arguments == ["serve"]:
        # Import the other commands lazily: the arbiter process does not need the app.
        return serve()
    from bff.partner.cli import run  # noqa: PLC0415

    return run(arguments)


if __name__ == "__main__":
    sys.exit(main())
