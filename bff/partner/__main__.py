"""``python -m bff.partner serve`` and ``check-catalogue FILE``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from bff.partner.app import create_app
from bff.partner.catalogue import Catalogue, FaultyCatalogue, read_catalogue
from bff.partner.server import Server
from bff.partner.settings import FaultySettings, Settings, load_settings


def main(arguments: list[str] | None = None) -> int:
    """Run a command; the exit status is 2 for settings or a catalogue that cannot be used."""
    parser = argparse.ArgumentParser(
        prog="python -m bff.partner", description="The embedded partner service."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("serve", help="run it; its settings are HITCHPOST_EMBEDDED_... variables")
    check = commands.add_parser("check-catalogue", help="report every fault of a connector catalogue")
    check.add_argument("file", type=Path)
    asked = parser.parse_args(arguments)
    try:
        if asked.command == "check-catalogue":
            found = read_catalogue(asked.file)
            print(f"{asked.file}: {len(found.connectors)} connectors, no faults")
            return 0
        settings, catalogue = _load()
    except (FaultySettings, FaultyCatalogue) as error:
        print("\n".join(error.faults), file=sys.stderr)
        return 2
    Server(lambda: create_app(settings, catalogue), bind=settings.bind, threads=settings.threads).run()
    return 0


def _load() -> tuple[Settings, Catalogue]:
    settings = load_settings()
    return settings, read_catalogue(settings.catalogue)


if __name__ == "__main__":
    sys.exit(main())
