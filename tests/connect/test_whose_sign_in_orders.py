"""Two sign-ins to one account connector, in every order of what may happen to them: who is named for it."""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import permutations, product
from typing import Any, Final

import pytest

from bff.connect import outcome
from bff.connect.attempt import Attempt, Hint, Status
from bff.connect.outcome import SIGN_IN_LIFE, OtherSignIn
from bff.identity.principal import User
from bff.upstream.protocol import AccountConnector
from tests.connect.test_outcome import ATTEMPT, NOW

ENDS: Final = ("allow", "lost", "bare", "access_denied", "page")
"""Allow, and back; Allow, and closed before it came back; Deny, and back without or with an error, or not."""
ORDERS: Final = sorted(
    {
        order
        for order in permutations(("launch 0", "end 0", "launch 1", "end 1", "disconnect"))
        if order.index("launch 0") < order.index("end 0") and order.index("launch 1") < order.index("end 1")
    }
)


@dataclass
class SignIn:
    """One of the two: how it ends, and what is known of it."""

    user: str
    end: str
    attempt: Attempt | None = None
    allowed_at: datetime | None = None

    def told_to(self, other: SignIn) -> list[OtherSignIn]:
        """What is known of it beside the other one, once it was launched."""
        if self.attempt is None or self.attempt.minted_at is None:
            return []
        own = self.attempt
        over = own.settled_at if own.attributed else own.returned_at
        refused, before = own.return_error is not None, bool(own.authenticated_before)
        return [OtherSignIn(self.user == other.user, self.attempt.minted_at, over, refused, before)]


def changed(attempt: Attempt, **values: Any) -> Attempt:
    """As ``dataclasses.replace``, which takes five times as long for so many fields."""
    made = copy(attempt)
    vars(made).update(values)
    return made


class Story:
    """What happens in one order, ``gap`` seconds apart, and what the pages are told meanwhile."""

    def __init__(self, ends: tuple[str, ...], users: tuple[str, str], gap: float, *, connected: bool) -> None:
        self.both = [SignIn(user, end) for user, end in zip(users, ends, strict=True)]
        self.now, self.gap, self.connected = NOW, timedelta(seconds=gap), connected

    def happen(self, event: str) -> None:
        """The next event."""
        self.now += self.gap
        what, _, number = event.partition(" ")
        if what == "disconnect":
            self.connected = False
        elif what == "launch":
            one = self.both[int(number)]
            one.attempt = changed(
                ATTEMPT, user=User(one.user), minted_at=self.now, launched_at=self.now,
                expires_at=self.now + timedelta(minutes=15), authenticated_before=self.connected,
            )  # fmt: skip
        else:
            self._end(self.both[int(number)])

    def look(self, hint: Hint | None) -> None:
        """Both pages look; what they are told has to be true."""
        for one, other in (self.both, self.both[::-1]):
            if one.attempt is None or one.attempt.settled_at is not None:
                continue
            seen = AccountConnector(7, "CRM", 1, "CRM", self.connected, None)
            others = other.told_to(one)
            changes = outcome.decide(one.attempt, seen, self.now, hint=hint, others=others)
            if changes is not None:
                assert not changes.get("attributed") or self._has_allowed(one), "named without cause"
                one.attempt = changed(one.attempt, **changes)
            if outcome.succeeded_late(one.attempt, seen, others) is not None:
                assert one.allowed_at is not None, "a late success that was another's"

    def _end(self, one: SignIn) -> None:
        assert one.attempt is not None
        assert one.attempt.minted_at is not None
        if self.now - one.attempt.minted_at >= SIGN_IN_LIFE:
            return
        if one.end in {"allow", "lost"}:
            one.allowed_at, self.connected = self.now, True
        if one.end not in {"lost", "page"} and one.attempt.settled_at is None:
            error = one.end if one.end == "access_denied" else None
            one.attempt = changed(one.attempt, returned_at=self.now, return_error=error)

    def _has_allowed(self, one: SignIn) -> bool:
        assert one.attempt is not None
        assert one.attempt.minted_at is not None
        since = one.attempt.minted_at
        return any(
            other.user == one.user and other.allowed_at is not None and other.allowed_at >= since
            for other in self.both
        )


def stories(users: tuple[str, str]) -> Iterator[tuple[Story, tuple[str, ...]]]:
    """Every one."""
    for ends, gap, connected, order in product(
        product(ENDS, ENDS), (0.1, 40, 400, 1300), (False, True), ORDERS
    ):
        yield Story(ends, users, gap, connected=connected), order


@pytest.mark.parametrize("hint", [None, Hint.MESSAGE])
@pytest.mark.parametrize("often", [True, False], ids=["all along", "at the end"])
@pytest.mark.parametrize("users", [("ada", "bob"), ("ada", "ada")], ids=["two users", "one user"])
def test_in_every_order_nobody_is_named_who_did_not_do_it(
    users: tuple[str, str], often: bool, hint: Hint | None
) -> None:
    """Whoever looks when, with or without a signal."""
    for story, order in stories(users):
        for event in order:
            story.happen(event)
            if often:
                story.look(hint)
        story.look(hint)


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("connected", [True, False])
def test_one_alone_is_told_what_it_did(end: str, connected: bool) -> None:
    """Where nobody else signs in: named for an Allow that is news, and for nothing else."""
    story = Story((end, "page"), ("ada", "bob"), 5, connected=connected)
    for event in ("launch 0", "end 0"):
        story.happen(event)
    story.look(Hint.MESSAGE)
    told = story.both[0].attempt
    assert told is not None
    named = end in {"allow", "lost"} and not connected
    assert told.attributed is (True if named else None)
    declined = Status.DECLINED if end == "access_denied" else Status.LAUNCHED
    assert told.status is (Status.CONNECTED if named else declined)
