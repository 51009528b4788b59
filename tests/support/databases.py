"""The two kinds of databases that both programs work with, and how a test gets one that is up to date."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Final

from bff.partner.storage.database import SCHEMA as PARTNER_SCHEMA
from bff.serving.database import open_database
from bff.storage.schema import SCHEMA as BFF_SCHEMA

DatabaseUrl = Callable[[Path, str], str]
"""The SQLAlchemy URL of the database ``name`` of a world that lives in ``folder``."""
SCHEMAS: Final = {"bff": BFF_SCHEMA, "partner": PARTNER_SCHEMA}
"""Whose database a name means. One of any other name is empty."""


def sqlite_url(folder: Path, name: str) -> str:
    """A file in the folder; a copy of one that all migrations have run on, if the name is a program's."""
    path = folder / f"{name}.db"
    if name in SCHEMAS and not path.exists():
        shutil.copyfile(_migrated(name), path)
    return f"sqlite:///{path}"


def bring_up_to_date(url: str, name: str) -> None:
    """Run all migrations of a program, and let go of its database."""
    engine = open_database(url)
    SCHEMAS[name].upgrade(engine)
    engine.dispose()


@cache
def _migrated(name: str) -> Path:
    """The file that is copied, made once for each process of the test run."""
    path = _folder() / f"{name}.db"
    bring_up_to_date(f"sqlite:///{path}", name)
    return path


@cache
def _folder() -> Path:
    made = Path(tempfile.mkdtemp(prefix="hitchpost-migrated-"))
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return made
