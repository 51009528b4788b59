"""Runs a WSGI app under gunicorn's threaded workers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import structlog
from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter

from bff.serving import gunicorn_parts, metrics
from bff.serving.logs import about

log = structlog.get_logger("hitchpost.server")


class Server(BaseApplication):  # type: ignore[misc]
    """gunicorn without its own command line. The app is built in each worker, after the fork.

    On SIGTERM it is unready for ``drain_seconds``, then lets requests finish for up to 20 seconds, and exits
    with status 0. ``metrics_bind`` is a second address, with another port, where ``/metrics`` is answered.
    """

    def __init__(
        self,
        build: Callable[[], Any],
        *,
        bind: str,
        threads: int,
        workers: int = 1,
        drain_seconds: float = 0,
        metrics_bind: str | None = None,
    ) -> None:
        self._build = build
        self._metrics_bind = metrics_bind
        self.drain_seconds = drain_seconds
        self._options = {
            "bind": [bind, *([metrics_bind] if metrics_bind else [])],
            "child_exit": lambda _, worker: metrics.forget(worker.pid),
            "worker_class": "gthread",
            "threads": threads,
            "workers": workers,
            # A request line may hold a sign-in token: our own log has no queries, gunicorn's would.
            "accesslog": None,
            "loglevel": "warning",
            "logger_class": gunicorn_parts.PlainLogger,
            "keepalive": 15,
            "graceful_timeout": 20,
            "control_socket_disable": True,
            # By default a peer on this machine, which every proxy is, could set scheme and path by headers.
            "forwarded_allow_ips": "",
            "forwarder_headers": "",
            "secure_scheme_headers": {},
        }
        super().__init__()

    def load_config(self) -> None:
        """Hand the options to gunicorn."""
        for name, value in self._options.items():
            if name in self.cfg.settings:
                self.cfg.set(name, value)

    def load(self) -> Any:
        """Build the app, once in each worker."""
        try:
            return metrics.beside(self._build(), self._metrics_bind)
        except Exception as error:  # noqa: BLE001  # whatever it is, this worker cannot start
            # gunicorn would print the exception as it is, beside the log and over several lines.
            log.error("cannot start", **about(error))  # noqa: TRY400
            raise SystemExit(Arbiter.WORKER_BOOT_ERROR) from None

    def run(self) -> None:
        """Serve until SIGTERM or Ctrl-C."""
        gunicorn_parts.install()
        if self._metrics_bind:
            metrics.prepare()
        gunicorn_parts.DrainingArbiter(self).run()
