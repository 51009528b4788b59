"""Polls that do not wait, in a process that gevent has patched and in one that it has not."""

from __future__ import annotations

import socket
import subprocess
import sys

from bff.serving.blocking import is_readable_now

UNDER_GEVENT = """
from gevent import monkey
monkey.patch_all()
import gevent, socket
from bff.serving.blocking import is_readable_now
ran = []
gevent.spawn(ran.append, "another greenlet")
ours, theirs = socket.socketpair()
assert not is_readable_now(ours.fileno())
theirs.close()
assert is_readable_now(ours.fileno())
assert not ran, ran
"""


def test_a_socket_is_readable_once_its_peer_has_written_or_closed() -> None:
    """Before that it is not, and nobody waits for it."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert not is_readable_now(ours.fileno())
        theirs.sendall(b"!")
        assert is_readable_now(ours.fileno())
        ours.recv(1)
        assert not is_readable_now(ours.fileno())
        theirs.close()
        assert is_readable_now(ours.fileno())


def test_a_greenlet_asks_the_operating_system_itself() -> None:
    """It neither waits nor gives way to another greenlet."""
    subprocess.run([sys.executable, "-c", UNDER_GEVENT], check=True, timeout=60)
