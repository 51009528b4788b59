"""The whole product as a user starts it: `hitchpost demo`, in a folder and on ports of its own."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from bff.testing import Running as Stack
from bff.testing import run_hitchpost

__all__ = ["ROOT", "Stack", "run_demo"]

ROOT: Final = Path(__file__).parents[2]


@contextlib.contextmanager
def run_demo(folder: Path, environment: Mapping[str, str] | None = None) -> Iterator[Stack]:
    """Run the demo until the block ends. Raises ``DidNotStart`` with its output."""
    with run_hitchpost(folder=folder, environment=environment) as running:
        yield running
