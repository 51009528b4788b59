"""Caches the partner service's catalogue in the database, for all workers."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Sequence
from dataclasses import astuple, replace
from datetime import datetime
from typing import Any, Final

import structlog
from sqlalchemy import Engine, insert, select, update
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from bff.serving.database import writing
from bff.storage.tables import catalogue_entries
from bff.upstream.protocol import Connector, KnownConnector
from bff.upstream.sign_in_forms import AuthKind, Choice, FormField, SignInForm

FORMAT: Final = 3
"""Version of the entries: 2 added the sign-in form, 3 the choices of its fields."""
log = structlog.get_logger("hitchpost.partner")


class DatabaseConnectors:
    """Implements ``ConnectorStore``. ``credential`` names the partner service and the client id there."""

    def __init__(self, engine: Engine, credential: str) -> None:
        self._engine = engine
        self._writer = writing(engine)
        # A release that writes another format shares no entries with those that cannot read it.
        self._service = hashlib.sha256(f"{credential}\n{FORMAT}".encode()).hexdigest()

    def get(self, references: Sequence[str]) -> dict[str, KnownConnector]:
        """The cached entries of these references; none while the database is unavailable."""
        table = catalogue_entries.c
        conditions = table.service == self._service, table.reference.in_(references)
        try:
            with self._engine.connect() as connection:
                rows = connection.execute(
                    select(table.reference, table.entry, table.read_at).where(*conditions)
                )
                return {row.reference: KnownConnector(_read(row.entry), row.read_at) for row in rows}
        except SQLAlchemyError as error:
            log.warning("catalogue not shared", error=type(error).__name__)
            return {}

    def doubt(self, at: datetime) -> None:
        """Make entries that were read after ``at`` as old as ``at``."""
        table = catalogue_entries.c
        conditions = table.service == self._service, table.read_at > at
        try:
            with self._writer.begin() as connection:
                connection.execute(update(catalogue_entries).where(*conditions).values(read_at=at))
        except SQLAlchemyError as error:
            log.warning("catalogue not shared", error=type(error).__name__)

    def put(self, reference: str, known: KnownConnector) -> None:
        """Store an entry; the last write wins."""
        table = catalogue_entries.c
        conditions = table.service == self._service, table.reference == reference
        values = {"entry": _written(known.connector), "read_at": known.at}
        try:
            with self._writer.begin() as connection:
                if connection.execute(update(catalogue_entries).where(*conditions).values(values)).rowcount:
                    return
            first = {"service": self._service, "reference": reference, **values}
            # Another worker may have inserted the same entry first.
            with contextlib.suppress(IntegrityError), self._writer.begin() as connection:
                connection.execute(insert(catalogue_entries).values(first))
        except SQLAlchemyError as error:
            log.warning("catalogue not shared", error=type(error).__name__)


def _written(connector: Connector | None) -> str | None:
    if connector is None:
        return None
    return json.dumps(astuple(connector))


def _read(entry: str | None) -> Connector | None:
    if entry is None:
        return None
    connector_id, name, others, installable, (auth, fields) = json.loads(entry)
    form = SignInForm(AuthKind(auth), tuple(_field(*one) for one in fields))
    return Connector(connector_id, name, tuple(others), installable, form)


def _field(*written: Any) -> FormField:
    *rest, choices = written
    return replace(FormField(*rest), choices=tuple(Choice(*one) for one in choices))
