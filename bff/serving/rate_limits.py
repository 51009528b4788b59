"""Counts calls for rate limits, in the memory of one worker, the database, or Redis."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from importlib import import_module
from typing import Any, Final

from limits import RateLimitItemPerMinute
from limits.storage import Storage, storage_from_string
from limits.strategies import FixedWindowRateLimiter
from sqlalchemy import Engine, Integer, Table, bindparam, case, delete, or_, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.sql.dml import UpdateBase

from bff.serving.database import writing
from bff.serving.statements import Change
from bff.serving.store_clock import TOLERATED

MEMORY: Final = "memory://"
WORKER: Final = "worker://"
DATABASE: Final = "database://"
SWEEP_SECONDS: Final = 60.0
REDIS_SECONDS: Final = 0.5
"""Timeout of a connection to Redis, and of its answers."""


class Counts:
    """Counts calls in fixed windows of a minute, which begin with their first call.

    ``prefix`` tells the program from others that count in the same storage. ``storage`` and ``options``: what
    ``storage_for`` returns. ``limiter`` is the library's own, for other windows.
    """

    def __init__(self, prefix: str, storage: str, options: Mapping[str, Any]) -> None:
        store = storage_from_string(storage, **{**options, "wrap_exceptions": True})
        assert isinstance(store, Storage)  # noqa: S101  # for the type checker
        self.limiter = FixedWindowRateLimiter(store)
        self._prefix = prefix

    def hit(self, rate: int, scope: str, who: str) -> float | None:
        """Count a call of ``who``. Above ``rate`` calls a minute: the seconds to wait, at least 1; else None.

        Raises ``limits.errors.StorageError``.
        """
        # A digest, as ids are arbitrary text: keys stay short and unambiguous, and the storage gets no ids.
        limit, key = RateLimitItemPerMinute(rate), (self._prefix, scope, sha256(who.encode()).hexdigest())
        if self.limiter.hit(limit, *key):
            return None
        return max(1.0, self.limiter.get_window_stats(limit, *key).reset_time - time.time())


class WorkerStorage(Storage):
    """A storage of the ``limits`` library in the memory of one process.

    Ended windows are removed once a minute. The library's own memory storage starts a thread for that at
    about every second hit.
    """

    STORAGE_SCHEME = ["worker"]  # noqa: RUF012  # the library's own form

    def __init__(self, uri: str | None = None, wrap_exceptions: bool = True, **_: Any) -> None:
        super().__init__(uri, wrap_exceptions=wrap_exceptions)
        self._lock = threading.Lock()
        self._windows: dict[str, tuple[int, float]] = {}
        self._sweep_at = 0.0

    @property
    def base_exceptions(self) -> tuple[type[Exception], ...]:
        """None: memory raises no errors."""
        return ()

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Count ``amount`` more in the window of ``key``, or begin one of ``expiry`` seconds; the count."""
        now = time.time()
        with self._lock:
            if now >= self._sweep_at:
                self._windows = {name: held for name, held in self._windows.items() if held[1] > now}
                self._sweep_at = now + SWEEP_SECONDS
            hits, ends_at = self._windows.get(key, (0, 0.0))
            if ends_at <= now:
                hits, ends_at = 0, now + expiry
            self._windows[key] = hits + amount, ends_at
            return hits + amount

    def get(self, key: str) -> int:
        """The count of the window that ``key`` is in."""
        hits, ends_at = self._windows.get(key, (0, 0.0))
        return hits if ends_at > time.time() else 0

    def get_expiry(self, key: str) -> float:
        """When that window ends, in seconds since 1970; the present when there is none."""
        return max(self._windows.get(key, (0, 0.0))[1], time.time())

    def check(self) -> bool:
        """Always true: memory is always available."""
        return True

    def reset(self) -> int:
        """Forget every count; how many there were."""
        with self._lock:
            count = len(self._windows)
            self._windows = {}
        return count

    def clear(self, key: str) -> None:
        """Forget the count of ``key``."""
        with self._lock:
            self._windows.pop(key, None)


class DatabaseStorage(Storage):
    """A storage of the ``limits`` library in the database: one row for each key, one statement for each hit.

    Windows are fixed and begin with their first hit. Raises ``limits.errors.StorageError`` if the database is
    unavailable.
    """

    STORAGE_SCHEME = ["database"]  # noqa: RUF012  # the library's own form

    def __init__(
        self,
        uri: str | None = None,
        wrap_exceptions: bool = True,
        *,
        engine: Engine,
        table: Table,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        **_: Any,
    ) -> None:
        super().__init__(uri, wrap_exceptions=wrap_exceptions)
        self._engine = engine
        self._writer = writing(engine)
        self._table = table
        self._clock = clock
        self._hit = Change(engine, _hit(engine, table))

    @property
    def base_exceptions(self) -> type[Exception]:
        """The errors of the database."""
        return SQLAlchemyError

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Count ``amount`` more in the window of ``key``, or begin one of ``expiry`` seconds; the count."""
        now = self._clock()
        ends_at = now + timedelta(seconds=expiry)
        values = {"key": key, "amount": amount, "now": now, "ends_at": ends_at}
        row = self._hit.make({**values, "latest": ends_at + TOLERATED})
        assert row is not None  # noqa: S101  # for the type checker: the upsert always returns a row
        return int(row[0])

    def get(self, key: str) -> int:
        """The count of the window that ``key`` is in."""
        found = self._window(key)
        return found[0] if found else 0

    def get_expiry(self, key: str) -> float:
        """When that window ends, in seconds since 1970; the present when there is none.

        By this machine's clock, as the library's other storages tell it.
        """
        found = self._window(key)
        left = (found[1] - self._clock()).total_seconds() if found else 0.0
        return time.time() + left

    def check(self) -> bool:
        """Whether the database answers."""
        try:
            self._window("")
        except SQLAlchemyError:
            return False
        return True

    def reset(self) -> int:
        """Forget every count; how many there were."""
        with self._writer.begin() as connection:
            return connection.execute(delete(self._table)).rowcount

    def clear(self, key: str) -> None:
        """Forget the count of ``key``."""
        with self._writer.begin() as connection:
            connection.execute(delete(self._table).where(self._table.c.key == key))

    def _window(self, key: str) -> tuple[int, datetime] | None:
        table = self._table.c
        wanted = select(table.hits, table.ends_at)
        with self._engine.connect() as connection:
            row = connection.execute(
                wanted.where(table.key == key, table.ends_at > self._clock())
            ).one_or_none()
        return (row.hits, row.ends_at) if row else None


def _hit(engine: Engine, counts: Table) -> UpdateBase:
    """An upsert that counts a hit or begins a window, and returns the count.

    Parameters: ``key``, ``amount``, ``now``, ``ends_at``, ``latest``. A window that ends after ``latest`` was
    begun by a wrong clock, and counts as ended.
    """
    table, amount = counts.c, bindparam("amount", type_=Integer)
    now, ends_at, latest = (
        bindparam(name, type_=table.ends_at.type) for name in ("now", "ends_at", "latest")
    )
    over = or_(table.ends_at <= now, table.ends_at > latest)
    # Both dialects have an insert with the same ON CONFLICT. Only the one in use is imported, to save 2 MB.
    insert = import_module(f"sqlalchemy.dialects.{engine.dialect.name}").insert
    first = insert(counts).values(key=bindparam("key"), hits=amount, ends_at=ends_at)
    counted: UpdateBase = first.on_conflict_do_update(
        index_elements=[table.key],
        set_={
            "hits": case((over, amount), else_=table.hits + amount),
            "ends_at": case((over, ends_at), else_=table.ends_at),
        },
    ).returning(table.hits)
    return counted


def storage_for(
    url: str | None,
    engine: Engine,
    table: Table,
    *,
    workers: int,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> tuple[str, dict[str, Any]]:
    """The URL and options of the storage for the ``limits`` library.

    Without ``url``: memory for one worker on SQLite, else the database, as PostgreSQL may be shared with
    other processes. ``table`` has the columns ``key``, ``hits`` and ``ends_at`` (UTC). ``clock`` must be the
    same for all processes that share the table.
    """
    alone = workers == 1 and engine.dialect.name == "sqlite"
    chosen = url or (MEMORY if alone else DATABASE)
    if chosen == MEMORY:
        return WORKER, {}
    if chosen == DATABASE:
        return chosen, {"engine": engine, "table": table, "clock": clock}
    return chosen, _redis_options()


def _redis_options() -> dict[str, Any]:
    from redis.backoff import NoBackoff  # noqa: PLC0415  # an extra, installed only if Redis is used
    from redis.retry import Retry  # noqa: PLC0415

    # One retry without delay, for connections that were closed while idle. By default the client retries for
    # seconds, and each request would wait for it.
    return {
        "socket_connect_timeout": REDIS_SECONDS,
        "socket_timeout": REDIS_SECONDS,
        "retry": Retry(NoBackoff(), 1),
    }


def limits_faults(setting: str, url: str) -> list[str]:
    """Check that the storage can be used now; return a line for a fault."""
    if url in {MEMORY, DATABASE}:
        return []
    try:
        answers = storage_from_string(url, **_redis_options()).check()
    except Exception as error:  # noqa: BLE001  # the client raises various errors for a faulty URL
        return [f"{setting}: cannot be used ({type(error).__name__}); write redis://HOST:PORT"]
    if answers:
        return []
    return [f"{setting}: Redis does not answer; launches are refused until it does"]
