"""What the host's server was told, held against what happened: each ending once or more, none invented."""

from __future__ import annotations

import json
import math
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, func, select, update

from bff.serving.database import writing
from bff.storage.tables import attempts, outbox, webhook_deliveries, webhook_endpoints
from tests.faults.flows import FINAL

PATIENCE = 120.0
LOOKS = 0.5


def events_in(heard: Path) -> list[dict[str, Any]]:
    """What the host's server wrote down, each event as often as it came."""
    return [json.loads(line) for line in heard.read_text(encoding="utf-8").splitlines()]


def violations_of(engine: Engine, events: list[dict[str, Any]]) -> Iterator[str]:
    """Every difference, once all that waits has had its time (``deliver_all``)."""
    with engine.connect() as connection:
        rows = connection.execute(select(attempts).where(attempts.c.product == "demo"))
        stored = {row.id: row for row in rows}
    if forged := [event for event in events if "forged" in event]:
        yield f"{len(forged)} events were not genuine: {forged[0]}"
    by_kind: dict[str, dict[str, list[dict[str, Any]]]] = defaultdict(lambda: defaultdict(list))
    for event in events:
        if str(event.get("type")).startswith("attempt."):
            by_kind[event["type"]][event["data"]["id"]].append(event)
    ended = {key: row for key, row in stored.items() if row.status in FINAL}
    yield from _held_against("attempt.settled", by_kind, {key: row.status for key, row in ended.items()})
    late = {key: row.status for key, row in ended.items() if row.late_success_at is not None}
    yield from _held_against("attempt.late_success", by_kind, late)
    print(f"events {len(events)} of {len(ended)} endings, {Counter(event.get('type') for event in events)}")


def _held_against(
    kind: str, by_kind: dict[str, dict[str, list[dict[str, Any]]]], wanted: dict[str, str]
) -> Iterator[str]:
    told = by_kind[kind]
    yield from (f"{kind}: {key} was never told" for key in sorted(wanted.keys() - told.keys()))
    yield from (f"{kind}: {key} was invented" for key in sorted(told.keys() - wanted.keys()))
    for key in told.keys() & wanted.keys():
        if len({json.dumps(event, sort_keys=True) for event in told[key]}) > 1:
            yield f"{kind}: {key} was told in two ways"
        if (said := told[key][0]["data"]["status"]) != wanted[key]:
            yield f"{kind}: {key} is {wanted[key]}, and was told as {said}"


def deliver_all(engine: Engine, happen: Callable[[], object]) -> None:
    """Let the rests and leases of what waits be over, until nothing waits, or it gets no less.

    ``happen`` makes a new event, which wakes who delivers: by themselves they look once in ten seconds.
    """
    ends, least = time.monotonic() + PATIENCE, math.inf
    while time.monotonic() < ends:
        now = datetime.now(UTC)
        with writing(engine).begin() as connection:
            unqueued = connection.execute(select(outbox.c.id).where(outbox.c.queued_at.is_(None))).first()
            pending = webhook_deliveries.c.status == "pending"
            waiting = connection.execute(select(func.count()).where(pending)).scalar_one()
            connection.execute(update(webhook_deliveries).where(pending).values(next_at=now))
            due = {"due_at": now, "leased_until": None, "failures": 0, "lane": 0}
            connection.execute(update(webhook_endpoints).values(due))
        if unqueued is None and not waiting:
            return
        if waiting < least:
            # The receiver fails on purpose, so that the last of a thousand events take minutes.
            ends, least = time.monotonic() + PATIENCE, waiting
        happen()
        time.sleep(LOOKS)  # house-allow: sleep: what was woken tries each of what waits
