"""Events that servers are told of, kept in the transaction of the change that they tell of.

So a change is told if and only if it was stored (the transactional outbox). Whoever delivers them reads them
from here.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, Insert, Pool, bindparam, event, exists, insert, select

from bff.storage.tables import outbox, webhook_endpoints

RECORDED: Final = "hitchpost_recorded"
"""The mark of a connection whose transaction has recorded an event."""

_endpoints: Final = webhook_endpoints.c
_IS_TOLD: Final = exists(
    select(_endpoints.id).where(
        _endpoints.product == bindparam("product", type_=outbox.c.product.type),
        _endpoints.off_at.is_(None),
        _endpoints.removed_at.is_(None),
    )
)
_COLUMNS: Final = ("id", "type", "product", "account_id", "subject", "at")


def _if_told(*columns: str) -> Insert:
    given = (bindparam(name, type_=outbox.c[name].type).label(name) for name in columns)
    return insert(outbox).from_select(list(columns), select(*given).where(_IS_TOLD))


RECORD_IF_TOLD: Final = _if_told(*_COLUMNS)
"""Keeps an event of ``values_of`` where the product has an endpoint that is on; else it writes nothing."""
_WITH_DATA: Final = _if_told(*_COLUMNS, "data")


@dataclass(frozen=True)
class NewEvent:
    """What happened: ``type`` as the contract names it, of which product and account, to which ``subject``.

    ``subject`` is the id of an attempt or of a connection. ``data`` is what is told of it as it is now; None
    where it is read when it is told, as of an attempt, which changes no more once it has ended.
    """

    type: str
    product: str
    account_id: str
    subject: str
    data: Mapping[str, Any] | None
    at: datetime


def record(connection: Connection, event: NewEvent) -> str | None:
    """Keep the event if the transaction of ``connection`` is committed; its id (``evt_...``).

    None, and nothing is written, where the product has no endpoint that is on: an endpoint is told what
    happens from when it is there.
    """
    values = values_of(event)
    if not connection.execute(_WITH_DATA, values | {"data": event.data}).rowcount:
        return None
    connection.info[RECORDED] = True
    return str(values["id"])


def values_of(event: NewEvent) -> dict[str, Any]:
    """The columns of a new event, but for its data."""
    return {
        "id": "evt_" + secrets.token_urlsafe(18),
        "type": event.type,
        "product": event.product,
        "account_id": event.account_id,
        "subject": event.subject,
        "at": event.at,
    }


def listen(engine: Engine, heard: Callable[[], None]) -> None:
    """From now on call ``heard`` in this process after each transaction of it that recorded an event."""
    if engine.pool not in _listeners:
        _listeners[engine.pool] = []
        event.listen(engine, "checkin", lambda _connection, record: _checked_in(engine, record))
    _listeners[engine.pool].append(heard)


def stop_listening(engine: Engine, heard: Callable[[], None]) -> None:
    """Call it no more."""
    if heard in _listeners.get(engine.pool, ()):
        _listeners[engine.pool].remove(heard)


def tell(engine: Engine) -> None:
    """An event has been recorded, and its transaction is over."""
    for heard in tuple(_listeners.get(engine.pool, ())):
        heard()


def _checked_in(engine: Engine, connection_record: Any) -> None:
    # When a connection is given back, its transaction has ended: who looks now sees what it stored.
    if connection_record.info.pop(RECORDED, False):
        tell(engine)


_listeners: Final[WeakKeyDictionary[Pool, list[Callable[[], None]]]] = WeakKeyDictionary()
