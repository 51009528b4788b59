"""The story of an attempt, as an operator reads it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bff.connect.attempt import Attempt, Delivery, Status
from bff.connect.timeline import (
    FORM_REFUSED,
    FORM_SENT,
    FORM_UNANSWERED,
    STEP_TEXTS,
    Step,
    all_steps,
    form_may_have_connected,
    timeline_json,
    timeline_text,
)
from bff.content.product import OfferedConnector
from bff.identity.principal import AccountRef, User

NOON = datetime(2030, 1, 2, 12, 0, 0, 250_000, tzinfo=UTC)


def at(seconds: int) -> datetime:
    """So long after the attempt was prepared."""
    return NOON + timedelta(seconds=seconds)


def attempt(**more: Any) -> Attempt:
    """Ada's, as it was prepared."""
    facts: dict[str, Any] = {
        "id": "att_1",
        "support_code": "ABCD-2345",
        "status": Status.CREATED,
        "product": "demo",
        "account": AccountRef("acme", "Acme Inc."),
        "user": User("ada", "Ada Lovelace", "ada@acme.example"),
        "connector": OfferedConnector("crm", "CRM", "crm-reference"),
        "message": "done",
        "callback_message": "done",
        "delivery": Delivery.MESSAGE,
        "locale": "en",
        "origin": "https://app.example",
        "return_url": None,
        "launch_token_sha256": "a" * 64,
        "created_at": NOON,
        "expires_at": at(600),
    }
    return Attempt(**facts | more)


def names(steps: list[Step]) -> list[str]:
    """The steps' names, in their order."""
    return [step.name for step in steps]


def test_an_attempt_that_was_only_prepared_has_one_step() -> None:
    """What has not happened is not told."""
    assert all_steps(attempt(), []) == [Step("prepared", NOON, NOON)]


def test_the_story_is_in_the_order_of_time() -> None:
    """The attempt's own times and what was noted, each by the first time that it happened."""
    told = attempt(
        status=Status.EXPIRED,
        launched_at=at(2),
        minted_at=at(3),
        returned_at=at(9),
        settled_at=at(900),
        late_success_at=at(950),
    )
    noted = [Step("checked", at(4), at(899), 7), Step("redeemed", at(5), at(5))]
    steps = all_steps(told, noted)
    assert names(steps) == [
        "prepared", "launched", "minted", "checked", "redeemed", "returned", "expired", "late_success",
    ]  # fmt: skip
    assert [step.at for step in steps] == [at(n) for n in (0, 2, 3, 4, 5, 9, 900, 950)]
    assert all(step.last_at == step.at and step.count == 1 for step in steps if step not in noted)
    assert noted[0] in steps


def test_the_hosts_server_reads_each_step_with_its_times() -> None:
    """What the third party answered stands with the end that it caused, and with no other step."""
    told = attempt(status=Status.FAILED, settled_at=at(9), third_party_error="invalid_scope: no")
    first, checked, ended = timeline_json(told, [Step("checked", at(4), at(8), 7)])
    assert first == {
        "step": "prepared",
        "at": NOON.isoformat(),
        "last_at": NOON.isoformat(),
        "count": 1,
        "detail": None,
    }
    assert (checked["at"], checked["last_at"], checked["count"]) == (
        at(4).isoformat(), at(8).isoformat(), 7,
    )  # fmt: skip
    assert (checked["detail"], ended["detail"]) == (None, "invalid_scope: no")
    declined = attempt(status=Status.DECLINED, settled_at=at(9), third_party_error="access_denied")
    assert [step["detail"] for step in timeline_json(declined, [])] == [None, "access_denied"]


@pytest.mark.parametrize(
    ("counts", "may_have"),
    [
        ({}, False),
        ({FORM_SENT: 1}, True),
        ({FORM_SENT: 2, FORM_REFUSED: 1, FORM_UNANSWERED: 1}, False),
        ({FORM_SENT: 3, FORM_REFUSED: 1, FORM_UNANSWERED: 1}, True),
    ],
)
def test_a_form_may_have_connected_unless_each_submission_is_known_not_to_have(
    counts: dict[str, int], may_have: bool
) -> None:
    """Refused, or not answered by the third party."""
    noted = [Step(name, NOON, NOON, count) for name, count in counts.items()]
    assert form_may_have_connected([*noted, Step("polled", NOON, NOON, 9)]) is may_have


@pytest.mark.parametrize("status", Status)
def test_the_end_is_told_by_its_name_and_only_if_there_was_one(status: Status) -> None:
    """A live attempt has none."""
    ended = [
        step.name for step in all_steps(attempt(status=status, settled_at=at(9)), []) if step.at == at(9)
    ]
    assert ended == ([] if status in {Status.CREATED, Status.LAUNCHED} else [status.value])
    assert names(all_steps(attempt(status=status), [])) == ["prepared"]


def test_every_step_has_words() -> None:
    """The ends, and the attempt's own times."""
    own = attempt(launched_at=NOON, minted_at=NOON, returned_at=NOON, late_success_at=NOON)
    ends = {status.value for status in Status} - {"created", "launched"}
    assert {*names(all_steps(own, [])), *ends} <= set(STEP_TEXTS)


def test_an_operator_reads_who_what_where_and_a_line_for_each_step() -> None:
    """To the microsecond, in UTC; nothing is said of an error or of a late success where there was none."""
    assert timeline_text(attempt(), [Step("unheard-of", at(1), at(1))]).splitlines() == [
        "ABCD-2345  att_1  created",
        "product demo, account acme, user ada, connector crm, from https://app.example",
        f"2030-01-02 12:00:00.250000  {STEP_TEXTS['prepared']}",
        "2030-01-02 12:00:01.250000  unheard-of",
    ]


def test_what_happened_again_and_again_is_one_line() -> None:
    """It says how often, and when last; what happened once has no number."""
    noted = [Step("focus_seen", at(4), at(64), 2), Step("checked", at(5), at(5), 1)]
    _, _, _, twice, once = timeline_text(attempt(), noted).splitlines()
    assert twice.endswith(f"{STEP_TEXTS['focus_seen']} (2 times, last 12:01:04)")
    assert once.endswith(STEP_TEXTS["checked"])


def test_the_error_that_the_page_was_told_is_the_last_word() -> None:
    """By its code, as in the API."""
    told = timeline_text(
        attempt(status=Status.FAILED, settled_at=at(3), error_code="token_exchange_failed"), []
    )
    assert told.splitlines()[-1] == "error code sent to the page: token_exchange_failed"


def test_a_late_success_says_that_the_connection_exists() -> None:
    """Whoever reads "expired" would think otherwise."""
    told = timeline_text(attempt(status=Status.EXPIRED, settled_at=at(3), late_success_at=at(9)), [])
    assert told.splitlines()[-1].endswith("the connection exists")
    assert "connection exists" not in timeline_text(attempt(), [])


def test_nothing_of_the_story_is_secret() -> None:
    """No name or address of the user, and none of the values by which an attempt is opened."""
    secrets = {
        "launch_token_sha256": "1" * 64,
        "sign_in_token_sha256": "2" * 64,
        "return_secret_sha256": "3" * 64,
        "browser_sha256": "4" * 64,
        "callback_message": "the-nonce",
    }
    told = timeline_text(attempt(**secrets), [])
    assert not [value for value in (*secrets.values(), "Ada", "ada@acme.example") if value in told]


def test_what_the_third_party_answered_is_told() -> None:
    """Operators read its own words."""
    said = "token 400 invalid_client: The client is unknown."
    told = timeline_text(attempt(status=Status.FAILED, settled_at=at(3), third_party_error=said), [])
    assert f"the third party answered: {said}" in told.splitlines()


@pytest.mark.parametrize(
    ("facts", "steps", "advised"),
    [
        ({}, [], True),
        ({"status": Status.CANCELLED}, [], True),
        ({"returned_at": at(9)}, [], False),
        ({"late_success_at": at(900)}, [], False),
        ({}, [Step("form_shown", at(3), at(3))], False),
        ({}, [Step("message_seen", at(3), at(3))], False),
        ({}, [Step("returned_seen", at(3), at(3))], True),
        ({"launched_at": None, "minted_at": None}, [], False),
        ({"minted_at": None}, [], False),
        ({"status": Status.FAILED}, [], False),
    ],
)
def test_a_redirect_uri_is_suspected_only_where_nothing_came_back(
    facts: dict[str, Any], steps: list[Step], advised: bool
) -> None:
    """Not where the browser returned, the sign-in succeeded, or a form took the third party's place.

    Nor where the page received the callback message, or where the partner service was away, so that no
    browser was sent anywhere. That a page goes on with the attempt shows nothing: its user may have gone back
    from the third party's error page.
    """
    times = {"launched_at": at(2), "minted_at": at(3), "settled_at": at(600)}
    given_up = attempt(**{"status": Status.EXPIRED, **times} | facts)
    advice = "the partner service's origin followed by /connector/callback"
    assert (advice in timeline_text(given_up, steps)) is advised
