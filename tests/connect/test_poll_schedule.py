"""How often the partner service is asked, however many pages wait and whatever signals they send."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bff.connect.attempt import Hint
from tests.support.core import Core, build_core
from tests.support.databases import DatabaseUrl

pytestmark = pytest.mark.one_database

CONSENT_SECONDS = 120
MOST_CHECKS = 30
SIGNALS = [None, *(hint for hint in Hint if hint is not Hint.CANCEL)]
"""What a read may say. A cancel is a call of its own, which looks once and ends the attempt."""
LOOK = st.tuples(st.floats(0, CONSENT_SECONDS), st.sampled_from(SIGNALS))


@pytest.fixture(scope="module")
def core(tmp_path_factory: pytest.TempPathFactory, database_url: DatabaseUrl) -> Core:
    """One database for all examples."""
    return build_core(database_url(tmp_path_factory.mktemp("pace"), "bff"))


@pytest.mark.parametrize("pages", [1, 7])
def test_a_consent_of_two_minutes_costs_at_most_thirty_checks(core: Core, pages: int) -> None:
    """Pages that poll as the widget does: at most thirty checks, and no long time without one."""
    attempt, before, start = core.launched(), core.partner.checks, core.clock()
    looks = []
    for page in range(pages):
        at, delay = page * 0.7, 1.0
        while at < CONSENT_SECONDS:
            looks.append(at)
            at, delay = at + delay, min(delay * 1.5, 5.0)
    answered = [0.0]
    for at in sorted(looks):
        core.clock.now = start
        core.clock.tick(at)
        asked = core.partner.checks
        core.poller.poll(core.read(attempt))
        if core.partner.checks > asked:
            answered.append(at)
    assert core.partner.checks - before <= MOST_CHECKS
    assert max(later - sooner for sooner, later in itertools.pairwise(answered)) <= 5.7


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(LOOK, max_size=300))
def test_no_storm_of_signals_costs_more(core: Core, looks: list[tuple[float, Hint | None]]) -> None:
    """Whatever signals arrive whenever: at most thirty checks in two minutes."""
    attempt, before, start = core.launched(), core.partner.checks, core.clock()
    for at, hint in sorted(looks, key=lambda look: look[0]):
        core.clock.now = start
        core.clock.tick(at)
        core.poller.poll(core.read(attempt), hint)
    assert core.partner.checks - before <= MOST_CHECKS


def test_news_that_trails_its_signal_is_found_at_once(core: Core) -> None:
    """The window closed a moment before the partner service knew: the look after that finds it."""
    attempt = core.launched()
    core.clock.tick(60)
    core.poller.poll(core.read(attempt), Hint.CLOSED)
    core.finish(attempt, "connected")
    core.clock.tick(0.3)
    assert core.poller.poll(core.read(attempt)).status == "connected"


def test_a_cancel_always_looks_first(core: Core) -> None:
    """The user cancels right after a look that found nothing: what has happened since still counts."""
    attempt = core.launched()
    core.clock.tick(60)
    core.poller.poll(core.read(attempt), Hint.FOCUS)
    core.finish(attempt, "connected")
    assert core.connect.cancel(core.read(attempt)).status == "connected"
