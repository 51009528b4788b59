"""The two kinds of databases that both programs work with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

DatabaseUrl = Callable[[Path, str], str]
"""The SQLAlchemy URL of the database ``name`` of a world that lives in ``folder``."""


def sqlite_url(folder: Path, name: str) -> str:
    """A file in the folder."""
    return f"sqlite:///{folder}/{name}.db"
