"""Looks at the file of a SQLite database before it is opened."""

from __future__ import annotations

import os
from pathlib import Path

from sqlalchemy import make_url


def missing_file(url: str) -> Path | None:
    """The path of a SQLite file that does not exist; None if it exists, or for other databases."""
    path = _path_of(url)
    return None if path is None or path.exists() else path


def access_fault(url: str) -> str | None:
    """Why this user cannot use the SQLite file; None if they can, or for other databases.

    SQLite writes other files beside it, so the folder has to be writable, too.
    """
    if (path := _path_of(url)) is None:
        return None
    if path.is_dir():
        return f"{path} is a folder; write the file's name behind it"
    folder = path.parent
    if not folder.is_dir():
        if folder.exists():
            return f"{folder} is no folder"
        return f"there is no folder {folder}; make it, for the user that runs the program"
    for place in filter(Path.exists, (folder, path)):
        if not _is_writable(place):
            return (
                f"{place} cannot be written by this user ({os.geteuid()}); run this as the program's user, or"
                " give it to that user with chown"
            )
    return None


def _path_of(url: str) -> Path | None:
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite" or not parsed.database or parsed.database == ":memory:":
        return None
    return Path(parsed.database).absolute()


def _is_writable(path: Path) -> bool:
    needed = os.R_OK | os.W_OK | (os.X_OK if path.is_dir() else 0)
    return os.access(path, needed, effective_ids=os.access in os.supports_effective_ids)
