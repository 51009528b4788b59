"""The outcome of an attempt, whatever signals come in whatever order."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from bff.common.secret import fingerprint
from bff.connect.attempt import LIVE, Attempt, Hint, Status
from bff.connect.outcome import SIGN_IN_LIFE
from tests.support.core import Core, build_core
from tests.support.databases import DatabaseUrl

pytestmark = pytest.mark.one_database

ORDERS: Final = 60
ORDERS_ELSEWHERE: Final = 15
"""Which order it is makes no difference to the kind of database; that the statements do the same, does."""


class AnAttempt(RuleBasedStateMachine):
    """What users, browsers, networks and clocks do to one attempt after its launch."""

    def __init__(self, core: Core, *, tells: bool) -> None:
        super().__init__()
        # One database for all runs: each has an attempt of its own in it.
        self.core = core
        self.tells = tells

    @initialize()
    def launch(self) -> None:
        """The user is at the third party."""
        self.core.partner.down = False
        self.core.partner.authenticated = False
        self.core.partner.records.clear()
        self.attempt: Attempt = self.core.launched()
        self.truth: str | None = None
        self.ended: tuple[Status, str | None] | None = None

    @rule(seconds=st.sampled_from([0.1, 0.3, 1.0, 5.0, 60.0, 600.0]))
    def time_passes(self, seconds: float) -> None:
        """Any time may pass between two signals."""
        self.core.clock.tick(seconds)

    @rule(hint=st.sampled_from([None, *Hint]), times=st.integers(1, 3))
    def a_page_looks(self, hint: Hint | None, times: int) -> None:
        """Any signal, any number of times, true or forged."""
        for _ in range(times):
            self._seen(self.core.poller.poll(self.core.read(self.attempt), hint))

    @precondition(lambda self: self.truth is None)
    @rule(result=st.sampled_from(["connected", "declined", "failed"]))
    def the_sign_in_ends(self, result: str) -> None:
        """The one thing that decides."""
        if not self.tells and result != "connected":
            return  # Such a partner service says nothing of it.
        self.truth = result
        self.core.finish(self.attempt, result)

    @precondition(lambda self: self.tells)
    @rule(result=st.sampled_from(["connected", "declined", "failed"]))
    def another_tabs_sign_in_ends(self, result: str) -> None:
        """The same connector, another attempt: none of ours."""
        self.core.partner.finish(fingerprint("another tab"), result)

    @rule()
    def the_partner_fails(self) -> None:
        """An outage begins."""
        self.core.partner.down = True

    @rule()
    def the_partner_recovers(self) -> None:
        """An outage ends."""
        self.core.partner.down = False

    @rule()
    def the_user_cancels(self) -> None:
        """The user gives up."""
        self._seen(self.core.connect.cancel(self.core.read(self.attempt)))

    def _seen(self, attempt: Attempt) -> None:
        if attempt.status in LIVE:
            assert self.ended is None, "an end was taken back"
            return
        now = (attempt.status, attempt.error_code)
        assert self.ended in {None, now}, "a final status changed"
        self.ended = now

    @invariant()
    def only_the_truth_is_told(self) -> None:
        """An end that the partner service decides is told only when the partner service said so."""
        if self.ended and self.ended[0] in {Status.CONNECTED, Status.DECLINED, Status.FAILED}:
            assert self.ended[0].value == self.truth

    def teardown(self) -> None:
        """At last the partner answers and a page looks: now the truth must be out."""
        if not hasattr(self, "attempt"):
            return
        self.core.partner.down = False
        self.core.clock.tick(31)
        assert self.attempt.launched_at is not None
        in_time = self.core.clock() - self.attempt.launched_at < SIGN_IN_LIFE
        found = self.core.poller.poll(self.core.read(self.attempt))
        self._seen(found)
        if self.truth is None:
            assert found.status in LIVE | {Status.CANCELLED, Status.EXPIRED}
        elif self.ended is None:
            pytest.fail("the truth is known and nobody was told")
        elif found.status.value != self.truth:
            assert found.status in {Status.CANCELLED, Status.EXPIRED}
            late = self.tells and self.truth == "connected" and in_time
            assert not late or found.late_success_at is not None, "a late success was not told"


@pytest.mark.parametrize("tells", [True, False], ids=["embedded", "cyclr"])
def test_every_order_of_signals_tells_the_same_truth(
    tmp_path: Path, database_url: DatabaseUrl, tells: bool
) -> None:
    """A final status never changes, also at a partner service that tells nothing but its flag, as Cyclr."""
    url = database_url(tmp_path, "bff")
    core = build_core(url, tells=tells)
    few = settings(
        max_examples=ORDERS if url.startswith("sqlite") else ORDERS_ELSEWHERE,
        stateful_step_count=25,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
    run_state_machine_as_test(lambda: AnAttempt(core, tells=tells), settings=few)
