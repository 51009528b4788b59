"""What happened to an attempt, step by step, as rows: its story, and how often its form was sent."""

from __future__ import annotations

import contextlib
from datetime import datetime

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import IntegrityError

from bff.connect.timeline import FORM_SENT, Step
from bff.storage.tables import attempt_steps, attempts


def note(connection: Connection, attempt_id: str, step: str, at: datetime, *, again: bool = True) -> None:
    """Count a step of an attempt. ``again`` False: told once more, it is no news."""
    table = attempt_steps.c
    known = (table.attempt_id == attempt_id) & (table.step == step)
    if again:
        more = update(attempt_steps).where(known).values(last_at=at, count=table.count + 1)
        there = connection.execute(more).rowcount > 0
    else:
        there = connection.execute(select(attempt_steps.c.step).where(known)).first() is not None
    if there:
        return
    values = {"attempt_id": attempt_id, "step": step, "first_at": at, "last_at": at, "count": 1}
    with contextlib.suppress(IntegrityError), connection.begin_nested():
        # Two workers may note the first of its kind at once: one row tells enough.
        connection.execute(insert(attempt_steps).values(values))


def forms_sent(connection: Connection, attempt_id: str) -> int:
    """How often the form of an attempt was sent."""
    table = attempt_steps.c
    wanted = select(table.count).where(table.attempt_id == attempt_id, table.step == FORM_SENT)
    return connection.execute(wanted).scalar_one_or_none() or 0


def send_form(connection: Connection, attempt_id: str, turn: int, now: datetime) -> bool:
    """Compare-and-set: it was sent ``turn`` times, and is once more. False when it was sent since."""
    table = attempt_steps.c
    ours = (table.attempt_id == attempt_id) & (table.step == FORM_SENT) & (table.count == turn)
    if turn:
        more = update(attempt_steps).where(ours).values(last_at=now, count=turn + 1)
        return connection.execute(more).rowcount == 1
    first = {"attempt_id": attempt_id, "step": FORM_SENT, "first_at": now, "last_at": now, "count": 1}
    try:
        with connection.begin_nested():
            connection.execute(insert(attempt_steps).values(first))
    except IntegrityError:
        return False
    return True


def was_filled_in(connection: Connection, account_connector_id: int) -> bool:
    """Whether a user has sent a form for this account connector, in any attempt that is still kept."""
    sent = attempt_steps.join(attempts, attempts.c.id == attempt_steps.c.attempt_id)
    ours = (attempts.c.account_connector_id == account_connector_id) & (attempt_steps.c.step == FORM_SENT)
    return connection.execute(select(attempts.c.id).select_from(sent).where(ours)).first() is not None


def told(connection: Connection, attempt_id: str) -> list[Step]:
    """What was noted, in no order; and how often the partner service was asked, and when last."""
    noted = connection.execute(select(attempt_steps).where(attempt_steps.c.attempt_id == attempt_id)).all()
    counts = select(attempts.c.checked_at, attempts.c.checks).where(attempts.c.id == attempt_id)
    asked = connection.execute(counts).one_or_none()
    found = [Step(row.step, row.first_at, row.last_at, row[4]) for row in noted]
    if asked and asked.checked_at:
        found.append(Step("checked", asked.checked_at, asked.checked_at, asked.checks))
    return found
