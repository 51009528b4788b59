"""Shares a background run between third parties, so that one that hangs does not delay the others."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from sqlalchemy import Column, ColumnElement, Row, Select, Table, func, select

AT_A_TIME: Final = 4
"""Threads of a run. Third parties that were slow the last time get at most half of them."""
SLOW_SECONDS: Final = 3.0
"""A third party is slow after a call that took longer, and no longer after one that did not."""


def fairly(table: Table, is_due: ColumnElement[bool], due_at: Column[Any], limit: int) -> Select[Any]:
    """Ids and connector ids: the longest due row of each connector, then the second of each, and so on.

    No other column is read, so that one with an unreadable value does not hold up the other rows.
    """
    place = func.row_number().over(partition_by=table.c.connector_id, order_by=due_at).label("place")
    due = select(table.c.id, table.c.connector_id, place, due_at.label("due_at")).where(is_due).subquery()
    return select(due.c.id, due.c.connector_id).order_by(due.c.place, due.c.due_at).limit(limit)


class Turns:
    """Runs work for rows in threads, in turn by their ``connector_id``.

    ``slow``: the connectors whose third party was slow. Updated, and meant to be kept for the next run.
    ``most_of_one``: maximum number of concurrent calls for a connector. No row is begun after ``seconds``,
    nor once ``stop`` returns True.
    """

    def __init__(
        self,
        rows: Iterable[Row[Any]],
        slow: set[int],
        *,
        seconds: float,
        most_of_one: int = AT_A_TIME,
        stop: Callable[[], bool] = lambda: False,
    ) -> None:
        self._waiting: dict[int, deque[Row[Any]]] = {}
        for row in rows:
            self._waiting.setdefault(row.connector_id, deque()).append(row)
        self._slow = slow
        self._deadline = time.monotonic() + seconds
        self._most_of_one = most_of_one
        self._stop = stop
        self._running: Counter[int] = Counter()
        self._begun: Counter[int] = Counter()
        self._lock = threading.Lock()

    def run(self, work: Callable[[Row[Any]], bool]) -> int:
        """Call ``work`` for the rows, as long as one may begin. Returns how many calls returned True."""
        if not self._waiting:
            return 0
        with ThreadPoolExecutor(AT_A_TIME) as pool:
            return sum(pool.map(lambda _: self._run_some(work), range(AT_A_TIME)))

    def _run_some(self, work: Callable[[Row[Any]], bool]) -> int:
        done = 0
        while (row := self._take()) is not None:
            began = time.monotonic()
            try:
                done += work(row)
            finally:
                self._finish(row.connector_id, time.monotonic() - began)
        return done

    def _take(self) -> Row[Any] | None:
        """The next row; None if none may begin now. Whoever finishes one looks again."""
        with self._lock:
            if time.monotonic() >= self._deadline or self._stop():
                return None
            slow_ones = sum(self._running[each] for each in self._slow)
            free = [each for each in self._waiting if self._may_begin(each, slow_ones)]
            if not free:
                return None
            # One thread is for slow third parties, if there are any. The other threads prefer the others.
            chosen = min(
                free,
                key=lambda each: (
                    (each in self._slow) == bool(slow_ones),
                    self._running[each],
                    self._begun[each],
                ),
            )
            row = self._waiting[chosen].popleft()
            if not self._waiting[chosen]:
                del self._waiting[chosen]
            self._running[chosen] += 1
            self._begun[chosen] += 1
            return row

    def _may_begin(self, connector_id: int, slow_ones: int) -> bool:
        if connector_id in self._slow and slow_ones >= AT_A_TIME // 2:
            return False
        return self._running[connector_id] < self._most_of_one

    def _finish(self, connector_id: int, seconds: float) -> None:
        with self._lock:
            self._running[connector_id] -= 1
            (self._slow.add if seconds > SLOW_SECONDS else self._slow.discard)(connector_id)
