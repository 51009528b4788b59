"""The whole product as a user starts it: `hitchpost demo`, in a folder and on ports of its own."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from bff.serving.database import open_database
from bff.studio.access import Role
from bff.studio.invites import make_link
from bff.testing import Running as Stack
from bff.testing import run_hitchpost

__all__ = ["ROOT", "Stack", "end_connections", "invite", "run_demo"]

ROOT: Final = Path(__file__).parents[2]


@contextlib.contextmanager
def run_demo(folder: Path, environment: Mapping[str, str] | None = None) -> Iterator[Stack]:
    """Run the demo until the block ends. Raises ``DidNotStart`` with its output."""
    with run_hitchpost(folder=folder, environment=environment) as running:
        yield running


def invite(stack: Stack, email: str) -> str:
    """A link with which this person signs in to the Studio as a publisher."""
    engine = open_database(f"sqlite:///{stack.folder / 'bff.db'}")
    try:
        return make_link(engine, stack.bff, stack.product, email, Role.PUBLISHER)
    finally:
        engine.dispose()


def end_connections(stack: Stack) -> None:
    """Let nothing be connected there, whoever connected it."""
    with contextlib.closing(sqlite3.connect(stack.folder / "partner.db", timeout=20)) as database, database:
        database.execute("UPDATE account_connector SET authenticated = 0, external_account = NULL")
