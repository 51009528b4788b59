"""Connecting to a name that was checked."""

from __future__ import annotations

import socket

import pytest

from bff.serving.destinations import ForbiddenUrl, Policy
from bff.serving.pinned import connect


def test_a_name_that_is_refused_is_looked_up_again() -> None:
    """A failure is nobody's but of the calls that waited for it."""
    told = iter((["10.0.0.1"], ["127.0.0.1"]))
    policy = Policy(loopback=True, resolver=lambda _host, _port: next(told))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        with pytest.raises(ForbiddenUrl):
            connect(policy, "a.example", port, None, lambda: 5.0)
        connect(policy, "a.example", port, None, lambda: 5.0).close()
