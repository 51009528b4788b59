"""Runs a WSGI app under gunicorn's threaded workers. The BFF has its own: the two programs share no code."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gunicorn.app.base import BaseApplication


class Server(BaseApplication):  # type: ignore[misc]
    """gunicorn without its own command line. The app is built in each worker, after the fork."""

    def __init__(self, build: Callable[[], Any], *, bind: str, threads: int, workers: int = 1) -> None:
        self._build = build
        self._options = {
            "bind": bind,
            "worker_class": "gthread",
            "threads": threads,
            "workers": workers,
            # A request line may hold a sign-in token: our own log has no queries, gunicorn's would.
            "accesslog": None,
            "loglevel": "warning",
            "keepalive": 15,
            "graceful_timeout": 20,
            "control_socket_disable": True,
        }
        super().__init__()

    def load_config(self) -> None:
        """Hand the options to gunicorn."""
        for name, value in self._options.items():
            if name in self.cfg.settings:
                self.cfg.set(name, value)

    def load(self) -> Any:
        """Build the app, once in each worker."""
        return self._build()
