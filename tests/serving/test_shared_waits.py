"""However many wait for the same, one of them looks whether it is over."""

from __future__ import annotations

import itertools
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from bff.serving.shared_waits import SharedWaits
from tests.support.waiting import wait_for

MANY = 30


def test_one_of_many_looks() -> None:
    """And all go on when it is over."""
    waits, looks = SharedWaits(), itertools.count(1)
    all_wait, looked = threading.Barrier(MANY), []

    def is_over() -> bool:
        looked.append(next(looks))
        return len(looked) == 3

    def wait() -> None:
        all_wait.wait(30)
        waits.wait("it", is_over, 30)

    with ThreadPoolExecutor(MANY) as pool:
        for each in [pool.submit(wait) for _ in range(MANY)]:
            each.result(30)
    # One that came as it ended may have looked once more.
    assert len(looked) <= 4


def test_different_things_have_their_own_waits() -> None:
    """One that is over ends nobody else's."""
    waits, over = SharedWaits(), threading.Event()
    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(waits.wait, "other", over.is_set, 30)
        waits.wait("it", lambda: True, 30)
        assert not other.done()
        over.set()
        other.result(30)


def test_whoever_ends_it_wakes_all_at_once() -> None:
    """Without another look."""
    waits, looked = SharedWaits(), threading.Event()

    def is_over() -> bool:
        looked.set()
        return False

    with ThreadPoolExecutor(MANY) as pool:
        waiting = [pool.submit(waits.wait, "it", is_over, 30) for _ in range(MANY)]
        assert looked.wait(30)

        def all_woken() -> bool:
            waits.end("it")
            return all(each.done() for each in waiting)

        wait_for(all_woken, 10)


def test_it_ends_with_its_time() -> None:
    """Whatever is waited for."""
    SharedWaits().wait("it", lambda: False, 0.01)


def test_an_error_is_of_who_looks_and_the_others_go_on() -> None:
    """Nobody waits for one that has failed."""
    waits = SharedWaits()

    def is_over() -> bool:
        raise OSError("the database is away")

    for _ in range(2):
        with pytest.raises(OSError, match="away"):
            waits.wait("it", is_over, 30)
