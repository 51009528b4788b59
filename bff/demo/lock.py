"""Lets one demo run in a folder at a time: a second one would replace the files of the first."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

FILE: Final = "lock"


@contextmanager
def locked(folder: Path) -> Iterator[bool]:
    """Hold the folder's lock within the block. Yields False if a running demo has it.

    The lock ends with its process, so the file of a demo that was killed locks nobody out.
    """
    with (folder / FILE).open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
