"""Numbers for operators (Prometheus). Labels are few and of known values: never an id, never a path.

The library is loaded where a number is first counted: that is in a worker, after the server has said where
several of them keep their numbers (``prepare``).
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
"""Of products with their connectors, and of endings, that a process counts each by itself."""
_pairs: Final[set[tuple[str, str]]] = set()
_endings: Final[set[str]] = set()
_making: Final = threading.Lock()
_breakers: dict[str, Callable[[], str]] = {}


@dataclass
class _Lost:
    """What could not be written, and how much of that has been counted."""

    log: Callable[[], int] = int
    log_counted: int = 0
    metrics: int = 0


_lost: Final = _Lost()
P = ParamSpec("P")


def _harmless(count: Callable[P, None]) -> Callable[P, None]:
    """A number that cannot be written is lost, and not the request that it tells of."""

    @wraps(count)
    def counted(*arguments: P.args, **named: P.kwargs) -> None:
        try:
            count(*arguments, **named)
        except Exception:  # noqa: BLE001  # a full disk, a folder that is gone, a file that cannot be read
            _lost.metrics += 1

    return counted


def watch_log(lost: Callable[[], int]) -> None:
    """From now on count the lines that the log lost; ``lost`` tells how many they are by now."""
    _lost.log, _lost.log_counted = lost, lost()


@_harmless
def serving() -> None:
    """A worker of this version has started."""
    _meters().build.labels(own_version()).set(1)


@_harmless
def request(route: str, method: str, status: int, seconds: float) -> None:
    """A request was answered. ``route`` is a rule of the URL map, or ``(none)``."""
    known = method if method in {"GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS"} else "other"
    _meters().requests.labels(route, known, f"{status // 100}xx").observe(seconds)
    _count_lost()


@_harmless
def busy(change: int) -> None:
    """A request began (1) or ended (-1)."""
    _meters().busy.inc(change)


@_harmless
def launched(product: str, connector: str, delivery: str) -> None:
    """A sign-in was started."""
    _meters().launches.labels(*_bounded(product, connector), delivery).inc()


@_harmless
def settled(product: str, connector: str, status: str, ending: str, delivery: str) -> None:
    """An attempt ended; ``ending`` says more than its status: the code that its page was told."""
    told = ending if ending in _endings or len(_endings) < MOST_ENDINGS else OTHER
    _endings.add(told)
    _meters().attempts.labels(*_bounded(product, connector), status, told, delivery).inc()


@_harmless
def signalled(hint: str) -> None:
    """A page looked whether there was news, woken by this signal; ``timer`` when by none."""
    _meters().signals.labels(hint).inc()


@_harmless
def upstream(path: str, status: int | None, seconds: float) -> None:
    """A call to the partner service. ``path`` is its template; no status means no answer."""
    _meters().upstream.labels(path, f"{status // 100}xx" if status else "none").observe(seconds)
    _tell_breakers()


@_harmless
def webhooks(result: str, count: int) -> None:
    """So many webhook deliveries were ``delivered``, ``failed`` (and wait), ``given_up`` or ``dropped``."""
    if count:
        _meters().webhooks.labels(result).inc(count)


@_harmless
def webhook_backlog(waiting: int, oldest_seconds: float, off: int) -> None:
    """So many webhook deliveries wait, the oldest for so long; so many endpoints are switched off."""
    _meters().webhook_backlog.set(waiting)
    _meters().webhook_age.set(oldest_seconds)
    _meters().webhooks_off.set(off)


def watch_breaker(upstream: str, state: Callable[[], str]) -> None:
    """From now on tell this breaker's state: ``closed``, ``half-open`` or ``open``."""
    _breakers[upstream] = state


def prepare() -> None:
    """In the server, before there are workers: an empty folder for their numbers."""
    if folder := os.environ.get(FOLDER):
        shutil.rmtree(folder, ignore_errors=True)
        Path(folder).mkdir(mode=0o700, parents=True)
    else:
        os.environ[FOLDER] = tempfile.mkdtemp(prefix="hitchpost-metrics-")


def forget(process_id: int) -> None:
    """In the server, when a worker has ended: its gauges count no more, its counters do."""
    if FOLDER in os.environ:
        from prometheus_client.multiprocess import mark_process_dead  # noqa: PLC0415

        mark_process_dead(process_id)  # type: ignore[no-untyped-call]


def exposition(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """``GET /metrics``: the numbers of all workers together."""
    from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest  # noqa: PLC0415
    from prometheus_client.multiprocess import MultiProcessCollector  # noqa: PLC0415

    if environ.get("PATH_INFO") != "/metrics" or environ.get("REQUEST_METHOD") != "GET":
        start_response("404 Not Found", [("Content-Type", "text/plain"), ("Content-Length", "0")])
        return [b""]
    registry = REGISTRY
    if FOLDER in os.environ:
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    _tell_breakers()
    body = generate_latest(registry)
    start_response("200 OK", [("Content-Type", CONTENT_TYPE_LATEST), ("Content-Length", str(len(body)))])
    return [body]


def beside(app: App, bind: str | None) -> App:
    """``app``, and the numbers for whoever asks at the other address that the server listens on."""
    if bind is None:
        return app
    serving()
    port = bind.rpartition(":")[2]

    def either(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        # The server's own word for where it was asked, not a header.
        chosen = exposition if environ.get("SERVER_PORT") == port else app
        return chosen(environ, start_response)

    return either


def _bounded(product: str, connector: str) -> tuple[str, str]:
    """The pair as labels. Each makes a series: beyond the first few hundred all count as one."""
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


def _tell_breakers() -> None:
    for upstream_name, state in _breakers.items():
        told = state()
        for name in STATES:
            _meters().breaker.labels(upstream_name, name).set(1 if told == name else 0)


def _meters() -> Meters:
    # A worker's first requests may come at once, and a meter can be made once only.
    with _making:
        return made()
