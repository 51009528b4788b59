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
from functools import cache, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, ParamSpec

from bff.serving.version import own_version

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
"""Bytes of each file of a process, several times as many as all its routes and statuses take."""
STATES: Final = ("closed", "half-open", "open")

App = Callable[[dict[str, Any], Any], Iterable[bytes]]
OTHER: Final = "(other)"
MOST_PAIRS, MOST_ENDINGS = 300, 30
"""Of products with their connectors, and of endings, that a process counts each by itself."""
_pairs: Final[set[tuple[str, str]]] = set()
_endings: Final[set[str]] = set()
_making: Final = threading.Lock()
_breakers: dict[str, Callable[[], str]] = {}


@dataclass(frozen=True)
class _Meters:
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


def _reserve() -> None:
    """Room on the disk for this process's numbers. Raises ``OSError`` when there is none.

    The library maps sparse files into memory: to write there on a full disk would end the process (SIGBUS).
    """
    for kind, size in RESERVED.items():
        path = Path(os.environ[FOLDER]) / f"{kind}_{os.getpid()}.db"
        with path.open("wb") as file:
            try:
                os.posix_fallocate(file.fileno(), 0, size)
            except OSError:
                path.unlink()
                raise


def _tell_breakers() -> None:
    for upstream_name, state in _breakers.items():
        told = state()
        for name in STATES:
            _meters().breaker.labels(upstream_name, name).set(1 if told == name else 0)


def _meters() -> _Meters:
    # A worker's first requests may come at once, and a meter can be made once only.
    with _making:
        return _made()


@cache
def _made() -> _Meters:
    from prometheus_client import Counter, Gauge, Histogram  # noqa: PLC0415

    if FOLDER in os.environ:
        _reserve()
    return _Meters(
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
    """A number that each worker reads from the database: what was read last is what holds."""
    from prometheus_client import Gauge  # noqa: PLC0415

    return Gauge(name, about, multiprocess_mode="livemostrecent")
