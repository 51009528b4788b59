"""What the host's server was told of connections, held against what clients did and what stands."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Engine, select

from bff.partner.storage import tables as partner
from bff.storage.tables import connections
from tests.faults.lives import ASKED_TO_END, ENDED, LOST, SEEN_LOST

JOINED: Final = frozenset({"connected", "reconnected"})
STATE_TOLD: Final = {
    "connected": "connected",
    "reconnected": "connected",
    "needs_reconnect": "needs_reconnect",
    "disconnected": "disconnected",
}
FOLLOWS: Final = {
    "disconnected": {"connected"},
    "connected": {"reconnected", "needs_reconnect", "disconnected"},
    "needs_reconnect": {"reconnected", "disconnected"},
}
"""What may be told next of a connection, by the state that was told last. At first it is disconnected."""
AT_ONCE: Final = timedelta(seconds=2)
"""The partner service notes when a sign-in ended and when the connection stood one after the other."""


@dataclass
class Story:
    """One connection: how it stands in both programs, its sign-ins, and what was told of it."""

    row: Any = None
    installed: Any = None
    sign_ins: list[datetime] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)

    def in_order(self) -> list[dict[str, Any]]:
        """Each event once, in the order that the events themselves tell."""
        by_sequence = {event["data"]["sequence"]: event for event in self.events}
        return [by_sequence[number] for number in sorted(by_sequence)]


def violations_of(
    bff: Engine, service: Engine, events: Iterable[dict[str, Any]], deeds: Counter[tuple[str, str]]
) -> Iterator[str]:
    """Every difference. ``events`` are those of connections, each as often as it came."""
    stories = _stories(bff, service, events)
    told: Counter[str] = Counter()
    for key, story in sorted(stories.items()):
        types = [_type(event) for event in story.in_order()]
        told.update(types)
        for fault in faults_of(story, {what: deeds[what, key] for what, _ in deeds}):
            yield f"connection {key}: {fault}; it was told {types}"
    repeated = sum(len(story.events) for story in stories.values()) - told.total()
    print(f"connections {len(stories)}, changes told {dict(told)}, {repeated} of them again")


def _stories(bff: Engine, service: Engine, events: Iterable[dict[str, Any]]) -> dict[str, Story]:
    stories: dict[str, Story] = defaultdict(Story)
    for event in events:
        stories[event["data"]["id"]].events.append(event)
    with bff.connect() as connection:
        for row in connection.execute(select(connections)):
            stories[str(row.number)].row = row
    with service.connect() as connection:
        for row in connection.execute(select(partner.account_connector)):
            stories[str(row.id)].installed = row
        wanted = select(partner.sign_in).where(partner.sign_in.c.result == "connected")
        for row in connection.execute(wanted.order_by(partner.sign_in.c.at)):
            stories[str(row.account_connector_id)].sign_ins.append(row.at)
    return stories


def faults_of(story: Story, deeds: dict[str, int]) -> Iterator[str]:
    """Every difference of one connection; ``deeds`` counts what clients did with it."""
    types = [_type(event) for event in story.in_order()]
    row, wanted = story.row, story.row.sequence if story.row else 0
    numbers = [event["data"]["sequence"] for event in story.in_order()]
    yield from (f"change {each} was never told" for each in range(1, wanted + 1) if each not in numbers)
    yield from (f"change {each} was invented" for each in numbers if each > wanted)
    if len({json.dumps(event, sort_keys=True) for event in story.events}) != len(numbers):
        yield "a change was told in two ways"
    yield from _order_faults(story, types)
    yield from _state_faults(story, row.state if row else "disconnected")
    times, joined = Counter(types), sum(each in JOINED for each in types)
    if joined > len(story.sign_ins):
        yield f"{joined} sign-ins were told, and there were {len(story.sign_ins)}"
    for what, least, most in (("disconnected", ENDED, ASKED_TO_END), ("needs_reconnect", SEEN_LOST, LOST)):
        low, high = deeds.get(least, 0), deeds.get(most, 0)
        if not low <= times[what] <= high:
            yield f"{what} was told {times[what]} times, and not {low} to {high}"


def _order_faults(story: Story, types: list[str]) -> Iterator[str]:
    state = "disconnected"
    for event in story.in_order():
        kind, data = _type(event), event["data"]
        if kind not in FOLLOWS[state]:
            yield f"{kind} was told while it was {state}"
        state = STATE_TOLD[kind]
        if data["state"] != state:
            yield f"{kind} told the state {data['state']}"
        if kind in JOINED and not _is_of_a_sign_in(data, story.sign_ins):
            yield f"{kind} is of {data['connected_at']}, and no sign-in was then"
        if kind == "disconnected" and not str(data["disconnected_by"]).startswith(("server", "user:")):
            yield f"it was told as ended by {data['disconnected_by']}"
    if types and story.row is not None and story.row.state != state:
        yield f"it is {story.row.state}, and was told last as {state}"


def _state_faults(story: Story, known: str) -> Iterator[str]:
    installed, stands = story.installed, "disconnected"
    if installed is not None and installed.authenticated:
        stands = "connected"
    elif installed is not None and installed.grant_reason:
        stands = "needs_reconnect"
    if stands != known:
        yield f"it is known as {known}, and is {stands}"
    if story.sign_ins and stands == "connected":
        last = [event["data"]["connected_at"] for event in story.in_order() if _type(event) in JOINED]
        if not last or abs(datetime.fromisoformat(last[-1]) - _utc(story.sign_ins[-1])) > AT_ONCE:
            yield f"its last sign-in, at {story.sign_ins[-1]}, was not told"


def _is_of_a_sign_in(data: dict[str, Any], sign_ins: list[datetime]) -> bool:
    at = datetime.fromisoformat(data["connected_at"])
    return any(abs(at - _utc(each)) < AT_ONCE for each in sign_ins)


def _utc(at: datetime) -> datetime:
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _type(event: dict[str, Any]) -> str:
    return str(event["type"]).removeprefix("connection.")
