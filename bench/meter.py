"""CPU time that a run takes: of each server, of the load generator, and what the machine had left."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from bench.load import Run
from bench.process import TICKS, Server, idle_seconds

QUIET_SECONDS: Final = 0.25
PATIENCE: Final = 30.0


@dataclass(frozen=True)
class Measured:
    """A run, and the CPU seconds that each server took for it. ``left`` is the idle share of all cores."""

    run: Run
    cpu: Mapping[str, float]
    left: float

    def cpu_ms(self, server: str) -> float:
        """CPU milliseconds of this server for each answer."""
        return self.cpu[server] * 1000 / self.run.requests

    def share(self, server: str) -> float:
        """How many cores this server kept busy."""
        return self.cpu[server] / self.run.seconds

    @property
    def generator_share(self) -> float:
        """How many cores the load generator kept busy."""
        return self.run.generator_cpu / self.run.seconds


def measured(load: Callable[[], Run], *servers: Server) -> Measured:
    """Run ``load`` and see what it cost, once the servers are through with what came before."""
    for server in servers:
        _let_finish(server)
    before, idle, began = [server.cpu_seconds() for server in servers], idle_seconds(), time.monotonic()
    run = load()
    took = time.monotonic() - began
    left = (idle_seconds() - idle) / (took * (os.cpu_count() or 1))
    cpu = {server.name: server.cpu_seconds() - was for server, was in zip(servers, before, strict=True)}
    for server in servers:
        server.require_alive()
    return Measured(run, cpu, left)


def _let_finish(server: Server) -> None:
    # A load generator that stops leaves requests behind; they would cost the next one who is measured.
    deadline, before = time.monotonic() + PATIENCE, -1.0
    while (now := server.cpu_seconds()) - before > 2 / TICKS and time.monotonic() < deadline:
        before = now
        time.sleep(QUIET_SECONDS)
