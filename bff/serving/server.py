"""Runs a WSGI app with gunicorn, in gevent or thread workers."""

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
from bff.serving.faulty import Faulty
from bff.serving.listening import Unavailable, require_available
from bff.serving.logs import tell_of_failed_start
from bff.serving.periodic_thread import stop_all
from bff.serving.settings import WorkerKind
from bff.serving.stand_in import StandIn

CHECK_SECONDS: Final = 20.0
MEMORY: Final = "/dev/shm"  # noqa: S108  # gunicorn makes its file there with mkstemp
"""Folder of the workers' heartbeat files, in memory: writes to a disk fail if it is full, and may be slow."""
WORKERS: Final[dict[WorkerKind, str]] = {
    "gevent": "bff.serving.gevent_worker.CooperativeWorker",
    "threads": "bff.serving.thread_worker.PatientWorker",
}

log = structlog.get_logger("hitchpost.server")


@dataclass(frozen=True)
class Serving:
    """What is served, and how.

    ``build`` creates the app, in each worker after the fork. Its argument is true if another worker has
    already applied the same configuration. On SIGTERM the program is unready for ``drain_seconds``, then lets
    requests finish for up to 20 seconds, and exits with status 0. ``metrics_bind`` is a second address with
    another port for ``/metrics``. ``threads``: of each thread worker. ``connections``: maximum of each
    worker. ``prefix``: of the settings' names, for messages. ``name``: of the processes.
    """

    build: Callable[[bool], Any]
    bind: str
    threads: int
    workers: int = 1
    drain_seconds: float = 0
    metrics_bind: str | None = None
    worker: WorkerKind = "threads"
    connections: int = 1000
    prefix: str = "HITCHPOST_"
    name: str = "hitchpost serve"

    @property
    def binds(self) -> dict[str, str | None]:
        """The addresses by the names of their settings."""
        return {f"{self.prefix}BIND": self.bind, f"{self.prefix}METRICS_BIND": self.metrics_bind}


class Server(BaseApplication):  # type: ignore[misc]
    """A gunicorn application without gunicorn's command line.

    On SIGHUP, ``check`` runs in a child process and returns the faults of the current configuration. Without
    faults, ``again`` returns the new ``Serving``; it does not raise then.
    """

    FAULTY = 2
    """Exit status of the program if its first worker finds the configuration unusable."""

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
        """Seconds between becoming unready and stopping."""
        return self._serving.drain_seconds

    def load_config(self) -> None:
        """Set gunicorn's options."""
        for name, value in self._options().items():
            if name in self.cfg.settings:
                self.cfg.set(name, value)

    def check(self) -> list[str]:
        """The faults of the current configuration, one line each."""
        return in_a_child(self._check, CHECK_SECONDS)

    def renew(self) -> None:
        """Load the current configuration."""
        self._before, self._applied_before = self._serving, self._applied
        self._serving = self._again() if self._again else self._serving
        self._applied = Started()
        self.do_load_config()

    def restore(self) -> None:
        """Return to the configuration before the last ``renew``."""
        self._serving, self._applied = self._before, self._applied_before
        self.do_load_config()

    def begin_worker(self) -> Started:
        """Create the flag of the worker that is forked next."""
        self._own = Started()
        return self._own

    def is_faulty(self) -> bool:
        """Whether a worker found the configuration unusable, so that a retry cannot help."""
        return self._faulty.is_set()

    def load(self) -> Any:
        """Build the app, once in each worker.

        If that fails and no other worker has started, a ``StandIn`` answers and retries. If another worker
        has started, this one exits.
        """
        try:
            app: Any = self._build()
        except Exception as error:  # noqa: BLE001  # any error keeps this worker from starting
            # gunicorn would print the traceback beside the log, over several lines.
            tell_of_failed_start(error)
            if isinstance(error, Faulty):
                self._faulty.set()
                # The arbiter ends with ``FAULTY``. A worker's status would add a line of gunicorn's.
                raise SystemExit(0) from None
            if any(flag.is_set() for flag in self.started.values()):
                raise SystemExit(1) from None
            app = StandIn(self._build)
            app.start()
        return metrics.beside(app, self._serving.metrics_bind)

    def run(self) -> None:
        """Serve until SIGTERM or Ctrl-C. Raises ``SystemExit`` if an address cannot be listened on."""
        gunicorn_parts.install()
        if self._serving.metrics_bind:
            metrics.prepare()
        try:
            require_available(self._serving.binds)
        except Unavailable as error:
            log.error("cannot start", error_text=str(error))  # noqa: TRY400  # the line says it all
            raise SystemExit(self.FAULTY if error.lasts else 1) from None
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
            # Names the processes of each program, and of each copy of it, in `ps` and `top`.
            "proc_name": f"{serving.name} {serving.bind}",
            # Else background work would go on until the arbiter kills the worker, perhaps between a third
            # party's answer and its storage.
            "worker_exit": lambda _, _worker: stop_all(),
            "child_exit": lambda _, worker: metrics.forget(worker.pid),
            "worker_class": WORKERS[serving.worker],
            "worker_connections": serving.connections,
            "threads": serving.threads,
            "workers": serving.workers,
            "worker_tmp_dir": MEMORY if os.access(MEMORY, os.W_OK) else None,
            # gunicorn's access log would contain query strings, which may have sign-in tokens.
            "accesslog": None,
            "loglevel": "warning",
            "logger_class": gunicorn_parts.PlainLogger,
            "keepalive": 15,
            "limit_request_line": MOST_REQUEST_LINE,
            "graceful_timeout": 20,
            "control_socket_disable": True,
            # By default, a peer on this machine, such as a proxy, may set scheme and path by headers.
            "forwarded_allow_ips": "",
            "forwarder_headers": "",
            "secure_scheme_headers": {},
        }
