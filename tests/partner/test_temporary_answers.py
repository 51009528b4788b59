"""Rate limits and outages cost no connection, in whatever status and words a third party reports them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Response

from bff.partner.grants import refresh_failures
from tests.partner.replies import PASSING, UNCLEAR, error, page
from tests.partner.test_replaced_grants import keep_house
from tests.support.third_party import Connection, ThirdParty, refused, tokens
from tests.support.world import World

pytestmark = pytest.mark.one_database


def ask_again(connection: Connection, force: bool = False) -> int:
    """Ask for the access token once the wait after a failure is over."""
    connection.change(refresh_not_before=None)
    return (connection.force() if force else connection.access_token()).status_code


@pytest.mark.parametrize("answer", [PASSING["Salesforce"], UNCLEAR["edX"]])
def test_a_rate_limit_or_an_outage_costs_no_connection(
    world: World, third: ThirdParty, answer: Callable[[], Response]
) -> None:
    """However often, and whether its last token has expired or not: it works again when they are over."""
    connection = Connection(world, third.offer(world)).connect()
    third.says["token"] = lambda _: answer()
    often = {"refresh_failures": 50, "refresh_refusals": 50}
    for seconds, expected in ((40, 200), (-1, 503)):
        connection.age(seconds)
        connection.change(**often)
        assert ask_again(connection) == expected
    assert connection.grant_state() == ("connected", None)
    del third.says["token"]
    assert ask_again(connection) == 200


@pytest.mark.both_databases
def test_an_answer_that_stays_unclear_for_a_day_needs_the_user(world: World, third: ThirdParty) -> None:
    """It might be this third party's way to say that the grant has ended."""
    connection = Connection(world, third.offer(world)).connect()
    third.says["token"] = lambda _: page("No", 403)
    connection.age()
    connection.change(refresh_failures=refresh_failures.MOST_UNCLEAR - 2)
    assert ask_again(connection) == 503
    assert connection.grant_state() == ("connected", None)
    ask_again(connection)
    assert connection.grant_state() == ("needs_reconnect", "refused")


def test_a_refusal_that_says_little_needs_the_user_after_some_minutes(
    world: World, third: ThirdParty
) -> None:
    """It may be a refused grant, or a proxy's page, or a rate limit as Twitter's 403 was."""
    connection = Connection(world, third.offer(world)).connect()
    third.says["token"] = lambda _: Response("", 401)
    connection.age()
    for _ in range(refresh_failures.MOST_VAGUE_REFUSALS - 1):
        assert ask_again(connection) == 503
    ask_again(connection)
    assert connection.grant_state() == ("needs_reconnect", "refused")


def test_a_token_that_is_good_is_given_out_while_its_refresh_is_refused(
    world: World, third: ThirdParty
) -> None:
    """The user is needed when it has expired, or when a host says that the third party takes it no more."""
    connection, other = (Connection(world, third.offer(world)).connect() for _ in range(2))
    third.says["token"] = lambda _: refused("computer_says_no")
    for one in (connection, other):
        one.age(40)
        assert [ask_again(one) for _ in range(4)] == [200] * 4
        assert one.grant_state() == ("connected", None)
    connection.age()
    ask_again(connection)
    ask_again(other, force=True)
    assert {connection.grant_state(), other.grant_state()} == {("needs_reconnect", "refused")}


def test_an_outage_counts_as_no_refusal(world: World, third: ThirdParty) -> None:
    """A first refusal after it is the first of two."""
    connection = Connection(world, third.offer(world)).connect()
    connection.age()
    for status in (503, 503, 400, 503, 404, 400, 400):
        assert connection.grant_state() == ("connected", None)
        third.says["token"] = lambda _, status=status: error(status, error="not_found")  # type: ignore[misc]
        ask_again(connection)
    assert connection.grant_state() == ("needs_reconnect", "refused")


def test_a_refresh_that_came_too_early_is_tried_when_the_token_ends(world: World, third: ThirdParty) -> None:
    """Exact Online counts each one before as an error, and ten an hour block the client."""
    connection = Connection(world, third.offer(world)).connect()
    third.says["token"] = lambda _: PASSING["Exact Online"]()
    connection.age(50)
    assert connection.access_token().status_code == 200
    wait = connection.row().refresh_not_before - connection.credentials().expires_at
    assert abs(wait.total_seconds()) < 1
    assert len(third.forms("token")) == 2


@pytest.mark.parametrize(
    ("header", "seconds"), [("90", 90), ("1.5e2", 5), ("120.0", 120), ("86400", 600), ("soon", 5), ("-1", 5)]
)
def test_a_third_party_says_when_it_wants_the_next_refresh(
    world: World, third: ThirdParty, header: str, seconds: float
) -> None:
    """It is believed for ten minutes at most; what cannot be read counts as nothing said."""
    connection = Connection(world, third.offer(world)).connect()
    third.says["token"] = lambda _: error(429, {"Retry-After": header}, error="slow_down")
    connection.age()
    refused = connection.access_token()
    assert refused.status_code == 503
    assert seconds / 2 - 1 <= int(refused.headers["Retry-After"]) <= seconds
    assert seconds < 10 or int(refused.headers["Retry-After"]) > seconds - 10
    assert connection.access_token().status_code == 503
    assert len(third.forms("token")) == 2


def test_a_rate_limit_is_no_end_of_a_grant_that_is_to_be_revoked(world: World, third: ThirdParty) -> None:
    """It is revoked later."""
    connection = Connection(world, third.offer(world)).connect()
    third.says["revoke"] = lambda _: PASSING["a rate limit as a dead grant"]()
    connection.api.call("PUT", f"{connection.path}/deauthenticate")
    del third.says["revoke"]
    keep_house(world, connection)
    assert len(third.forms("revoke")) == 2


@pytest.mark.parametrize("name", ["Retry-After", "in words"])
def test_a_rate_limit_is_no_end_of_a_token_that_nothing_renews(
    world: World, third: ThirdParty, name: str
) -> None:
    """It is tried by user info, whose 401 counts only if it is about the token."""
    third.says["token"] = lambda _: tokens(refresh_token=None, expires_in=None)
    connection = Connection(world, third.offer(world, userinfo_url=f"{third.url}/userinfo")).connect()
    limited = error(401, {"Retry-After": "9"}) if name == "Retry-After" else error(401, message="Rate limit")
    third.says["userinfo"] = lambda _: limited
    assert ask_again(connection, force=True) == 200
    assert connection.grant_state() == ("connected", None)
    third.says["userinfo"] = lambda _: error(401, message="Bad credentials")
    assert ask_again(connection, force=True) == 409
