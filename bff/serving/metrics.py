"""Prometheus metrics. Labels have few, known values: never an id or a path.

The library is imported in a worker at its first metric, after ``prepare`` has set the folder that the workers
share.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, Final, ParamSpec

from bff.serving.meters import FOLDER, Meters, made
from bff.serving.version import own_version

STATES: Final = ("closed", "half-open", "open")

App = Callable[[dict[str, Any], Any], Iterable[bytes]]
OTHER: Final = "(other)"
MOST_PAIRS, MOST_ENDINGS = 300, 30
"""Maximum label values of a process: pairs of product and connector, and endings. Others count as OTHER."""
_pairs: Final[set[tuple[str, str]]] = set()
_endings: Final[set[str]] = set()
_making: Final = threading.Lock()
_breakers: dict[str, Callable[[], str]] = {}


@dataclass
class _Lost:
    """Log lines and metrics that were lost, and how many of the lines are already counted."""

    log: Callable[[], int] = int
    log_counted: int = 0
    metrics: int = 0


_lost: Final = _Lost()
P = ParamSpec("P")


def _harmless(count: Callable[P, None]) -> Callable[P, None]:
    """Decorate a function that updates metrics, so that its errors do not fail the request."""

    @wraps(count)
    def counted(*arguments: P.args, **named: P.kwargs) -> None:
        try:
            count(*arguments, **named)
        except Exception:  # noqa: BLE001  # a full disk, a missing folder, an unreadable file
            _lost.metrics += 1

    return counted


def watch_log(lost: Callable[[], int]) -> None:
    """Export the number of lost log lines. ``lost`` returns their total."""
    _lost.log, _lost.log_counted = lost, lost()


@_harmless
def serving() -> None:
    """Set the build metric when a worker has started."""
    _meters().build.labels(own_version()).set(1)


@_harmless
def request(route: str, method: str, status: int, seconds: float) -> None:
    """Count a request. ``route`` is a rule of the URL map, or ``(none)``."""
    known = method if method in {"GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS"} else "other"
    _meters().requests.labels(route, known, f"{status // 100}xx").observe(seconds)
    _count_lost()


@_harmless
def busy(change: int) -> None:
    """Count a request that began (1) or ended (-1)."""
    _meters().busy.inc(change)


@_harmless
def launched(product: str, connector: str, delivery: str) -> None:
    """Count a sign-in that was started."""
    _meters().launches.labels(*_bounded(product, connector), delivery).inc()


@_harmless
def settled(product: str, connector: str, status: str, ending: str, delivery: str) -> None:
    """Count an attempt that ended. ``ending`` is the error code that its page got, or its status."""
    label = ending if ending in _endings or len(_endings) < MOST_ENDINGS else OTHER
    _endings.add(label)
    _meters().attempts.labels(*_bounded(product, connector), status, label, delivery).inc()


@_harmless
def signalled(hint: str | None) -> None:
    """Count a read of an attempt by its page. Without a hint the label is ``timer``."""
    _meters().signals.labels(hint or "timer").inc()


@_harmless
def upstream(path: str, status: int | None, seconds: float) -> None:
    """Count a call to the partner service. ``path`` is a template; ``status`` is None without an answer."""
    _meters().upstream.labels(path, f"{status // 100}xx" if status else "none").observe(seconds)
    _update_breakers()


@_harmless
def webhooks(result: str, count: int) -> None:
    """Count webhook deliveries: ``delivered``, ``failed`` (to be retried), ``given_up`` or ``dropped``."""
    if count:
        _meters().webhooks.labels(result).inc(count)


@_harmless
def webhook_backlog(waiting: int, oldest_seconds: float, off: int) -> None:
    """Set the number of waiting deliveries, the age of the oldest, and the number of endpoints off."""
    _meters().webhook_backlog.set(waiting)
    _meters().webhook_age.set(oldest_seconds)
    _meters().webhooks_off.set(off)


def watch_breaker(upstream: str, state: Callable[[], str]) -> None:
    """Export a circuit breaker. ``state`` returns ``closed``, ``half-open`` or ``open``."""
    _breakers[upstream] = state


def prepare() -> None:
    """Create an empty folder for the workers' metrics. Call it in the server, before workers are forked."""
    if folder := os.environ.get(FOLDER):
        shutil.rmtree(folder, ignore_errors=True)
        Path(folder).mkdir(mode=0o700, parents=True)
    else:
        os.environ[FOLDER] = tempfile.mkdtemp(prefix="hitchpost-metrics-")


def forget(process_id: int) -> None:
    """Drop the gauges of a worker that has exited; its counters stay. Call it in the server."""
    if FOLDER in os.environ:
        from prometheus_client.multiprocess import mark_process_dead  # noqa: PLC0415

        mark_process_dead(process_id)  # type: ignore[no-untyped-call]


def exposition(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """WSGI app for ``GET /metrics``: the metrics of all workers."""
    from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest  # noqa: PLC0415
    from prometheus_client.multiprocess import MultiProcessCollector  # noqa: PLC0415

    if environ.get("PATH_INFO") != "/metrics" or environ.get("REQUEST_METHOD") != "GET":
        start_response("404 Not Found", [("Content-Type", "text/plain"), ("Content-Length", "0")])
        return [b""]
    registry = REGISTRY
    if FOLDER in os.environ:
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    _update_breakers()
    body = generate_latest(registry)
    start_response("200 OK", [("Content-Type", CONTENT_TYPE_LATEST), ("Content-Length", str(len(body)))])
    return [body]


def beside(app: App, bind: str | None) -> App:
    """``app``, with the metrics at a second address, ``bind``; ``app`` itself if that is None."""
    if bind is None:
        return app
    serving()
    port = bind.rpartition(":")[2]

    def either(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        # SERVER_PORT is set by the server, not by a header.
        chosen = exposition if environ.get("SERVER_PORT") == port else app
        return chosen(environ, start_response)

    return either


def _bounded(product: str, connector: str) -> tuple[str, str]:
    """The pair as label values; ``OTHER`` for further ones, to limit the number of time series."""
    pair = product, connector
    if pair not in _pairs and len(_pairs) >= MOST_PAIRS:
        return OTHER, OTHER
    _pairs.add(pair)
    return pair


def _count_lost() -> None:
    if (log := _lost.log()) > _lost.log_counted:
        _meters().log_lost.inc(log - _lost.log_counted)
        _lost.log_counted = log
    if _lost.metrics:
        _meters().metrics_lost.inc(_lost.metrics)
        _lost.metrics = 0


def _update_breakers() -> None:
    for upstream_name, state in _breakers.items():
        current = state()
        for name in STATES:
            _meters().breaker.labels(upstream_name, name).set(1 if current == name else 0)


def _meters() -> Meters:
    # A worker's first requests may be concurrent, and a metric can be registered only once.
    with _making:
        return made()
