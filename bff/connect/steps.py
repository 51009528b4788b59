"""Counts the steps of attempts in the database: their timeline, and how often their form was submitted."""

from __future__ import annotations

import contextlib
from datetime import datetime

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import IntegrityError

from bff.connect.timeline import FORM_SENT, POLLED, Step
from bff.storage.tables import attempt_steps, attempts


def count_step(connection: Connection, attempt_id: str, step: str, at: datetime) -> None:
    """Count a step of an attempt."""
    columns = attempt_steps.c
    known = (columns.attempt_id == attempt_id) & (columns.step == step)
    increment = update(attempt_steps).where(known).values(last_at=at, count=columns.count + 1)
    if connection.execute(increment).rowcount == 0:
        _insert(connection, attempt_id, step, at)


def note_once(connection: Connection, attempt_id: str, step: str, at: datetime) -> None:
    """Store a step of an attempt; only the first call counts."""
    known = (attempt_steps.c.attempt_id == attempt_id) & (attempt_steps.c.step == step)
    if connection.execute(select(attempt_steps.c.step).where(known)).first() is None:
        _insert(connection, attempt_id, step, at)


def _insert(connection: Connection, attempt_id: str, step: str, at: datetime) -> None:
    values = {"attempt_id": attempt_id, "step": step, "first_at": at, "last_at": at, "count": 1}
    with contextlib.suppress(IntegrityError), connection.begin_nested():
        # Another worker has inserted the first one at the same time. One row is enough for the timeline.
        connection.execute(insert(attempt_steps).values(values))


def form_submissions(connection: Connection, attempt_id: str) -> int:
    """How often the form of an attempt was submitted."""
    columns = attempt_steps.c
    query = select(columns.count).where(columns.attempt_id == attempt_id, columns.step == FORM_SENT)
    return connection.execute(query).scalar_one_or_none() or 0


def count_submission(connection: Connection, attempt_id: str, submitted_before: int, now: datetime) -> bool:
    """Compare-and-set: count one more submission; False unless there were ``submitted_before``."""
    columns = attempt_steps.c
    sent_before = (
        (columns.attempt_id == attempt_id) & (columns.step == FORM_SENT) & (columns.count == submitted_before)
    )
    if submitted_before:
        increment = update(attempt_steps).where(sent_before).values(last_at=now, count=submitted_before + 1)
        return connection.execute(increment).rowcount == 1
    first = {"attempt_id": attempt_id, "step": FORM_SENT, "first_at": now, "last_at": now, "count": 1}
    try:
        with connection.begin_nested():
            connection.execute(insert(attempt_steps).values(first))
    except IntegrityError:
        return False
    return True


def read(connection: Connection, attempt_id: str) -> list[Step]:
    """The counted steps, unordered. The polls are one of them: how often, and when first and last."""
    noted = connection.execute(select(attempt_steps).where(attempt_steps.c.attempt_id == attempt_id)).all()
    query = select(attempts.c.polled_at, attempts.c.polls).where(attempts.c.id == attempt_id)
    polled_at, polls = connection.execute(query).one_or_none() or (None, 0)
    # By position, as ``row.count`` is a method of tuples.
    found = {row.step: Step(row.step, row.first_at, row.last_at, row[4]) for row in noted}
    if polled_at:
        # The polls' count and last time are those of the attempt itself.
        # Only the first poll is noted as a step, and not even that if its process died.
        first_at = found[POLLED].at if POLLED in found else polled_at
        found[POLLED] = Step(POLLED, first_at, polled_at, polls)
    return list(found.values())
