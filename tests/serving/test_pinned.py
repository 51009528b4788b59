"""Looking names up: one whose name server is silent holds up nobody else's calls."""

from __future__ import annotations

import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from bff.serving.destinations import ForbiddenUrl, Policy
from bff.serving.pinned import connect
from tests.support.programs import until


def test_calls_to_a_silent_name_server_share_one_lookup() -> None:
    """Each waits as long as it may. Another host is connected to meanwhile."""
    looked_up, answered = list[str](), threading.Event()

    def resolver(host: str, _port: int) -> list[str]:
        looked_up.append(host)
        if host == "silent.example" and not answered.wait(30):
            raise AssertionError("nobody waits so long")
        return ["127.0.0.1"]

    policy = Policy(loopback=True, resolver=resolver)
    with socket.create_server(("127.0.0.1", 0)) as listening, ThreadPoolExecutor(20) as pool:
        port = listening.getsockname()[1]
        waiting = [pool.submit(connect, policy, "silent.example", port, None, lambda: 0.2) for _ in range(20)]
        connect(policy, "quick.example", port, None, lambda: 5.0).close()
        assert all(isinstance(call.exception(), TimeoutError) for call in waiting)
        assert sorted(looked_up) == ["quick.example", "silent.example"]
        answered.set()
        until(lambda: _connects(policy, port))
    assert looked_up.count("silent.example") <= 2


def test_a_name_that_is_refused_is_looked_up_again() -> None:
    """A failure is nobody's but of the calls that waited for it."""
    told = iter((["10.0.0.1"], ["127.0.0.1"]))
    policy = Policy(loopback=True, resolver=lambda _host, _port: next(told))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        with pytest.raises(ForbiddenUrl):
            connect(policy, "a.example", port, None, lambda: 5.0)
        connect(policy, "a.example", port, None, lambda: 5.0).close()


def _connects(policy: Policy, port: int) -> bool:
    try:
        connect(policy, "silent.example", port, None, lambda: 5.0).close()
    except OSError:
        return False
    return True
