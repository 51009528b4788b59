"""A token that nothing renews is found dead, however its third party says so."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask import Response

from bff.partner.providers import dead_credentials
from tests.support.direct_calls import KEPT, PROVIDER
from tests.support.third_party import Connection, ThirdParty
from tests.support.world import World

pytestmark = pytest.mark.one_database


def connect(world: World, third: ThirdParty, **changes: Any) -> Connection:
    """A token without an end and without a refresh token, of a user whose name can be asked."""
    third.says["token"] = lambda _: {"access_token": "xoxb-1", "token_type": "bot"}
    item = third.offer(world, userinfo_url=f"{third.url}/userinfo", **changes)
    return Connection(world, item).connect()


def answers(status: int, body: Any, **headers: str) -> Response:
    """One of the user-info endpoint."""
    return Response(json.dumps(body), status, headers, content_type="application/json")


FACEBOOK = {"message": "Session is over.", "type": "OAuthException", "code": 190, "error_subcode": 460}
DEAD = {
    "401": (401, {}),
    "Slack: the app was removed": (200, {"ok": False, "error": "token_revoked"}),
    "Slack: invalid": (200, {"ok": False, "error": "invalid_auth"}),
    "Slack: its user is gone": (200, {"ok": False, "error": "account_inactive"}),
    "Facebook": (400, {"error": FACEBOOK}),
    "Facebook in words": (
        400,
        {"error": {"message": "Error validating access token: it is over.", "code": 1}},
    ),
    "400": (400, {"error": "invalid_token"}),
    "403": (403, {"error": "invalid_token", "error_description": "The token was revoked."}),
    "GraphQL": (200, {"data": None, "errors": [{"extensions": {"code": "UNAUTHENTICATED"}}]}),
    "Salesforce": (403, [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}]),
    "a status in the body": (200, {"code": 401, "message": "no"}),
}


def is_dead(third: ThirdParty, status: int, body: Any) -> bool:
    """Whether such an answer means that a token is."""
    third.says["userinfo"] = lambda _: answers(status, body)
    item = third.entry(userinfo_url=f"{third.url}/userinfo", dead_refresh=["190"])
    said = PROVIDER.user_info(item, KEPT)[1]
    assert said is not None
    return dead_credentials.is_dead(item, said)


@pytest.mark.parametrize(("status", "body"), DEAD.values(), ids=DEAD.keys())
def test_a_token_is_called_dead_in_many_ways(third: ThirdParty, status: int, body: Any) -> None:
    """By user info, whatever its status."""
    assert is_dead(third, status, body)


def test_a_token_that_nothing_renews_is_found_dead_however_it_is_told(
    world: World, third: ThirdParty
) -> None:
    """Unasked, and no dead token is given out again."""
    connection = connect(world, third)
    third.says["userinfo"] = lambda _: answers(200, {"ok": False, "error": "token_revoked"})
    connection.look()
    assert connection.grant_state() == ("needs_reconnect", "revoked")
    assert connection.access_token().status_code == 409


ALIVE = {
    "no permission": (403, {"error": {"code": 403, "message": "Insufficient permission", "status": "X"}}),
    "unauthorized for this": (403, {"error": "unauthorized"}),
    "Slack: too much": (200, {"ok": False, "error": "ratelimited"}),
    "too much": (429, {"error": "invalid_token"}),
    "an outage": (503, {"error": "invalid_token"}),
    "Facebook: too much": (400, {"error": {"message": "Application request limit reached", "code": 4}}),
    "gone": (404, {"message": "no such page"}),
}


@pytest.mark.parametrize(("status", "body"), ALIVE.values(), ids=ALIVE.keys())
def test_what_says_nothing_of_a_token_is_no_end_of_it(third: ThirdParty, status: int, body: Any) -> None:
    """It may be about the request."""
    assert not is_dead(third, status, body)


def test_what_says_nothing_of_a_token_costs_no_connection(world: World, third: ThirdParty) -> None:
    """However often it is said."""
    connection = connect(world, third)
    third.says["userinfo"] = lambda _: answers(403, {"error": "unauthorized"})
    for _ in range(3):
        connection.look()
    assert connection.grant_state() == ("connected", None)


def test_a_token_is_dead_only_if_it_is_told_twice(world: World, third: ThirdParty) -> None:
    """Once may be a slip of one of its servers."""
    connection = connect(world, third)
    said = iter([answers(200, {"ok": False, "error": "token_revoked"}), answers(200, {"ok": True})])
    third.says["userinfo"] = lambda _: next(said)
    connection.look()
    assert connection.grant_state() == ("connected", None)
