"""Pauses a program of the demo, to simulate an outage or a lost network."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from bff.demo.plan import Plan

FILE: Final = "programs.json"


def write_groups(folder: Path, groups: Mapping[str, int]) -> None:
    """Store the process group of each program."""
    (folder / FILE).write_text(json.dumps(dict(groups)) + "\n")


def pause(plan: Plan, program: str, seconds: float) -> None:
    """Stop the program for ``seconds`` (SIGSTOP). Its sockets stay open, but nothing answers."""
    group: int = json.loads((plan.folder / FILE).read_text())[program]
    _signal(group, signal.SIGSTOP)
    threading.Timer(seconds, _signal, (group, signal.SIGCONT)).start()


def _signal(group: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):  # the demo has ended meanwhile
        os.killpg(group, number)
