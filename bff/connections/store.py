"""Stores connections in the database. A change and its event are one transaction."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    Connection,
    Engine,
    Row,
    and_,
    bindparam,
    exists,
    insert,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.exc import IntegrityError

from bff.connect.attempt import LAUNCHED_LIFE, LIVE
from bff.connections.connection import EXISTING, Change, Running, State, Stored, event_data
from bff.connections.ports import Decide
from bff.connections.sign_in_queries import FRESH, OPEN, RUNNING
from bff.identity.principal import AccountRef
from bff.serving.database import writing
from bff.serving.statements import Read
from bff.storage.outbox import NewEvent, record
from bff.storage.tables import attempts, connections, products, sign_in_urls

SHARED: Final = "~shared"
"""Suffix of a row that holds a claim for all products that share an account, named by the first of them."""
_row, _attempt, _url = connections.c, attempts.c, sign_in_urls.c
_EXISTING: Final = tuple(state.value for state in EXISTING)
_KEY: Final = (_row.product, _row.account_id, _row.account_connector_id)
_NAMES: Final = connections.c.keys()
_OF_ACCOUNT: Final = (
    select(connections)
    .where(_row.product == bindparam("of"), _row.account_id == bindparam("account"))
    .order_by(_row.account_connector_id)
)


class DatabaseConnections:
    """Implements ``ConnectionStore``."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._writer = writing(engine)
        self._of_account = Read(engine, _OF_ACCOUNT)
        self._running = Read(engine, RUNNING)
        self._fresh = Read(engine, FRESH)
        self._open = Read(engine, OPEN)

    def of_account(self, product: str, account_id: str) -> dict[int, Stored]:
        """The stored connections of an account by account connector id, ended ones included."""
        rows = map(_stored, self._of_account.all(of=product, account=account_id))
        return {row.account_connector_id: row for row in rows}

    def existing(self, account: AccountRef) -> list[int]:
        """The account connectors of an account's connections that exist."""
        rows = self.of_account(account.product, account.id)
        return [account_connector_id for account_connector_id, row in rows.items() if row.state in EXISTING]

    def get(self, product: str, account_id: str, account_connector_id: int) -> Stored | None:
        """One stored connection."""
        with self._engine.connect() as connection:
            return _one(connection, product, account_id, account_connector_id)

    def running(self, product: str, account_id: str, now: datetime) -> list[Running]:
        """The launched attempts of an account."""
        return [Running(*row) for row in self._running.all(of=product, account=account_id, now=now)]

    def is_fresh(self, account_connector_id: int, since: datetime) -> bool:
        """Whether a sign-in minted at ``since`` or later found it unconnected, and may have connected it."""
        return bool(self._fresh.all(account_connector_id=account_connector_id, since=since))

    def open_sign_ins(self, account_connector_id: int, since: datetime, at: datetime) -> list[datetime]:
        """When the sign-ins to it were minted that could still succeed after ``at``, from ``since`` on."""
        rows = self._open.all(account_connector_id=account_connector_id, since=since, at=at)
        return [minted_at for (minted_at,) in rows]

    def user_of_url(self, product: str, account_id: str, token_sha256: str) -> str | None:
        """The user for whom the host's server minted a sign-in URL with this token; None if it did not."""
        is_its = and_(
            _url.token_sha256 == token_sha256, _url.product == product, _url.account_id == account_id
        )
        with self._engine.connect() as connection:
            user: str | None = connection.execute(select(_url.user_id).where(is_its)).scalar()
        return user

    def apply(self, change: Change, version: int | None) -> bool:
        """Store the change if the row still has this ``version`` (None: if there is no row)."""
        try:
            with self._writer.begin() as connection:
                return _apply(connection, change, version)
        except IntegrityError:
            return False  # Another process has inserted the row first.

    def decide(
        self, product: str, account_id: str, account_connector_id: int, decide: Decide
    ) -> Stored | None:
        """Lock and read a row, decide on it, and store the change; the row afterwards."""
        with self._writer.begin() as connection:
            return decide_within(connection, product, account_id, account_connector_id, decide)

    def touch(self, product: str, account_id: str, now: datetime, look_at: datetime | None) -> None:
        """Store that an account was checked and its connections exist."""
        of_account = and_(_row.product == product, _row.account_id == account_id, _row.state.in_(_EXISTING))
        with self._writer.begin() as connection:
            connection.execute(update(connections).where(of_account).values(seen_at=now, look_at=look_at))

    def due(self, now: datetime, limit: int) -> list[tuple[str, str]]:
        """Product and account of those that are due for a check, the longest due first."""
        query = select(_row.product, _row.account_id).where(_row.look_at.is_not(None), _row.look_at <= now)
        with self._engine.connect() as connection:
            rows = connection.execute(query.order_by(_row.look_at).limit(limit)).all()
        return list(dict.fromkeys((row.product, row.account_id) for row in rows))

    def schedule(self, now: datetime, limit: int) -> int:
        """Make connections due that exist and have no next check, of products that are there; how many."""
        forgotten = (
            _row.look_at.is_(None),
            _row.state.in_(_EXISTING),
            _row.product.in_(select(products.c.key)),
        )
        some = select(*_KEY).where(*forgotten).limit(limit)
        with self._writer.begin() as connection:
            due = update(connections).where(tuple_(*_KEY).in_(some))
            return connection.execute(due.values(look_at=now)).rowcount

    def claim(self, product: str, account_id: str, now: datetime, until: datetime) -> bool:
        """Claim the check of a due account; of concurrent callers one gets True."""
        due = and_(_row.product == product, _row.account_id == account_id, _row.look_at <= now)
        with self._writer.begin() as connection:
            return connection.execute(update(connections).where(due).values(look_at=until)).rowcount > 0

    def postpone(self, product: str, account_id: str, until: datetime | None) -> None:
        """Move the next check of an account; None for none."""
        due = and_(_row.product == product, _row.account_id == account_id, _row.look_at.is_not(None))
        with self._writer.begin() as connection:
            connection.execute(update(connections).where(due).values(look_at=until))

    def take(self, blank: Stored, until: datetime, attempt: str, sharing: Sequence[str] = ()) -> bool:
        """Claim a connection that has ended or lost its grant for one attempt; False when another has it."""
        mine = {"taken_until": until, "taken_by": attempt}
        others = [product for product in sharing if product != blank.product]
        try:
            with self._writer.begin() as connection:
                _take(connection, blank, mine)
                _require_no_open_url(connection, blank)
                if others:
                    group = min(sharing) + SHARED
                    _take(connection, replace(blank, product=group, removed_at=until), mine)
                    _require_unconnected(connection, others, blank)
        except (IntegrityError, _Taken):
            return False
        return True

    def release(self, account_id: str, claim: str, sharing: Sequence[str]) -> None:
        """End the claim that ``take`` made for ``claim`` in this account, for all ``sharing``."""
        holders = (*sharing, min(sharing) + SHARED)
        is_its = and_(_row.product.in_(holders), _row.account_id == account_id, _row.taken_by == claim)
        free = {"taken_until": None, "taken_by": None, "version": _row.version + 1}
        with self._writer.begin() as connection:
            connection.execute(update(connections).where(is_its).values(free))


class _Taken(Exception):
    """The connection is not free."""


def _take(connection: Connection, blank: Stored, mine: dict[str, Any]) -> None:
    """Claim one row, or insert ``blank`` as claimed. Raises ``IntegrityError`` if the row is not free."""
    has_ended = exists(select(_attempt.id).where(_attempt.id == _row.taken_by, _attempt.status.not_in(LIVE)))
    free = and_(
        *_is(blank.product, blank.account_id, blank.account_connector_id),
        _row.state != State.CONNECTED.value,
        or_(
            _row.taken_until.is_(None),
            _row.taken_until <= blank.changed_at,
            _row.taken_by == mine["taken_by"],
            has_ended,
        ),
    )
    taken = {**mine, "removed_at": blank.removed_at, "version": _row.version + 1}
    if not connection.execute(update(connections).where(free).values(taken)).rowcount:
        connection.execute(insert(connections).values({**_values(blank), **mine}))


def _require_no_open_url(connection: Connection, blank: Stored) -> None:
    """Raise ``_Taken`` while a user may still sign in to it with a URL of the host's server."""
    is_its = and_(*_is(_url.product, _url.account_id, _url.account_connector_id))
    is_open = (
        _url.account_connector_id == blank.account_connector_id,
        _url.minted_at > blank.changed_at - LAUNCHED_LIFE,
        ~exists().where(is_its, _row.connected_at >= _url.minted_at),
    )
    if connection.execute(select(_url.id).where(*is_open).limit(1)).first():
        raise _Taken


def _require_unconnected(connection: Connection, products: Sequence[str], blank: Stored) -> None:
    is_theirs = (
        _row.product.in_(products),
        _row.account_id == blank.account_id,
        _row.account_connector_id == blank.account_connector_id,
        _row.state == State.CONNECTED.value,
    )
    if connection.execute(select(_row.product).where(*is_theirs).limit(1)).first():
        raise _Taken


def decide_within(
    connection: Connection, product: str, account_id: str, account_connector_id: int, decide: Decide
) -> Stored | None:
    """``DatabaseConnections.decide`` inside a transaction that the caller has begun."""
    for _ in range(2):
        row = _one(connection, product, account_id, account_connector_id, locked=True)
        change = decide(row)
        if change is None:
            return row
        # A first row cannot be locked before it exists: another process may insert it in between.
        with contextlib.suppress(IntegrityError), connection.begin_nested():
            if _apply(connection, change, row.version if row else None):
                return change.row
    return row


def _apply(connection: Connection, change: Change, version: int | None) -> bool:
    row = change.row
    if version is None:
        connection.execute(insert(connections).values(_values(row)))
    else:
        seen = and_(*_is(row.product, row.account_id, row.account_connector_id), _row.version == version)
        values = {**_values(row), "version": version + 1}
        if connection.execute(update(connections).where(seen).values(values)).rowcount != 1:
            return False
    if change.event is not None:
        subject = str(row.account_connector_id)
        data = event_data(change)
        record(connection, NewEvent(change.event, row.product, row.account_id, subject, data, row.changed_at))
    return True


def _is(product: Any, account_id: Any, account_connector_id: Any) -> Iterable[Any]:
    return (
        _row.product == product,
        _row.account_id == account_id,
        _row.account_connector_id == account_connector_id,
    )


def _one(
    connection: Connection, product: str, account_id: str, account_connector_id: int, *, locked: bool = False
) -> Stored | None:
    query = select(connections).where(*_is(product, account_id, account_connector_id))
    found = connection.execute(query.with_for_update() if locked else query).one_or_none()
    return _stored(found) if found else None


def _values(row: Stored) -> dict[str, Any]:
    values = asdict(row) | {"state": row.state.value}
    for name in ("scopes", "wanted_scopes"):
        values[name] = list(values[name]) if values[name] is not None else None
    return values


def _stored(row: Row[Any] | tuple[Any, ...]) -> Stored:
    values = dict(zip(_NAMES, row, strict=True))
    values["state"] = State(values["state"])
    for name in ("scopes", "wanted_scopes"):
        values[name] = tuple(values[name]) if values[name] is not None else None
    return Stored(**values)
