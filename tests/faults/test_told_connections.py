"""What is held against the host's server being told of connections finds each kind of fault."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.faults.lives import ASKED_TO_END, ENDED, LOST, SEEN_LOST
from tests.faults.told_connections import JOINED, STATE_TOLD, Story, faults_of

BEGAN = datetime(2030, 1, 1, tzinfo=UTC)
DEEDS = {LOST: 1, SEEN_LOST: 1, ASKED_TO_END: 1, ENDED: 1}
LIFE = ("connected", "needs_reconnect", "reconnected", "disconnected")


@dataclass
class Known:
    """A connection as the BFF has it."""

    state: str
    sequence: int


@dataclass
class Installed:
    """The same as the partner service has it."""

    authenticated: bool
    grant_reason: str | None = None


def story(*names: str) -> Story:
    """A connection of which just this was told, each event once, and all of it true."""
    last = STATE_TOLD[names[-1]]
    return Story(
        Known(last, len(names)),
        Installed(last == "connected", "revoked" if last == "needs_reconnect" else None),
        [BEGAN + timedelta(minutes=number) for number, name in enumerate(names, 1) if name in JOINED],
        [event(number, name) for number, name in enumerate(names, 1)],
    )


def event(number: int, name: str) -> dict[str, Any]:
    """One event: the connection changed so, in minute ``number``."""
    at = (BEGAN + timedelta(minutes=number)).isoformat()
    data = {"id": "7", "sequence": number, "state": STATE_TOLD[name], "connected_at": at}
    if name == "disconnected":
        data["disconnected_by"] = "server"
    return {"id": f"evt_{number}", "type": f"connection.{name}", "data": data}


def test_what_is_true_passes_in_any_order_and_told_twice() -> None:
    """Receivers hear events late, again, and the later one first."""
    found = story(*LIFE)
    found.events = [*reversed(found.events), found.events[0]]
    assert list(faults_of(found, DEEDS)) == []


def lose(found: Story, number: int) -> None:
    """An event never came."""
    found.events = [each for each in found.events if each["data"]["sequence"] != number]


def invent(found: Story) -> None:
    """There was one more end than anybody asked for."""
    found.events.append(event(5, "disconnected"))


def contradict(found: Story) -> None:
    """The same change came with two ids."""
    found.events.append({**found.events[0], "id": "evt_other"})


def confuse(found: Story) -> None:
    """What is told of it is not what it is."""
    found.installed.authenticated = True


def move(found: Story) -> None:
    """It tells of a sign-in that there was not."""
    found.events[2]["data"]["connected_at"] = BEGAN.isoformat()


def name_nobody(found: Story) -> None:
    """Nobody knows who ended it."""
    found.events[3]["data"]["disconnected_by"] = None


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda found: lose(found, 2), "change 2 was never told"),
        (lambda found: lose(found, 4), "change 4 was never told"),
        (invent, "change 5 was invented"),
        (contradict, "a change was told in two ways"),
        (confuse, "it is known as disconnected, and is connected"),
        (move, "and no sign-in was then"),
        (name_nobody, "it was told as ended by None"),
        (lambda found: found.sign_ins.pop(), "2 sign-ins were told, and there were"),
        (lambda found: found.events.reverse() or found.events[0].update(type="connection.connected"), "told"),
    ],
)
def test_each_kind_of_fault_is_found(spoil: Any, said: str) -> None:
    """One thing is wrong, and is said."""
    found = story(*LIFE)
    spoil(found)
    assert any(said in fault for fault in faults_of(found, DEEDS))


@pytest.mark.parametrize(
    ("deeds", "said"),
    [
        ({**DEEDS, ENDED: 2, ASKED_TO_END: 2}, "disconnected was told 1 times, and not 2 to 2"),
        ({**DEEDS, LOST: 0, SEEN_LOST: 0}, "needs_reconnect was told 1 times, and not 0 to 0"),
    ],
)
def test_what_clients_did_is_told_and_nothing_else(deeds: dict[str, int], said: str) -> None:
    """Each end that was confirmed, each loss that was seen; no end that nobody asked for."""
    assert said in list(faults_of(story(*LIFE), deeds))


def test_a_last_sign_in_that_was_not_told_is_missed() -> None:
    """It stands since later than anybody heard."""
    found = story("connected")
    found.sign_ins.append(BEGAN + timedelta(hours=1))
    assert any("was not told" in fault for fault in faults_of(found, {}))
