"""Runs a WSGI app under gunicorn, in workers of greenlets or of threads."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

import structlog
from gunicorn.app.base import BaseApplication

from bff.serving import gunicorn_parts, metrics
from bff.serving.arbiter import Started, SteadyArbiter, in_a_child
from bff.serving.bounds import MOST_REQUEST_LINE
from bff.serving.logs import about
from bff.serving.settings import WorkerKind
from bff.serving.stand_in import StandIn

CHECK_SECONDS: Final = 20.0
MEMORY: Final = "/dev/shm"  # noqa: S108  # nosec B108  # gunicorn makes its file there with mkstemp
"""Where the workers' heartbeats are: on a disk they would fail when it is full, or slow."""
WORKERS: Final[dict[WorkerKind, str]] = {
    "gevent": "bff.serving.gevent_worker.CooperativeWorker",
    "threads": "bff.serving.thread_worker.PatientWorker",
}

log = structlog.get_logger("hitchpost.server")


@dataclass(frozen=True)
class Serving:
    """What is served, and how.

    ``build`` makes the app, in each worker after the fork; its argument says whether the worker replaces one
    of the same configuration, so that nothing has to be applied anew. On SIGTERM the program is unready for
    ``drain_seconds``, then lets requests finish for up to 20 seconds, and exits with status 0.
    ``metrics_bind`` is a second address, with another port, where ``/metrics`` is answered. ``threads`` are
    those of a worker of threads, ``connections`` the most of any worker.
    """

    build: Callable[[bool], Any]
    bind: str
    threads: int
    workers: int = 1
    drain_seconds: float = 0
    metrics_bind: str | None = None
    worker: WorkerKind = "threads"
    connections: int = 1000


class Server(BaseApplication):  # type: ignore[misc]
    """gunicorn without its own command line.

    On SIGHUP ``check`` is run first, in a child process: its lines are what is wrong with the configuration
    as it is now. With none, ``again`` answers what to serve from now on; it raises nothing then.
    """

    FAULTY = 2
    """The exit status when the first worker finds that the configuration cannot be used."""

    def __init__(
        self,
        serving: Serving,
        *,
        check: Callable[[], Iterable[str]] = tuple,
        again: Callable[[], Serving] | None = None,
    ) -> None:
        self._serving = self._before = serving
        self._check, self._again = check, again
        self._applied = self._applied_before = Started()
        self._faulty = Started()
        self._own = Started()
        self.started: dict[int, Started] = {}
        super().__init__()

    @property
    def drain_seconds(self) -> float:
        """How long the program is unready before it stops."""
        return self._serving.drain_seconds

    def load_config(self) -> None:
        """Hand the options to gunicorn."""
        for name, value in self._options().items():
            if name in self.cfg.settings:
                self.cfg.set(name, value)

    def check(self) -> list[str]:
        """What is wrong with the configuration as it is now, a line each."""
        return in_a_child(self._check, CHECK_SECONDS)

    def renew(self) -> None:
        """Serve by the configuration as it is now."""
        self._before, self._applied_before = self._serving, self._applied
        self._serving = self._again() if self._again else self._serving
        self._applied = Started()
        self.do_load_config()

    def restore(self) -> None:
        """Serve by the configuration before the last renewal."""
        self._serving, self._applied = self._before, self._applied_before
        self.do_load_config()

    def begin_worker(self) -> Started:
        """The flag of the worker that is forked next."""
        self._own = Started()
        return self._own

    def is_faulty(self) -> bool:
        """Whether a worker found that the configuration cannot be used, which waiting does not mend."""
        return self._faulty.is_set()

    def load(self) -> Any:
        """Build the app, once in each worker.

        Where that is not possible now, a worker that is alone answers so, and tries again; of several, one
        that cannot start leaves the requests to the others.
        """
        try:
            app: Any = self._build()
        except Exception as error:  # noqa: BLE001  # whatever it is, this worker cannot start
            # gunicorn would print the exception as it is, beside the log and over several lines.
            log.error("cannot start", **about(error))  # noqa: TRY400
            if hasattr(error, "faults"):
                self._faulty.set()
                raise SystemExit(self.FAULTY) from None
            if any(flag.is_set() for flag in self.started.values()):
                raise SystemExit(1) from None
            app = StandIn(self._build)
            app.start()
        return metrics.beside(app, self._serving.metrics_bind)

    def run(self) -> None:
        """Serve until SIGTERM or Ctrl-C."""
        gunicorn_parts.install()
        if self._serving.metrics_bind:
            metrics.prepare()
        SteadyArbiter(self).run()

    def _build(self) -> Any:
        app = self._serving.build(self._applied.is_set())
        self._applied.set()
        self._own.set()
        return app

    def _options(self) -> dict[str, Any]:
        serving = self._serving
        return {
            "bind": [serving.bind, *([serving.metrics_bind] if serving.metrics_bind else [])],
            "child_exit": lambda _, worker: metrics.forget(worker.pid),
            "worker_class": WORKERS[serving.worker],
            "worker_connections": serving.connections,
            "threads": serving.threads,
            "workers": serving.workers,
            "worker_tmp_dir": MEMORY if os.access(MEMORY, os.W_OK) else None,
            # A request line may hold a sign-in token: our own log has no queries, gunicorn's would.
            "accesslog": None,
            "loglevel": "warning",
            "logger_class": gunicorn_parts.PlainLogger,
            "keepalive": 15,
            "limit_request_line": MOST_REQUEST_LINE,
            "graceful_timeout": 20,
            "control_socket_disable": True,
            # By default a peer on this machine, which every proxy is, could set scheme and path by headers.
            "forwarded_allow_ips": "",
            "forwarder_headers": "",
            "secure_scheme_headers": {},
        }
