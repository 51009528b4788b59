"""What every goal's measurement is handed: where it works, how long and how often it measures."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from bench.install import Installed
from bench.process import Server, serving
from tests.support.ports import free_port

T = TypeVar("T")
STUB = Path(__file__).parent / "partner_stub.py"


@dataclass(frozen=True)
class Context:
    """``seconds`` of each measurement after ``warm_up`` seconds that count for nothing; ``repetitions``."""

    scratch: Path
    installed: Installed
    seconds: float = 4.0
    warm_up: float = 3.0
    repetitions: int = 5

    @contextlib.contextmanager
    def folder(self, name: str) -> Iterator[Path]:
        """An empty folder, gone when the block ends."""
        with tempfile.TemporaryDirectory(prefix=f"{name}-", dir=self.scratch) as path:
            yield Path(path)

    @contextlib.contextmanager
    def partner(self, folder: Path, delay_ms: float = 0) -> Iterator[Server]:
        """A partner service (``partner_stub.py``) that takes ``delay_ms`` for a list or a sign-in token."""
        port = free_port()
        command: list[str | Path] = [self.installed.python, STUB, str(port), str(delay_ms)]
        name = f"partner service at {delay_ms:g} ms"
        with serving(name, command, port=port, log=folder / f"partner-{port}.log") as server:
            yield server

    def interleaved(self, measure: Mapping[str, Callable[[], T]]) -> dict[str, list[T]]:
        """What each found in each repetition. They take turns: the machine's noise meets all alike."""
        found: dict[str, list[T]] = {name: [] for name in measure}
        for number in range(self.repetitions):
            for name, once in measure.items():
                print(f"  {number + 1}/{self.repetitions} {name}", flush=True)
                found[name].append(once())
        return found
