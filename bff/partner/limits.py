"""How often what may be asked: by API client, and by the browser's address before anybody is known."""

from __future__ import annotations

import logging
import time
from datetime import timedelta
from hashlib import sha256
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any, Final

from flask import request
from limits import RateLimitItemPerMinute
from limits.errors import StorageError
from limits.storage import MemoryStorage, Storage, storage_from_string
from limits.strategies import FixedWindowRateLimiter
from sqlalchemy import case, delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError

from bff.partner import clock
from bff.partner.database import Database
from bff.partner.errors import ApiError, FlowError
from bff.partner.tables import rate_limit

REDIS_SECONDS: Final = 0.5
PREFIX: Final = "embedded"
UNCOUNTED: Final = "The service cannot count calls at the moment. Try again in a few seconds."
log = logging.getLogger("hitchpost.embedded")


class Limits:
    """Counts calls in windows of a minute. Without its store nothing is minted or redeemed."""

    def __init__(self, storage: Storage) -> None:
        self._counting = FixedWindowRateLimiter(storage)

    def api(self, scope: str, rate: int, who: str) -> None:
        """One more call of an API client. Raises ``ApiError``: 429, or 503 when it cannot be counted."""
        try:
            wait = self._hit(scope, rate, who)
        except StorageError as error:
            _tell(error)
            raise ApiError(503, UNCOUNTED, retry_after=5) from None
        if wait is not None:
            raise ApiError(429, f"At most {rate} of these calls a minute.", retry_after=wait)

    def page(self, scope: str, rate: int, *, needed: bool) -> None:
        """One more visit from this address. Raises ``FlowError``: 429, or 503 if ``needed`` and uncounted."""
        try:
            wait = self._hit(scope, rate, caller_address())
        except StorageError as error:
            _tell(error)
            if needed:
                raise FlowError(503, "failed", retry_after=5) from None
            return
        if wait is not None:
            raise FlowError(429, "too_many", retry_after=wait)

    def _hit(self, scope: str, rate: int, who: str) -> float | None:
        most, key = RateLimitItemPerMinute(rate), (PREFIX, scope, sha256(who.encode()).hexdigest())
        if self._counting.hit(most, *key):
            return None
        return max(1.0, self._counting.get_window_stats(most, *key).reset_time - time.time())


class DatabaseStorage(Storage):
    """A storage of the ``limits`` library: one row for each key, and one statement for each hit."""

    STORAGE_SCHEME = None

    def __init__(self, database: Database) -> None:
        super().__init__(wrap_exceptions=True)
        self._database = database
        self._insert = postgresql.insert if database.dialect == "postgresql" else sqlite.insert

    @property
    def base_exceptions(self) -> type[Exception]:
        """What the database raises."""
        return SQLAlchemyError

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Count ``amount`` more in the window of ``key``, or begin one of ``expiry`` seconds; the count."""
        now, table = clock.now(), rate_limit.c
        over, end = table.ends_at <= now, now + timedelta(seconds=expiry)
        again = {
            "hits": case((over, amount), else_=table.hits + amount),
            "ends_at": case((over, end), else_=table.ends_at),
        }
        hit = self._insert(rate_limit).values(key=key, hits=amount, ends_at=end)
        counted = hit.on_conflict_do_update(index_elements=[table.key], set_=again).returning(table.hits)
        with self._database.writing() as connection:
            return int(connection.execute(counted).scalar_one())

    def get(self, key: str) -> int:
        """The count of the window that ``key`` is in."""
        row = self._window(key)
        return row.hits if row else 0

    def get_expiry(self, key: str) -> float:
        """When that window ends, in seconds since 1970; the present when there is none."""
        row = self._window(key)
        return row.ends_at.timestamp() if row else time.time()

    def check(self) -> bool:
        """Whether the database answers."""
        try:
            self._window("")
        except SQLAlchemyError:
            return False
        return True

    def reset(self) -> int:
        """Forget every count; how many there were."""
        with self._database.writing() as connection:
            return connection.execute(delete(rate_limit)).rowcount

    def clear(self, key: str) -> None:
        """Forget the count of ``key``."""
        with self._database.writing() as connection:
            connection.execute(delete(rate_limit).where(rate_limit.c.key == key))

    def _window(self, key: str) -> Any:
        wanted = select(rate_limit).where(rate_limit.c.key == key, rate_limit.c.ends_at > clock.now())
        with self._database.reading() as connection:
            return connection.execute(wanted).one_or_none()


def storage_for(url: str | None, database: Database, *, workers: int) -> Storage:
    """The storage of ``url``; without one the memory of a lone worker on SQLite, else the database."""
    alone = workers == 1 and database.dialect == "sqlite"
    chosen = url or ("memory://" if alone else "database://")
    if chosen == "memory://":
        return MemoryStorage()
    if chosen == "database://":
        return DatabaseStorage(database)
    from redis.backoff import NoBackoff  # noqa: PLC0415  # an extra: only there where Redis is used
    from redis.retry import Retry  # noqa: PLC0415

    options: dict[str, Any] = {
        "wrap_exceptions": True,
        "socket_connect_timeout": REDIS_SECONDS,
        "socket_timeout": REDIS_SECONDS,
        # Once more at once, for a connection that was closed while idle.
        "retry": Retry(NoBackoff(), 1),
    }
    made = storage_from_string(chosen, **options)
    assert isinstance(made, Storage)  # nosec B101  # for the type checker
    return made


def caller_address() -> str:
    """The address that counts; of IPv6 the network of 64 bits, since one customer has all of it."""
    try:
        found = ip_address(request.remote_addr or "")
    except ValueError:
        return "local"  # a socket of this machine has none
    if not isinstance(found, IPv6Address):
        return str(found)
    return str(found.ipv4_mapped or ip_network((int(found), 64), strict=False).network_address)


def _tell(error: StorageError) -> None:
    log.error("calls cannot be counted: %s", type(error.storage_error).__name__)
