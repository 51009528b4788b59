"""Events that servers are told of, kept in the transaction of the change that they tell of.

So a change is told if and only if it was stored (the transactional outbox). Whoever delivers them reads them
from here.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert

from bff.storage.tables import outbox


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


def record(connection: Connection, event: NewEvent) -> str:
    """Keep the event if the transaction of ``connection`` is committed; its id (``evt_...``)."""
    event_id = "evt_" + secrets.token_urlsafe(18)
    values = {
        "id": event_id,
        "type": event.type,
        "product": event.product,
        "account_id": event.account_id,
        "subject": event.subject,
        "data": event.data,
        "at": event.at,
    }
    connection.execute(insert(outbox).values(values))
    return event_id
