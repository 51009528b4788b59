"""``hitchpost partner``: serve, check settings or a catalogue, list or revoke grants, rotate keys."""

from __future__ import annotations

import sys

from bff.serving.loading import kept

with kept():
    from bff.partner.errors import ApiError
    from bff.partner.serve import serve
    from bff.partner.settings import PREFIX
    from bff.serving.commands import run_command


def main(arguments: list[str] | None = None) -> int:
    """Run a command, return its exit status: 2 for an unusable configuration or database, 1 for errors."""
    argv = sys.argv[1:] if arguments is None else arguments
    return run_command(argv, _run, f"{PREFIX}DATABASE_URL")


def _run(arguments: list[str]) -> int:
    if arguments == ["serve"]:
        # Import the other commands lazily: the arbiter process does not need the app.
        return serve()
    from bff.partner.cli import run  # noqa: PLC0415

    try:
        return run(arguments)
    except ApiError as error:
        print(error.message, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
