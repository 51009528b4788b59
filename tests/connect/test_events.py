"""Who is told of an attempt's events."""

from __future__ import annotations

from bff.connect.attempt import Attempt
from bff.connect.events import EventFanOut
from bff.connect.ports import AttemptEvent
from tests.support.watched_core import WatchedCore


class Heard:
    """A subscriber that keeps what it hears; or fails."""

    def __init__(self, *, fails: bool = False) -> None:
        self.events: list[str] = []
        self._fails = fails

    def emit(self, event: str, attempt: Attempt) -> None:
        """One event."""
        self.events.append(f"{event} {attempt.id}")
        if self._fails:
            raise RuntimeError("a subscriber's own fault")


def test_a_subscriber_that_fails_keeps_nothing_from_the_others(core: WatchedCore) -> None:
    """What happened is stored by then: neither the request nor another subscriber pays for it."""
    attempt, faulty, other = core.launched(), Heard(fails=True), Heard()
    EventFanOut(faulty, other).emit(AttemptEvent.SETTLED, attempt)
    assert faulty.events == other.events == [f"settled {attempt.id}"]
