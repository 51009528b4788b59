"""What the partner service's catalogue said, in the database: for all workers, and for those that come."""

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
"""Of the entries: 2 has the form with which a connector is connected, 3 the choices of its fields."""
log = structlog.get_logger("hitchpost.partner")


class DatabaseConnectors:
    """Implements ``ConnectorStore``. ``credential`` names the partner service and the client id there."""

    def __init__(self, engine: Engine, credential: str) -> None:
        self._engine = engine
        self._writer = writing(engine)
        # A release of ours that writes entries otherwise shares none with those that cannot read them.
        self._service = hashlib.sha256(f"{credential}\n{FORMAT}".encode()).hexdigest()

    def get(self, references: Sequence[str]) -> dict[str, KnownConnector]:
        """What is known of these; nothing while the database is away."""
        table = catalogue_entries.c
        ours = table.service == self._service, table.reference.in_(references)
        try:
            with self._engine.connect() as connection:
                rows = connection.execute(select(table.reference, table.entry, table.read_at).where(*ours))
                return {row.reference: KnownConnector(_read(row.entry), row.read_at) for row in rows}
        except SQLAlchemyError as error:
            log.warning("catalogue not shared", error=type(error).__name__)
            return {}

    def doubt(self, at: datetime) -> None:
        """All that was heard later counts as heard then."""
        table = catalogue_entries.c
        ours = table.service == self._service, table.read_at > at
        try:
            with self._writer.begin() as connection:
                connection.execute(update(catalogue_entries).where(*ours).values(read_at=at))
        except SQLAlchemyError as error:
            log.warning("catalogue not shared", error=type(error).__name__)

    def put(self, reference: str, known: KnownConnector) -> None:
        """The last one to tell is believed."""
        table = catalogue_entries.c
        ours = table.service == self._service, table.reference == reference
        values = {"entry": _written(known.connector), "read_at": known.at}
        try:
            with self._writer.begin() as connection:
                if connection.execute(update(catalogue_entries).where(*ours).values(values)).rowcount:
                    return
            first = {"service": self._service, "reference": reference, **values}
            # Another worker may have been quicker: then it knows the same.
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
    number, name, others, installable, (auth, fields) = json.loads(entry)
    form = SignInForm(AuthKind(auth), tuple(_field(*one) for one in fields))
    return Connector(number, name, tuple(others), installable, form)


def _field(*written: Any) -> FormField:
    *rest, choices = written
    return replace(FormField(*rest), choices=tuple(Choice(*one) for one in choices))
