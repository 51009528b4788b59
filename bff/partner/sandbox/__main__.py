"""``python -m bff.partner.sandbox``: run the sandbox third party."""

from __future__ import annotations

import sys

from bff.partner.sandbox.app import create_app
from bff.partner.sandbox.settings import FaultySettings, load_settings
from bff.serving.server import Server, Serving


def main() -> int:
    """Serve until stopped; the exit status is 2 for settings that cannot be used."""
    try:
        settings = load_settings()
    except FaultySettings as error:
        print("\n".join(error.faults), file=sys.stderr)
        return 2
    # One worker: codes and tokens live in its memory.
    Server(Serving(lambda _: create_app(settings), bind=settings.bind, threads=32)).run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
