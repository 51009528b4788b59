"""The Prometheus metrics: names, labels and help texts. Reserves disk space for their files."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from prometheus_client import Counter, Gauge, Histogram

FOLDER: Final = "PROMETHEUS_MULTIPROC_DIR"
SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 15.0)
RESERVED: Final = {
    "histogram": 2 << 20,
    "counter": 1 << 20,
    "gauge_livesum": 64 << 10,
    "gauge_livemax": 64 << 10,
    "gauge_livemostrecent": 64 << 10,
}
"""Bytes reserved for each file of a process: several times what all routes and statuses need."""


@dataclass(frozen=True)
class Meters:
    """The metrics of one process."""

    requests: Histogram
    busy: Gauge
    launches: Counter
    attempts: Counter
    signals: Counter
    upstream: Histogram
    breaker: Gauge
    build: Gauge
    log_lost: Counter
    metrics_lost: Counter
    webhooks: Counter
    webhook_backlog: Gauge
    webhook_age: Gauge
    webhooks_off: Gauge


@cache
def made() -> Meters:
    """The metrics of this process, created once. Raises ``OSError`` if the disk is full."""
    from prometheus_client import Counter, Gauge, Histogram  # noqa: PLC0415

    if FOLDER in os.environ:
        _reserve()
    return Meters(
        requests=Histogram(
            "hitchpost_request_seconds",
            "How long requests took.",
            ["route", "method", "status"],
            buckets=SECONDS,
        ),
        busy=Gauge(
            "hitchpost_threads_busy", "Requests that are being answered.", multiprocess_mode="livesum"
        ),
        launches=Counter(
            "hitchpost_launches", "Sign-ins that were started.", ["product", "connector", "delivery"]
        ),
        attempts=Counter(
            "hitchpost_attempts",
            "Attempts that ended.",
            ["product", "connector", "status", "ending", "delivery"],
        ),
        signals=Counter("hitchpost_signals", "What made pages look for news.", ["hint"]),
        upstream=Histogram(
            "hitchpost_upstream_seconds",
            "How long calls to the partner service took.",
            ["path", "status"],
            buckets=SECONDS,
        ),
        breaker=Gauge(
            "hitchpost_breaker",
            "1 for the breaker's state.",
            ["upstream", "state"],
            multiprocess_mode="livemax",
        ),
        build=Gauge(
            "hitchpost_build_info", "1 for the version that runs.", ["version"], multiprocess_mode="livemax"
        ),
        log_lost=Counter("hitchpost_log_lines_lost", "Lines of the log that could not be written."),
        metrics_lost=Counter("hitchpost_metrics_lost", "Numbers that could not be written."),
        webhooks=Counter("hitchpost_webhook_deliveries", "Webhook deliveries, by what became.", ["result"]),
        webhook_backlog=_latest("hitchpost_webhook_backlog", "Webhook deliveries that wait."),
        webhook_age=_latest("hitchpost_webhook_backlog_seconds", "Age of the oldest one that waits."),
        webhooks_off=_latest("hitchpost_webhook_endpoints_off", "Webhook endpoints switched off."),
    )


def _latest(name: str, about: str) -> Gauge:
    """A gauge that each worker reads from the database. The latest value of any worker is exported."""
    from prometheus_client import Gauge  # noqa: PLC0415

    return Gauge(name, about, multiprocess_mode="livemostrecent")


def _reserve() -> None:
    """Reserve disk space for this process's metrics. Raises ``OSError`` if the disk is full.

    The library maps sparse files into memory. A write to such a file on a full disk kills the process
    (SIGBUS).
    """
    for kind, size in RESERVED.items():
        path = Path(os.environ[FOLDER]) / f"{kind}_{os.getpid()}.db"
        with path.open("wb") as file:
            try:
                os.posix_fallocate(file.fileno(), 0, size)
            except OSError:
                path.unlink()
                raise
