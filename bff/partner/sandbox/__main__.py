"""``python -m bff.partner.sandbox``: run the sandbox authorization server."""

from __future__ import annotations

import sys

from bff.partner.sandbox.app import create_app
from bff.partner.sandbox.settings import PREFIX, load_settings
from bff.serving.server import Server, Serving
from bff.serving.settings import FaultySettings


def main() -> int:
    """Serve until stopped. The exit status is 2 for invalid settings."""
    try:
        settings = load_settings()
    except FaultySettings as error:
        print("\n".join(error.faults), file=sys.stderr)
        return 2
    # Use one worker: codes and tokens are stored in process memory.
    Server(
        Serving(
            lambda _: create_app(settings),
            bind=settings.bind,
            threads=32,
            prefix=PREFIX,
            name="hitchpost sandbox",
        )
    ).run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
