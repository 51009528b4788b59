"""Says by the name of its setting which address a program cannot listen on."""

from __future__ import annotations

import errno
import os
import socket
import time
from collections.abc import Mapping
from typing import Final

TRIES: Final = 5
"""Seconds for which an address may be in use: by the program's predecessor, which is ending."""
INHERITED: Final = ("GUNICORN_FD", "LISTEN_FDS")
"""Variables by which a parent process hands over sockets that listen already (gunicorn, systemd)."""
_LASTING: Final = frozenset({errno.EADDRNOTAVAIL, errno.EACCES, errno.EPERM})


class Unavailable(Exception):
    """An address on which this program cannot listen. ``lasts``: a retry cannot help."""

    def __init__(self, fault: str, *, lasts: bool) -> None:
        super().__init__(fault)
        self.lasts = lasts


def unknown_addresses(binds: Mapping[str, str | None]) -> list[str]:
    """A line for each setting whose host is no address of this machine. Values: ``HOST:PORT``.

    Ports are not tried, as the program itself may be listening there.
    """
    return [
        _fault(setting, bind, error)
        for setting, bind in binds.items()
        if (error := _error_of(bind, any_port=True)) is not None
    ]


def require_available(binds: Mapping[str, str | None]) -> None:
    """Wait until each address can be listened on. Raises ``Unavailable`` for one that cannot."""
    if any(name in os.environ for name in INHERITED):
        return
    for setting, bind in binds.items():
        for tries in range(1, TRIES + 1):
            if (error := _error_of(bind)) is None:
                break
            if error.errno != errno.EADDRINUSE or tries == TRIES:
                raise Unavailable(
                    _fault(setting, bind, error),
                    lasts=error.errno in _LASTING or isinstance(error, socket.gaierror),
                )
            # house-allow: sleep: nothing is served yet, and no signal says that the other program has ended
            time.sleep(1)


def _fault(setting: str, bind: str | None, error: OSError) -> str:
    reason = error.strerror or type(error).__name__
    return f"{setting}: {bind} cannot be listened on: {reason[:1].lower()}{reason[1:]}; {_advice(error)}"


def _advice(error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return "write another port, or end the program that has it"
    if error.errno in {errno.EACCES, errno.EPERM}:
        return "write a port of 1024 or more; a proxy in front has 80 and 443"
    return "write an address of this machine, such as 127.0.0.1, or 0.0.0.0 for all of them"


def _error_of(bind: str | None, *, any_port: bool = False) -> OSError | None:
    """Why ``bind`` cannot be listened on. None if it can, or is a Unix socket or a descriptor."""
    host, _, port = (bind or "").rpartition(":")
    if not port.isdecimal() or host == "fd":
        return None
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host.strip("[]"), 0 if any_port else int(port)))
    except OSError as error:
        return error
    return None
