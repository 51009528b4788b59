"""What follows for an attempt from what the partner service says, and when nobody may ask it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bff.connect import outcome
from bff.connect.attempt import Attempt, Delivery, Hint, Status
from bff.connect.outcome import OtherSignIn
from bff.connect.poll_schedule import BURST, HINT_EFFECT, POLL_LEASE, poll_permit
from bff.content.product import OfferedConnector
from bff.identity.principal import AccountRef, User
from bff.partner.providers import refusals
from bff.upstream.protocol import AccountConnector, Grant, SignInRecord

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
            "external_account": "ada@crm",
            "error_code": status.value,
        }

    def test_a_sign_in_that_ended_well(self) -> None:
        """There is no error, whatever the record says of one."""
        assert outcome.decide(ATTEMPT, told(record(OURS, "connected", "account_mismatch")), NOW) == {
            "status": Status.CONNECTED,
            "external_account": "ada@crm",
            "attributed": True,
        }

    def test_a_sign_in_to_another_account(self) -> None:
        """It failed, and the page can offer the choice."""
        changes = outcome.decide(ATTEMPT, told(record(OURS, "failed", "account_mismatch")), NOW)
        assert changes is not None
        assert changes["error_code"] == "account_mismatch"

    def test_both_accounts_of_a_mismatch(self) -> None:
        """The one that signed in, and the one that is connected: of that one the newest word counts."""
        before = replace(record(OTHERS, "connected"), external_account="grace@crm")
        older = replace(before, token_sha256="older", external_account="long-ago@crm")
        mismatch = record(OURS, "failed", "account_mismatch")
        changes = outcome.decide(ATTEMPT, told(mismatch, before, older), NOW)
        assert changes is not None
        assert (changes["external_account"], changes["connected_account"]) == ("ada@crm", "grace@crm")

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


BEFORE = replace(ATTEMPT, minted_at=NOW, authenticated_before=True)
FRESH = replace(ATTEMPT, minted_at=NOW)
LATER = NOW + timedelta(minutes=1)


def connected(*, attributed: bool) -> dict[str, object]:
    """The end of an attempt whose connector is connected now."""
    return {"status": Status.CONNECTED, "attributed": attributed}


def other(minted: float, *, user: str = "another", **more: Any) -> OtherSignIn:
    """A sign-in that was minted so many seconds after the attempt's own (before it, if negative)."""
    if "over" in more:
        more["over_at"] = NOW + timedelta(seconds=more.pop("over"))
    return OtherSignIn(user == "ada", NOW + timedelta(seconds=minted), **more)


class TestByFlag:
    """Where it tells only whether the connector is authenticated, that must be news, and this user's own."""

    def test_an_authentication_that_was_not_there_before_is_ours(self) -> None:
        """It was not authenticated at the launch, and is now, and nobody else may have done it."""
        assert outcome.decide(FRESH, flag(authenticated=True), LATER) == connected(attributed=True)

    @pytest.mark.parametrize(
        "others",
        [
            [other(-1)],
            [other(40)],
            [other(-3600)],
            [other(-3629)],
            [other(-3000, over=-29)],
            [other(20, authenticated_before=True)],
            [other(-900, authenticated_before=True)],
            [other(-9000), other(1, user="ada"), other(1)],
        ],
    )
    @pytest.mark.parametrize("hint", sorted(set(Hint) - {Hint.FOCUS}))
    def test_nobody_is_named_where_another_user_may_have_done_it(
        self, others: list[OtherSignIn], hint: Hint
    ) -> None:
        """Begun before or after, given up or not; the page is told once its own flow seems over."""
        seen = flag(authenticated=True)
        assert outcome.decide(FRESH, seen, LATER, hint=hint, others=others) == connected(attributed=False)
        came = replace(FRESH, returned_at=NOW)
        assert outcome.decide(came, seen, LATER, others=others) == connected(attributed=False)
        for waiting in (None, Hint.FOCUS):
            assert outcome.decide(FRESH, seen, LATER, hint=waiting, others=others) is None
        closed = replace(FRESH, seemed_over_at=NOW)
        assert outcome.decide(closed, seen, LATER, others=others) == connected(attributed=False)
        slow = replace(FRESH, expires_at=LATER)
        assert outcome.decide(slow, seen, LATER, others=others) == connected(attributed=False)

    @pytest.mark.parametrize(
        "others",
        [
            [other(-1, user="ada"), other(5, user="ada")],
            [other(-3631)],
            [other(-3000, over=-31)],
            [other(-60, refused=True, over=10)],
            [other(31, authenticated_before=True)],
        ],
    )
    def test_others_who_cannot_have_done_it_take_nothing_away(self, others: list[OtherSignIn]) -> None:
        """Their own; an hour old; over, or refused; begun when it was connected already."""
        changes = outcome.decide(FRESH, flag(authenticated=True), LATER, others=others)
        assert changes == connected(attributed=True)

    @pytest.mark.parametrize("hint", [None, *Hint])
    def test_one_that_was_there_before_proves_nothing(self, hint: Hint | None) -> None:
        """Nor does coming back: who denied may be sent back too, without a word of it."""
        seen = flag(authenticated=True)
        assert outcome.decide(BEFORE, seen, LATER, hint=hint) is None
        assert outcome.decide(replace(BEFORE, returned_at=NOW), seen, LATER, hint=hint) is None

    def test_a_user_who_says_that_it_is_finished_is_not_named_for_it(self) -> None:
        """The connector is connected, and that is all that is known."""
        said = replace(BEFORE, returned_at=NOW, confirmed_at=NOW)
        assert outcome.decide(said, flag(authenticated=True), LATER) == connected(attributed=False)
        assert outcome.decide(said, flag(authenticated=False), LATER) is None

    @pytest.mark.parametrize(
        ("error", "status"),
        [
            ("access_denied", Status.DECLINED),
            ("user_cancelled_login", Status.DECLINED),
            ("server_error", Status.FAILED),
            ("unknown", Status.FAILED),
        ],
    )
    @pytest.mark.parametrize("seen", [None, flag(authenticated=False), flag(authenticated=True)])
    @pytest.mark.parametrize("attempt", [FRESH, BEFORE])
    def test_an_error_in_the_return_is_an_end_of_its_own(
        self, attempt: Attempt, seen: AccountConnector | None, error: str, status: Status
    ) -> None:
        """Whatever the flag says, which another user may have set."""
        came = replace(attempt, returned_at=NOW, return_error=error)
        ended = {"status": status, "error_code": status.value}
        assert outcome.decide(came, seen, LATER) == ended

    def test_a_return_without_an_authentication_proves_nothing(self) -> None:
        """The user may have declined."""
        came = replace(FRESH, returned_at=NOW)
        assert outcome.decide(came, flag(authenticated=False), LATER) is None
        assert outcome.decide(FRESH, flag(authenticated=False), LATER, hint=Hint.MESSAGE) is None

    def test_a_connector_that_is_gone_proves_nothing(self) -> None:
        """Somebody removed it."""
        assert outcome.decide(FRESH, None, LATER) is None

    def test_the_error_of_a_return_is_nothing_where_sign_ins_are_told(self) -> None:
        """The record of this attempt's own token says more."""
        came = replace(FRESH, returned_at=NOW, return_error="access_denied")
        changes = outcome.decide(came, told(record(OURS, "connected")), LATER)
        assert changes is not None
        assert changes["status"] is Status.CONNECTED


class TestLateSuccess:
    """A sign-in that succeeded after its attempt was given up."""

    def test_the_flag_is_enough_where_no_other_sign_in_may_have_set_it(self) -> None:
        """Nobody else was there; or all were over."""
        assert outcome.succeeded_late(FRESH, flag(authenticated=True), []) == {}
        assert outcome.succeeded_late(FRESH, flag(authenticated=True), [other(-4000)]) == {}

    @pytest.mark.parametrize("user", ["ada", "another"])
    def test_another_sign_in_may_have_set_it(self, user: str) -> None:
        """The user's own next attempt, most of all."""
        assert outcome.succeeded_late(FRESH, flag(authenticated=True), [other(5, user=user)]) is None

    @pytest.mark.parametrize(
        ("attempt", "seen"),
        [
            (FRESH, None),
            (FRESH, flag(authenticated=False)),
            (BEFORE, flag(authenticated=True)),
            (replace(FRESH, return_error="access_denied"), flag(authenticated=True)),
            (FRESH, told(record(OURS, "declined"), record(OTHERS, "connected"), authenticated=True)),
        ],
    )
    def test_nothing_else_is_one(self, attempt: Attempt, seen: AccountConnector | None) -> None:
        """No flag, one that was there before, an error, or the record of another."""
        assert outcome.succeeded_late(attempt, seen, []) is None

    @pytest.mark.parametrize(
        ("state", "stands"), [("connected", True), ("needs_reconnect", True), ("none", False)]
    )
    def test_a_success_counts_while_its_connection_exists(self, state: str, stands: bool) -> None:
        """It may need a new sign-in; but it may also have been ended."""
        seen = replace(told(record(OURS, "connected")), grant=Grant(state))
        assert (outcome.succeeded_late(FRESH, seen, []) is not None) is stands

    def test_the_record_says_whose_account_it_is(self) -> None:
        """Whoever else signs in."""
        seen = told(record(OURS, "connected"))
        assert outcome.succeeded_late(FRESH, seen, [other(5)]) == {"external_account": "ada@crm"}


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("", None),
        ("  ", None),
        ("access_denied", "access_denied"),
        ("Access_Denied ", "access_denied"),
        ("User denied", "user_denied"),
        ("user-denied", "user_denied"),
        ("<script>alert(1)</script>", "unknown"),
        ("x" * 65, "unknown"),
        ("access\ndenied", "unknown"),
        ("\x00", "unknown"),
    ],
)
def test_the_error_of_a_return_is_kept_only_as_a_name(text: str, kept: str | None) -> None:
    """It is any text from outside: no markup, no line of its own in a log, no megabytes."""
    assert outcome.error_of_query(text) == kept


@pytest.mark.parametrize("error", sorted(refusals.DECLINED))
def test_a_no_has_the_same_names_at_either_partner_service(error: str) -> None:
    """Cyclr brings back what the third party said, and the embedded service reads it itself."""
    for spelt in (error, error.upper(), error.replace("_", " "), error.replace("_", "-")):
        attempt = replace(ATTEMPT, return_error=outcome.error_of_query(spelt))
        assert outcome.decide(attempt, None, NOW)["status"] is Status.DECLINED  # type: ignore[index]
    assert refusals.DECLINED == outcome.DENIALS


class TestBegun:
    """When the browser arrived is told for this attempt's own token only."""

    def test_ours_that_has_begun(self) -> None:
        """At the time of the record."""
        assert outcome.redeemed_at(ATTEMPT, told(record(OTHERS, "started"), record(OURS, "started"))) == NOW

    @pytest.mark.parametrize(
        "seen",
        [None, flag(authenticated=True), told(record(OTHERS, "started")), told(record(OURS, "failed"))],
    )
    def test_nothing_of_ours(self, seen: AccountConnector | None) -> None:
        """Gone, untold, another's, or over: its time is that of another step."""
        assert outcome.redeemed_at(ATTEMPT, seen) is None


def test_an_attempt_ends_at_its_very_time() -> None:
    """Not a microsecond sooner."""
    end = ATTEMPT.expires_at
    assert outcome.expire(ATTEMPT, end - timedelta(microseconds=1)) is None
    assert outcome.expire(ATTEMPT, end) == {"status": Status.EXPIRED, "error_code": "expired"}


CERTAIN = (Hint.MESSAGE, Hint.RETURNED, Hint.TROUBLE, Hint.CANCEL)


class TestTurn:
    """How soon, and how often, one attempt may be asked about."""

    @pytest.mark.parametrize(
        ("age", "earned"), [(0, 16), (8, 16), (9, 17), (61, 23), (120, 29), (124, 29), (125, 30), (600, 125)]
    )
    def test_questions_are_earned_with_time(self, age: float, earned: int) -> None:
        """16 at once, 30 in two minutes, one each five seconds after; the last for certain news."""
        now = NOW + timedelta(seconds=age)
        assert poll_permit(ATTEMPT, Hint.MESSAGE, now).most == earned
        assert poll_permit(ATTEMPT, None, now).most == earned - 1
        assert poll_permit(ATTEMPT, Hint.FOCUS, now).most == earned - 1

    @pytest.mark.parametrize("hint", CERTAIN)
    def test_certain_news_is_asked_at_once(self, hint: Hint) -> None:
        """However short a time ago somebody asked."""
        now = NOW + timedelta(seconds=30)
        assert poll_permit(ATTEMPT, hint, now).not_since == now

    @pytest.mark.parametrize("hint", sorted(set(Hint) - set(CERTAIN)))
    def test_other_signals_wait_a_quarter_of_a_second(self, hint: Hint) -> None:
        """They may come in bursts."""
        now = NOW + timedelta(seconds=30)
        assert poll_permit(ATTEMPT, hint, now).not_since == now - timedelta(milliseconds=250)

    @pytest.mark.parametrize(("age", "spacing"), [(0, 1), (1, 1), (4, 2), (9, 4.5), (9.5, 4.75), (60, 4.75)])
    def test_looks_without_a_signal_get_rarer(self, age: float, spacing: float) -> None:
        """Half the attempt's age, from one second to less than the widget's slowest poll."""
        now = NOW + timedelta(seconds=age)
        assert poll_permit(ATTEMPT, None, now).not_since == now - timedelta(seconds=spacing)

    def test_the_looks_after_a_signal_are_as_quick(self) -> None:
        """The news may trail its signal, for fifteen seconds."""
        now = NOW + timedelta(seconds=60)
        quick, slow = now - timedelta(milliseconds=250), now - timedelta(seconds=4.75)
        just = replace(ATTEMPT, hinted_at=now - HINT_EFFECT + timedelta(microseconds=1))
        assert poll_permit(just, None, now).not_since == quick
        assert poll_permit(replace(ATTEMPT, hinted_at=now - HINT_EFFECT), None, now).not_since == slow

    def test_an_attempt_that_was_not_launched_is_new(self) -> None:
        """Its age is counted from now."""
        fresh = replace(ATTEMPT, launched_at=None)
        now = NOW + timedelta(hours=1)
        assert poll_permit(fresh, None, now).most == BURST - 1
        assert poll_permit(fresh, None, now).not_since == now - timedelta(seconds=1)

    def test_a_poll_whose_process_died_blocks_no_longer_than_its_lease(self) -> None:
        """Half a minute."""
        assert poll_permit(ATTEMPT, None, NOW).lease_end == NOW + POLL_LEASE
        assert timedelta(seconds=30) == POLL_LEASE
