"""The transactional outbox: events for webhooks, stored in the transaction of the change that they describe.

So an event exists if and only if its change was committed. ``bff.webhooks`` reads and delivers them.
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
"""Key in ``Connection.info``, set when its transaction has recorded an event."""

_endpoints: Final = webhook_endpoints.c
_HAS_ENDPOINT: Final = exists(
    select(_endpoints.id).where(
        _endpoints.product == bindparam("product", type_=outbox.c.product.type),
        _endpoints.off_at.is_(None),
        _endpoints.removed_at.is_(None),
    )
)
_COLUMNS: Final = ("id", "type", "product", "account_id", "subject", "at")


def _insert_if_subscribed(*columns: str) -> Insert:
    given = (bindparam(name, type_=outbox.c[name].type).label(name) for name in columns)
    return insert(outbox).from_select(list(columns), select(*given).where(_HAS_ENDPOINT))


RECORD_IF_SUBSCRIBED: Final = _insert_if_subscribed(*_COLUMNS)
"""Inserts the event of ``values_of``, if its product has an endpoint that is on."""
_RECORD_WITH_DATA: Final = _insert_if_subscribed(*_COLUMNS, "data")


@dataclass(frozen=True)
class NewEvent:
    """An event to record. ``type`` is one of the event types in docs/webhooks.md.

    ``subject`` is the id of an attempt or of a connection. ``data`` is a snapshot of the subject. It is None
    for an attempt, which is read at delivery: it does not change after it has ended.
    """

    type: str
    product: str
    account_id: str
    subject: str
    data: Mapping[str, Any] | None
    at: datetime


def record(connection: Connection, event: NewEvent) -> str | None:
    """Insert the event in the transaction of ``connection``. Returns its id (``evt_...``).

    Returns None and writes nothing if the product has no endpoint that is on. An endpoint never gets events
    from before it was registered.
    """
    values = values_of(event)
    if not connection.execute(_RECORD_WITH_DATA, values | {"data": event.data}).rowcount:
        return None
    connection.info[RECORDED] = True
    return str(values["id"])


def values_of(event: NewEvent) -> dict[str, Any]:
    """The columns of a new event without ``data``, with a new id."""
    return {
        "id": "evt_" + secrets.token_urlsafe(18),
        "type": event.type,
        "product": event.product,
        "account_id": event.account_id,
        "subject": event.subject,
        "at": event.at,
    }


def listen(engine: Engine, callback: Callable[[], None]) -> None:
    """Call ``callback`` after each transaction of this process that recorded an event."""
    if engine.pool not in _listeners:
        _listeners[engine.pool] = []
        event.listen(engine, "checkin", lambda _connection, record: _checked_in(engine, record))
    _listeners[engine.pool].append(callback)


def stop_listening(engine: Engine, callback: Callable[[], None]) -> None:
    """Undo ``listen``."""
    if callback in _listeners.get(engine.pool, ()):
        _listeners[engine.pool].remove(callback)


def notify(engine: Engine) -> None:
    """Call the listeners. The transaction that recorded the event must have ended."""
    for callback in tuple(_listeners.get(engine.pool, ())):
        callback()


def _checked_in(engine: Engine, connection_record: Any) -> None:
    # A connection goes back to the pool after its transaction, so the listeners can read what it committed.
    if connection_record.info.pop(RECORDED, False):
        notify(engine)


_listeners: Final[WeakKeyDictionary[Pool, list[Callable[[], None]]]] = WeakKeyDictionary()
