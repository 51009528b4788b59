"""Work that is begun ahead is begun once, is taken once, and is soon forgotten."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bff.connect import prefetch as module
from bff.connect.prefetch import FRESH_FOR, Prefetcher
from tests.support.later import Later
from tests.support.model_partner import Clock, at_once


@pytest.fixture
def clock() -> Clock:
    """It stands still."""
    return Clock()


@pytest.fixture
def later() -> Later:
    """Nothing is done before the test says so."""
    return Later()


@pytest.fixture
def prefetcher(later: Later, clock: Clock) -> Prefetcher[str]:
    """Nothing was begun yet."""
    return Prefetcher(later, clock)


def test_what_was_begun_is_taken_once(prefetcher: Prefetcher[str], later: Later) -> None:
    """By its key; nobody gets it a second time, and what was never begun is not there."""
    prefetcher.begin("a", lambda: "token")
    later.run()
    assert prefetcher.take("b") is None
    found = prefetcher.take("a")
    assert found is not None
    assert found.result() == "token"
    assert prefetcher.take("a") is None


def test_for_each_key_it_is_begun_once(prefetcher: Prefetcher[str], later: Later, clock: Clock) -> None:
    """Neither while it is kept, nor after it was taken, dropped or forgotten."""
    done: list[str] = []
    for key in ("taken", "dropped", "forgotten"):
        for _ in range(2):
            prefetcher.begin(key, lambda key=key: done.append(key) or key)
    later.run()
    prefetcher.take("taken")
    prefetcher.drop("dropped")
    clock.now += FRESH_FOR
    for key in ("taken", "dropped", "forgotten"):
        prefetcher.begin(key, lambda key=key: done.append(key) or key)
        assert prefetcher.take(key) is None
    later.run()
    assert done == ["taken", "dropped", "forgotten"]


def test_it_is_good_for_ten_seconds_from_its_beginning(
    prefetcher: Prefetcher[str], later: Later, clock: Clock
) -> None:
    """To the second: what it tells of an account must be news."""
    assert timedelta(seconds=10) == FRESH_FOR
    for key in ("good", "late"):
        prefetcher.begin(key, lambda: "token")
    later.run()
    clock.tick(9.9)
    assert prefetcher.take("good") is not None
    clock.tick(0.1)
    assert prefetcher.take("late") is None


def test_what_is_under_way_is_waited_for(prefetcher: Prefetcher[str], later: Later) -> None:
    """Whoever takes it has it as soon as it is done, or its failure."""
    prefetcher.begin("a", lambda: "token")
    prefetcher.begin("b", lambda: str(1 // 0))
    finish_a, finish_b = later.start(), later.start()
    one, other = prefetcher.take("a"), prefetcher.take("b")
    assert one is not None
    assert other is not None
    assert not one.done()
    finish_a()
    finish_b()
    assert one.result() == "token"
    assert isinstance(other.exception(), ZeroDivisionError)


@pytest.mark.parametrize("how", ["taken", "dropped", "forgotten"])
def test_what_still_queues_never_starts(
    prefetcher: Prefetcher[str], later: Later, clock: Clock, how: str
) -> None:
    """Whoever would take it is sooner done alone; and nobody asks for what nobody will take."""
    done: list[str] = []
    prefetcher.begin("a", lambda: done.append("a") or "a")
    if how == "taken":
        assert prefetcher.take("a") is None
    elif how == "dropped":
        prefetcher.drop("a")
    else:
        clock.now += FRESH_FOR
        prefetcher.begin("b", lambda: "b")
    later.run()
    assert done == []


def test_only_so_much_is_kept(
    prefetcher: Prefetcher[str], later: Later, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then nothing is begun; what was not begun may be later, when there is room again."""
    monkeypatch.setattr(module, "MOST_HELD", 3)
    for key in "abcdx":
        prefetcher.begin(key, lambda key=key: key)
    assert len(later.queue) == 3
    later.run()
    assert prefetcher.take("x") is None
    assert prefetcher.take("a") is not None
    prefetcher.begin("d", lambda: "d")
    assert len(later.queue) == 1
    clock.now += FRESH_FOR
    for key in "efg":
        prefetcher.begin(key, lambda key=key: key)
    assert len(later.queue) == 4
    assert set(prefetcher._kept) == set("efg")


def test_only_so_many_keys_are_remembered(
    prefetcher: Prefetcher[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The newest."""
    monkeypatch.setattr(module, "MOST_KEYS", 3)
    for key in "abcde":
        prefetcher.begin(key, lambda: "x")
        prefetcher.take(key)
    assert list(prefetcher._begun) == ["c", "d", "e"]


def test_many_threads_at_once_begin_once_and_one_takes(clock: Clock) -> None:
    """However many press, and launch, at the same instant."""
    done: list[str] = []
    with ThreadPoolExecutor(8) as own, ThreadPoolExecutor(32) as callers:
        prefetcher: Prefetcher[str] = Prefetcher(own.submit, clock)
        for number in range(50):
            key = f"key-{number}"
            work = lambda key=key: done.append(key) or key  # noqa: E731
            list(callers.map(lambda _: prefetcher.begin(key, work), range(32)))  # noqa: B023
            taken = list(callers.map(lambda _: prefetcher.take(key), range(32)))  # noqa: B023
            assert sum(one is not None for one in taken) <= 1
    assert max(Counter(done).values(), default=0) <= 1


KEYS = st.sampled_from("abcd")
STEPS = st.one_of(
    st.tuples(st.just("begin"), KEYS),
    st.tuples(st.just("take"), KEYS),
    st.tuples(st.just("drop"), KEYS),
    st.tuples(st.just("tick"), st.sampled_from([1.0, 5.0, 9.9, 10.0])),
)


@given(st.lists(STEPS, max_size=40))
def test_in_whatever_order_things_come(steps: list[tuple[str, str | float]]) -> None:
    """What is taken was begun less than ten seconds ago, once, and not asked for or dropped before."""
    clock = Clock()
    prefetcher: Prefetcher[datetime] = Prefetcher(at_once, clock)
    there: dict[str, datetime] = {}
    ever: set[str] = set()
    for step, what in steps:
        if step == "tick":
            clock.tick(float(what))
            continue
        key = str(what)
        if step == "begin":
            prefetcher.begin(key, clock)
            if key not in ever:
                there[key] = clock()
                ever.add(key)
            continue
        begun = there.pop(key, None)
        ever.add(key)
        found = prefetcher.take(key) if step == "take" else prefetcher.drop(key)
        if step == "take":
            good = begun is not None and clock() - begun < FRESH_FOR
            assert (found is not None) == good
            assert found is None or found.result() == begun
