"""Sign-in tokens: random, for accounts that there are, good once and for five minutes."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from structlog.testing import capture_logs

from bff.partner import clock
from bff.partner.account_connectors import sign_ins
from bff.partner.crypto import sha256
from bff.partner.housekeeping import keep_house
from bff.partner.sign_in import tokens
from bff.partner.storage import tables
from tests.partner.links.office import TARGET, Office

pytestmark = pytest.mark.one_database

USED = "Forbidden: Access is denied."


def test_a_token_is_good_once(office: Office) -> None:
    """The second visit is refused as Cyclr does; the log has one redemption, with account and user."""
    connector, token = office.install(), office.token()
    with capture_logs() as logs:
        assert office.open(connector, token).status_code == 302
        page = office.open(connector, token)
    assert (page.status_code, USED in page.text) == (403, True)
    assert f'data-target="{TARGET}"' in page.text
    (line,) = [line for line in logs if line["event"] == "redeemed"]
    assert (line["account"], line["user"]) == (office.account, "ada")
    assert token not in str(logs)
    assert office.sign_ins(connector) == [("started", None)]


@pytest.mark.parametrize("message", ["done", None])
def test_an_unknown_link_leads_nowhere_and_tells_nobody(office: Office, message: str | None) -> None:
    """Anybody can write one: its target may be a page that waits for just that."""
    page = office.open(office.install(), "unknown", callbackMessage=message)
    assert (page.status_code, TARGET in page.text, "data-target" in page.text) == (403, False, False)


def test_a_used_link_tells_only_the_page_that_it_was_used_for(office: Office) -> None:
    """Changed to lead elsewhere it tells nobody."""
    connector, token = office.install(), office.token()
    office.open(connector, token)
    assert f'data-target="{TARGET}"' in office.open(connector, token).text
    assert "data-target" not in office.open(connector, token, targetOrigin="https://evil.example").text


@pytest.mark.both_databases
def test_a_late_link_tells_only_the_page_that_it_was_made_for(office: Office) -> None:
    """A target that was named when the token was minted is the only one."""
    connector = office.install()
    named = {"CompletionUrl": "https://bff.example/complete", "TargetOrigin": TARGET}
    token = office.token(Hitchpost=named)
    office.change_token(token, expires_at=clock.now() - timedelta(seconds=1))
    assert "data-target" not in office.open(connector, token, targetOrigin="https://evil.example").text
    assert f'data-target="{TARGET}"' in office.open(connector, token).text


def test_a_redemption_is_noted_with_its_time(office: Office) -> None:
    """Of that token and no other."""
    token, other, before = office.token(), office.token(), clock.now()
    office.open(office.install(), token)
    assert before <= office.stored(token).used_at <= clock.now()
    assert office.stored(other).used_at is None


def test_the_status_of_a_used_token_is_the_one_that_is_set(switched: Callable[..., Office]) -> None:
    """`used_token_status = 410`."""
    office = switched(used_token_status=410)
    assert office.open(office.install(), "unknown").status_code == 410


def test_whether_a_restricted_access_token_mints_is_set(switched: Callable[..., Office]) -> None:
    """`sign_in_with_restricted_token`: with `false` only one for every account does; with `true` both do."""
    for allowed in (False, True):
        office = switched(sign_in_with_restricted_token=allowed)
        assert office.ask_for_token().status_code == 200
        office.restrict()
        assert office.ask_for_token().status_code == (200 if allowed else 401)


@pytest.mark.both_databases
def test_a_token_may_be_visited_until_it_has_connected(switched: Callable[..., Office]) -> None:
    """`consume_token = completion`: visits use nothing up, a connection does."""
    office = switched(consume_token="completion")
    connector, token = office.install(), office.token()
    state = [office.begin(connector, token) for _ in range(2)][-1]
    assert office.stored(token).used_at is None
    assert office.answer(state, code="a-code").status_code == 200
    assert office.stored(token).used_at is not None
    assert office.open(connector, token).status_code == 403


@pytest.mark.parametrize("revokes", [True, False])
def test_a_token_connects_once(switched: Callable[..., Office], revokes: bool) -> None:
    """Two browsers begin with one link: the second connects nothing, and its grant is revoked."""
    office = switched(consume_token="completion")
    catalogue = office.service.catalogue
    url = f"{office.third.url}/revoke" if revokes else None
    catalogue.connectors = tuple(
        item.model_copy(update={"revocation_url": url}) for item in catalogue.connectors
    )
    connector, token = office.install(), office.token()
    first, second = (office.begin(connector, token) for _ in range(2))
    assert office.answer(first, code="one").status_code == 200
    stored = office.rows(tables.account_connector)[0].credentials
    assert office.answer(second, code="two").status_code == 400
    assert office.rows(tables.account_connector)[0].credentials == stored
    assert office.sign_ins(connector) == [("connected", None)]
    keep_house(office.service)
    assert len(office.third.forms("revoke")) == revokes


def test_a_token_is_good_again_after_a_refusal(switched: Callable[..., Office]) -> None:
    """With `consume_token = completion`: the record tells of the last try with it."""
    office = switched(consume_token="completion")
    connector, token = office.install(), office.token()
    office.answer(office.begin(connector, token), error="access_denied")
    assert office.sign_ins(connector) == [("declined", "access_denied")]
    state = office.begin(connector, token)
    assert office.sign_ins(connector) == [("started", None)]
    assert office.answer(state, code="a-code").status_code == 200
    assert office.sign_ins(connector) == [("connected", None)]


def test_a_sign_in_that_was_told_as_over_connects_nothing(office: Office) -> None:
    """Whatever ended it, its grant is not used: what is told stays true."""
    connector, token = office.install(), office.token()
    state = office.begin(connector, token)
    with office.service.database.writing() as connection:
        sign_ins.finish(connection, sha256(token), "failed", error="flow_expired")
    answer = office.answer(state, code="a-code")
    assert (answer.status_code, "sign_in_ended_before" in answer.text) == (400, True)
    assert office.told(connector)["Authenticated"] is False
    assert office.sign_ins(connector) == [("failed", "flow_expired")]


def test_a_reload_ends_no_sign_in_that_runs(switched: Callable[..., Office]) -> None:
    """The link's time is over while its user is at the third party, whose answer still connects."""
    office = switched(consume_token="completion")
    connector, token = office.install(), office.token()
    state = office.begin(connector, token)
    office.change_token(token, expires_at=clock.now() - timedelta(seconds=1))
    assert office.open(connector, token).status_code == 403
    assert office.sign_ins(connector) == [("started", None)]
    assert office.answer(state, code="a-code").status_code == 200
    assert office.sign_ins(connector) == [("connected", None)]


def test_a_token_lives_for_five_minutes(office: Office) -> None:
    """To the moment, at which it is over; the sign-in is then told as failed, once."""
    with time_machine.travel("2031-05-04T09:00:00+00:00", tick=False) as clock_hands:
        fresh = Office(office.app, office.third)
        connector, in_time, answer = fresh.install(), fresh.token(), fresh.ask_for_token()
        assert answer.json["ExpiresAtUtc"].startswith("2031-05-04T09:05:00")
        late = answer.json["Token"]
        clock_hands.shift(timedelta(minutes=5) - timedelta(microseconds=1))
        assert fresh.open(connector, in_time).status_code == 302
        clock_hands.shift(timedelta(microseconds=1))
        for _ in range(2):
            assert fresh.open(connector, late).status_code == 403
        assert fresh.sign_ins(connector) == [("failed", "token_expired"), ("started", None)]


def test_a_late_link_is_a_failed_sign_in_of_the_connector_that_it_names(office: Office) -> None:
    """By its token. A used one is none; neither is one of an id that is no connector."""
    connector, other, late, used = office.install(), office.install(), office.token(), office.token()
    office.open(other, used)
    for token in (late, used):
        office.change_token(token, expires_at=clock.now() - timedelta(seconds=1))
        assert office.open("x", token).status_code == 403
        assert office.open(connector, token).status_code == 403
    assert office.open(other, used).status_code == 403
    assert office.sign_ins(connector) == [("failed", "token_expired")]
    (told,) = office.told(connector)["Hitchpost"]["RecentSignIns"]
    assert told["TokenSha256"] == sha256(late)
    assert office.sign_ins(other) == [("started", None)]


def test_a_link_that_nobody_minted_is_no_late_one(switched: Callable[..., Office]) -> None:
    """Also while a token of the same account is past its time, unused."""
    office = switched()
    connector = office.install()
    office.change_token(office.token(), expires_at=clock.now() - timedelta(seconds=1))
    assert office.open(connector, "unknown").status_code == 403
    assert office.sign_ins(connector) == []


def test_whoever_redeems_second_is_told_so(office: Office) -> None:
    """Even if both had found the token good before."""
    kept = sha256(office.token())
    with office.service.database.writing() as connection:
        assert tokens.redeem(connection, kept) is True
        assert tokens.redeem(connection, kept) is False


def test_a_token_is_two_random_guids(office: Office) -> None:
    """44 characters of standard base64, as Cyclr's are; no two halves alike, and only a hash is kept."""
    minted = [office.token() for _ in range(3)]
    halves = [base64.b64decode(token, validate=True)[start:][:16] for token in minted for start in (0, 16)]
    assert {len(token) for token in minted} == {44}
    assert {uuid.UUID(bytes=half).version for half in halves} == {4}
    assert len(set(halves)) == 6
    assert not any(token in str(row) for token in minted for row in office.rows(tables.sign_in_token))


def test_a_token_is_somebodys(office: Office) -> None:
    """400 without a user name."""
    for body in ({}, {"Username": " "}):
        answer = office.call("POST", f"/v1.0/accounts/{office.account}/signintoken", body)
        assert (answer.status_code, answer.json) == (400, {"Message": "Username is required"})


def test_a_token_for_an_unknown_account_is_refused(office: Office) -> None:
    """404, and no account is made of it."""
    answer = office.ask_for_token("nobody")
    assert (answer.status_code, answer.json) == (404, {"Message": "Account not found."})
    assert office.call("GET", "/v1.0/accounts/nobody").status_code == 404


def test_a_token_may_make_its_account(switched: Callable[..., Office]) -> None:
    """`sign_in_for_unknown_account = create`: named by its id; one that is there stays as it is."""
    office = switched(sign_in_for_unknown_account="create")
    assert office.ask_for_token("new").status_code == 200
    for account, name in (("new", "new"), (office.account, "Acme")):
        assert office.ask_for_token(account).status_code == 200
        told = office.call("GET", f"/v1.0/accounts/{account}").json
        assert (told["Id"], told["Name"]) == (account, name)
