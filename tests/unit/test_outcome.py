"""What follows for an attempt from what the partner service says, and when nobody may ask it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bff.core import outcome
from bff.core.model import Attempt, Delivery, Hint, OfferedConnector, Status, User
from bff.core.pace import AFTERGLOW, LEASE, START, turn
from bff.core.ports import AccountConnector, AccountRef, SignInRecord

NOW = datetime(2030, 1, 1, 12, tzinfo=UTC)
OURS, OTHERS = "a" * 64, "b" * 64

ATTEMPT = Attempt(
    id="att_1",
    support_code="ABCD-2345",
    status=Status.LAUNCHED,
    product="demo",
    account=AccountRef("acme", "Acme"),
    user=User("ada"),
    connector=OfferedConnector("crm", "CRM", "crm"),
    message="done",
    callback_message="done",
    delivery=Delivery.MESSAGE,
    locale="en",
    origin="https://app.example",
    return_url=None,
    launch_token_sha256="c" * 64,
    created_at=NOW,
    launched_at=NOW,
    expires_at=NOW + timedelta(minutes=15),
    sign_in_token_sha256=OURS,
    account_connector_id=7,
    authenticated_before=False,
)


def told(*records: SignInRecord, authenticated: bool = False) -> AccountConnector:
    """What a partner service that tells of sign-ins says."""
    return AccountConnector(7, "CRM", 1, "CRM", authenticated, tuple(records))


def flag(*, authenticated: bool) -> AccountConnector:
    """What a partner service says that tells nothing but its flag."""
    return AccountConnector(7, "CRM", 1, "CRM", authenticated, None)


def record(token: str, result: str, error: str | None = None) -> SignInRecord:
    """What became of one sign-in token."""
    return SignInRecord(token, result, error, NOW, "ada@crm")


class TestByRecord:
    """Where the partner service tells what became of each token, only this attempt's token counts."""

    @pytest.mark.parametrize("status", [Status.DECLINED, Status.FAILED])
    def test_a_sign_in_that_ended_badly(self, status: Status) -> None:
        """The error is of the same name as the status."""
        assert outcome.decide(ATTEMPT, told(record(OURS, status.value, "what it said")), NOW) == {
            "status": status,
            "settled_at": NOW,
            "external_account": "ada@crm",
            "error_code": status.value,
        }

    def test_a_sign_in_that_ended_well(self) -> None:
        """There is no error, whatever the record says of one."""
        assert outcome.decide(ATTEMPT, told(record(OURS, "connected", "account_mismatch")), NOW) == {
            "status": Status.CONNECTED,
            "settled_at": NOW,
            "external_account": "ada@crm",
        }

    def test_a_sign_in_to_another_account(self) -> None:
        """It failed, and the page can offer the choice."""
        changes = outcome.decide(ATTEMPT, told(record(OURS, "failed", "account_mismatch")), NOW)
        assert changes is not None
        assert changes["error_code"] == "account_mismatch"

    @pytest.mark.parametrize("records", [(), (record(OTHERS, "connected"),), (record(OURS, "started"),)])
    def test_anything_else_decides_nothing(self, records: tuple[SignInRecord, ...]) -> None:
        """Another attempt's success, the flag, or a sign-in that has only begun."""
        assert outcome.decide(ATTEMPT, told(*records, authenticated=True), NOW) is None

    def test_a_result_of_another_version_decides_nothing(self) -> None:
        """A word that is not known here is no end."""
        assert outcome.decide(ATTEMPT, told(record(OURS, "postponed")), NOW) is None

    def test_ours_is_found_among_others(self) -> None:
        """Whatever came before it."""
        changes = outcome.decide(ATTEMPT, told(record(OTHERS, "connected"), record(OURS, "declined")), NOW)
        assert changes is not None
        assert changes["status"] is Status.DECLINED


class TestByFlag:
    """Where it tells only whether the connector is authenticated, that must be news."""

    def test_an_authentication_that_was_not_there_before_is_ours(self) -> None:
        """It was not authenticated at the launch, and is now."""
        assert outcome.decide(ATTEMPT, flag(authenticated=True), NOW) == {
            "status": Status.CONNECTED,
            "settled_at": NOW,
        }

    def test_one_that_was_there_before_proves_nothing(self) -> None:
        """Until the flow has come back to this attempt's own page."""
        before = replace(ATTEMPT, authenticated_before=True)
        assert outcome.decide(before, flag(authenticated=True), NOW) is None
        came = replace(before, returned_at=NOW)
        assert outcome.decide(came, flag(authenticated=True), NOW) == {
            "status": Status.CONNECTED,
            "settled_at": NOW,
        }

    def test_a_return_without_an_authentication_proves_nothing(self) -> None:
        """The user may have declined."""
        came = replace(ATTEMPT, returned_at=NOW)
        assert outcome.decide(came, flag(authenticated=False), NOW) is None
        assert outcome.decide(ATTEMPT, flag(authenticated=False), NOW) is None

    def test_a_connector_that_is_gone_proves_nothing(self) -> None:
        """Somebody removed it."""
        assert outcome.decide(ATTEMPT, None, NOW) is None


class TestBegun:
    """When the browser arrived is told for this attempt's own token only."""

    def test_ours_that_has_begun(self) -> None:
        """At the time of the record."""
        assert outcome.begun_at(ATTEMPT, told(record(OTHERS, "started"), record(OURS, "started"))) == NOW

    @pytest.mark.parametrize(
        "seen",
        [None, flag(authenticated=True), told(record(OTHERS, "started")), told(record(OURS, "failed"))],
    )
    def test_nothing_of_ours(self, seen: AccountConnector | None) -> None:
        """Gone, untold, another's, or over: its time is that of another step."""
        assert outcome.begun_at(ATTEMPT, seen) is None


def test_an_attempt_ends_at_its_very_time() -> None:
    """Not a microsecond sooner."""
    end = ATTEMPT.expires_at
    assert outcome.expire(ATTEMPT, end - timedelta(microseconds=1)) is None
    assert outcome.expire(ATTEMPT, end) == {
        "status": Status.EXPIRED,
        "settled_at": end,
        "error_code": "expired",
    }


CERTAIN = (Hint.MESSAGE, Hint.RETURNED, Hint.TROUBLE, Hint.CANCEL)


class TestTurn:
    """How soon, and how often, one attempt may be asked about."""

    @pytest.mark.parametrize(
        ("age", "earned"), [(0, 16), (8, 16), (9, 17), (61, 23), (120, 29), (124, 29), (125, 30), (600, 125)]
    )
    def test_questions_are_earned_with_time(self, age: float, earned: int) -> None:
        """16 at once, 30 in two minutes, one each five seconds after; the last for certain news."""
        now = NOW + timedelta(seconds=age)
        assert turn(ATTEMPT, Hint.MESSAGE, now).most == earned
        assert turn(ATTEMPT, None, now).most == earned - 1
        assert turn(ATTEMPT, Hint.FOCUS, now).most == earned - 1

    @pytest.mark.parametrize("hint", CERTAIN)
    def test_certain_news_is_asked_at_once(self, hint: Hint) -> None:
        """However short a time ago somebody asked."""
        now = NOW + timedelta(seconds=30)
        assert turn(ATTEMPT, hint, now).not_since == now

    @pytest.mark.parametrize("hint", sorted(set(Hint) - set(CERTAIN)))
    def test_other_signals_wait_a_quarter_of_a_second(self, hint: Hint) -> None:
        """They may come in bursts."""
        now = NOW + timedelta(seconds=30)
        assert turn(ATTEMPT, hint, now).not_since == now - timedelta(milliseconds=250)

    @pytest.mark.parametrize(("age", "spacing"), [(0, 1), (1, 1), (4, 2), (9, 4.5), (9.5, 4.75), (60, 4.75)])
    def test_looks_without_a_signal_get_rarer(self, age: float, spacing: float) -> None:
        """Half the attempt's age, from one second to less than the widget's slowest poll."""
        now = NOW + timedelta(seconds=age)
        assert turn(ATTEMPT, None, now).not_since == now - timedelta(seconds=spacing)

    def test_the_looks_after_a_signal_are_as_quick(self) -> None:
        """The news may trail its signal, for fifteen seconds."""
        now = NOW + timedelta(seconds=60)
        quick, slow = now - timedelta(milliseconds=250), now - timedelta(seconds=4.75)
        just = replace(ATTEMPT, hinted_at=now - AFTERGLOW + timedelta(microseconds=1))
        assert turn(just, None, now).not_since == quick
        assert turn(replace(ATTEMPT, hinted_at=now - AFTERGLOW), None, now).not_since == slow

    def test_an_attempt_that_was_not_launched_is_new(self) -> None:
        """Its age is counted from now."""
        fresh = replace(ATTEMPT, launched_at=None)
        now = NOW + timedelta(hours=1)
        assert turn(fresh, None, now).most == START - 1
        assert turn(fresh, None, now).not_since == now - timedelta(seconds=1)

    def test_a_question_whose_process_died_blocks_no_longer_than_its_lease(self) -> None:
        """Half a minute."""
        assert turn(ATTEMPT, None, NOW).lease_until == NOW + LEASE
        assert timedelta(seconds=30) == LEASE
