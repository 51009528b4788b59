"""Launches as load: ours, each with a token of its own, and the same form posted to a peer."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.load import Run, closed_loop, form_request, http_request
from bench.meter import Measured, measured
from bench.process import Server
from bench.product import PUBLIC_URL, Product

SEE_OTHER: Final = 303
FIRST_RATE: Final = 600.0
SPARE: Final = 2.0
"""So many times the launches of the best run so far are prepared; a run that has too few is an error."""


@dataclass
class OurLaunches:
    """Loads ``product`` from ``connections`` at once; ``folder`` takes wrk's requests."""

    product: Product
    partner: Server
    folder: Path
    connections: int = 16
    rate: float = FIRST_RATE
    """Of the best run so far, a second."""

    def warm_up(self, seconds: float) -> None:
        """Launch for so long at most; what it finds counts for nothing, but tells how many to prepare."""
        self._load(self.product.launches(self._enough(seconds)), seconds, warm_up=True)

    def measure(self, seconds: float) -> Measured:
        """One run. Raises ``LoadFailed`` for any answer but the redirect to the partner service."""
        requests = self.product.launches(self._enough(seconds))
        return measured(lambda: self._load(requests, seconds), self.product.server, self.partner)

    def _enough(self, seconds: float) -> int:
        return int(self.rate * SPARE * seconds) + self.connections

    def _load(self, requests: list[bytes], seconds: float, *, warm_up: bool = False) -> Run:
        run = closed_loop(
            self.product.server.url,
            requests,
            self.folder,
            seconds=seconds,
            connections=self.connections,
            expected=SEE_OTHER,
            once=True,
            warm_up=warm_up,
        )
        self.rate = max(self.rate, run.rate)
        return run


@dataclass
class PeerLaunches:
    """The same form, again and again: a peer does not look at it."""

    server: Server
    partner: Server
    folder: Path
    connections: int = 16

    def warm_up(self, seconds: float) -> None:
        """Launch for so long; it counts for nothing."""
        self._load(seconds)

    def measure(self, seconds: float) -> Measured:
        """One run. Raises ``LoadFailed`` for any answer but a redirect."""
        return measured(lambda: self._load(seconds), self.server, self.partner)

    def _load(self, seconds: float) -> Run:
        url = f"{self.server.url}/connect/launch"
        request = form_request(url, {"Origin": PUBLIC_URL}, {"launch_token": "A" * 43})
        return closed_loop(
            url,
            [request],
            self.folder,
            seconds=seconds,
            connections=self.connections,
            expected=SEE_OTHER,
        )


@dataclass
class Mints:
    """Sign-in tokens from the partner service itself: how far it is from being the bottleneck."""

    partner: Server
    folder: Path
    connections: int = 16

    def warm_up(self, seconds: float) -> None:
        """Mint for so long; it counts for nothing."""
        self._load(seconds)

    def measure(self, seconds: float) -> Measured:
        """One run. Raises ``LoadFailed``."""
        return measured(lambda: self._load(seconds), self.partner)

    def _load(self, seconds: float) -> Run:
        url = f"{self.partner.url}/v1.0/accounts/acme/signintoken"
        headers = {"Authorization": "Bearer " + "a" * 64, "Content-Type": "application/json"}
        request = http_request("POST", url, headers, b'{"Username": "ada"}')
        return closed_loop(url, [request], self.folder, seconds=seconds, connections=self.connections)
