"""One habit of providers at a time: through a whole sign-in, and what comes of it.

Each has its row in ``docs/providers.md``, with the providers or the public bug reports that it was seen at.
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from flask import Response, request

from bff.partner import clock
from bff.partner.grants.refresh_failures import MOST_VAGUE_REFUSALS
from tests.support.provider import Habits, open_provider
from tests.support.third_party import Connection, ThirdParty, refused, tokens
from tests.support.world import World

pytestmark = pytest.mark.one_database


def raw(body: str, status: int = 200, media_type: str = "application/json") -> Response:
    """An answer as it is."""
    return Response(body, status, content_type=media_type)


def test_an_error_with_the_status_of_a_success_is_the_providers_own(world: World, third: ThirdParty) -> None:
    """simple-oauth2#459; with what it says of it, for operators."""
    error, description = "bad_verification_code", "It is wrong."
    third.says["token"] = lambda _: {"error": error, "error_description": description}
    connection = Connection(world, third.offer(world))
    page = connection.answer(connection.begin(), code="c")
    # In development; in production the page says no more than what it means for its user.
    assert (page.status_code, error in page.text, description in page.text) == (400, True, True)
    told = connection.last_sign_in()
    assert (told["Result"], told["Error"]) == ("failed", error)
    expected = {"Endpoint": "token", "Status": 200, "Error": error, "Description": description}
    assert told["Provider"] == expected


def test_what_a_provider_says_is_kept_without_what_it_was_sent(world: World, third: ThirdParty) -> None:
    """Some repeat the code, the client's secret, or a part of either, in their explanation."""
    said = "code SECRET-CODE-0123456789 of third-party-secret; tok SECRET-CODE-01234"
    third.says["token"] = lambda _: raw(json.dumps({"error": "bad", "error_description": said}), 400)
    connection = Connection(world, third.offer(world))
    page = connection.answer(connection.begin(), code="SECRET-CODE-0123456789")
    told = connection.last_sign_in()["Provider"]["Description"]
    assert "of" in told
    for text in (page.text, told):
        assert "SECRET-CODE" not in text
        assert "third-party-secret" not in text


def test_a47_a_dead_grant_needs_a_sign_in_at_once(world: World, third: ThirdParty) -> None:
    """Noticed at the first answer that says so, and never asked again."""
    connection = Connection(world, third.offer(world)).connect()
    third.says["token"] = lambda _: refused("invalid_grant")
    connection.age()
    asked = len(third.forms("token"))
    answers = [connection.access_token() for _ in range(3)]
    assert [answer.status_code for answer in answers] == [409] * 3
    assert "sign in again" in answers[0].json()["Message"]
    assert len(third.forms("token")) == asked + 1
    assert connection.told()["Authenticated"] is False
    assert connection.grant_state() == ("needs_reconnect", "revoked")
    del third.says["token"]
    assert connection.connect().access_token().status_code == 200
    assert connection.grant()["State"] == "connected"


def test_a_refusal_under_an_unknown_name_is_no_503_for_ever(world: World, third: ThirdParty) -> None:
    """The second in a row needs the user; what was refused is kept, and heals if it is taken again."""
    connection = Connection(world, third.offer(world)).connect()
    third.says["token"] = lambda _: raw('{"error": "computer_says_no"}', 400)
    connection.age()
    assert connection.access_token().status_code == 503
    assert connection.grant()["State"] == "connected"
    connection.change(refresh_not_before=None)
    connection.access_token()
    assert connection.access_token().status_code == 409
    assert connection.grant_state() == ("needs_reconnect", "refused")
    del third.says["token"]
    connection.change(refresh_not_before=None)
    connection.look()
    assert connection.grant()["State"] == "connected"
    assert connection.access_token().status_code == 200


def test_a_refresh_that_cannot_be_sent_is_no_503_for_ever(world: World, third: ThirdParty) -> None:
    """The entry was changed, and wants what the grant did not keep: only a new sign-in helps."""
    connection = Connection(world, third.offer(world)).connect()
    connection.change_entry(keep_from_token=["team"], refresh_params={"team": "{team}"})
    connection.age()
    for _ in range(MOST_VAGUE_REFUSALS - 1):
        connection.change(refresh_not_before=None)
        assert connection.access_token().status_code == 503
    connection.change(refresh_not_before=None)
    assert connection.access_token().status_code == 409
    assert connection.grant_state() == ("needs_reconnect", "refused")
    assert len(third.forms("token")) == 1
    third.says["token"] = lambda _: tokens(team="north")
    assert connection.connect().force().status_code == 200


@pytest.mark.parametrize("seconds", [1, "1", 1.0, 30, " 59 ", 60, 61])
def test_a_life_at_or_below_the_margin_asks_once(world: World, third: ThirdParty, seconds: Any) -> None:
    """One call is one refresh, whatever the life of what it brings."""
    connection = Connection(world, third.offer(world)).connect()
    third.says["token"] = lambda _: tokens(expires_in=seconds)
    connection.age()
    asked = len(third.forms("token"))
    assert connection.access_token().status_code == 200
    assert len(third.forms("token")) == asked + 1


def test_a_token_without_an_end_is_refreshed_on_request(world: World, third: ThirdParty) -> None:
    """Its host was told 401 by the third party, and asks for another one."""
    third.says["token"] = lambda _: {name: value for name, value in tokens().items() if name != "expires_in"}
    connection = Connection(world, third.offer(world)).connect()
    first = connection.access_token().json()["AccessToken"]
    assert connection.access_token().json()["AccessToken"] == first
    assert connection.force().json()["AccessToken"] != first


def test_a_token_that_the_third_party_refuses_is_not_given_again(world: World, third: ThirdParty) -> None:
    """Another one cannot be had just now: its host is told when to ask, and others get what seems good."""
    connection = Connection(world, third.offer(world)).connect()
    connection.change(refresh_not_before=clock.now() + timedelta(seconds=20))
    told = connection.force()
    assert (told.status_code, 15 <= int(told.headers["Retry-After"]) <= 20) == (503, True)
    assert connection.access_token().status_code == 200


def test_a_token_that_nothing_renews_ends_by_itself(world: World, third: ThirdParty) -> None:
    """Its time is over: that is no 503, and is told before anybody asks."""
    third.says["token"] = lambda _: tokens(refresh_token=None)
    connection = Connection(world, third.offer(world)).connect()
    assert connection.grant()["ExpiresAtUtc"]
    connection.age(seconds=60)
    assert connection.grant()["Reason"] == "expires_soon"
    connection.age()
    connection.look()
    told = connection.told()
    assert (told["Authenticated"], connection.grant()["Reason"]) == (False, "expired")
    assert connection.access_token().status_code == 409


def test_grants_are_refreshed_ahead_of_time_and_found_dead(world: World, third: ThirdParty) -> None:
    """Nobody asked: the token is new, and later the loss is told."""
    connection = Connection(world, third.offer(world)).connect()
    before = connection.credentials().access_token
    connection.age(seconds=120)
    connection.look()
    assert connection.credentials().access_token != before
    assert connection.row().next_refresh_at > clock.now()
    third.says["token"] = lambda _: refused("invalid_grant")
    connection.age(seconds=120)
    connection.look()
    assert connection.grant()["State"] == "needs_reconnect"
    assert connection.row().next_refresh_at is None


def test_a_token_without_an_end_is_tried_and_its_loss_noticed(world: World, third: ThirdParty) -> None:
    """Nothing renews it: the user-info endpoint says, twice, that it is no good any more."""
    third.says["token"] = lambda _: {"access_token": "at"}
    connection = Connection(world, third.offer(world, userinfo_url=f"{third.url}/userinfo")).connect()
    assert connection.force().status_code == 200
    third.says["userinfo"] = lambda _: refused("invalid_token", 401)
    assert connection.force().status_code == 409
    assert connection.grant()["Reason"] == "revoked"


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("Ada@Example.com", "ada@example.COM", True),
        (4711, "4711", True),
        ("Ada", "ada", False),
        (4711, 4712, False),
    ],
)
def test_an_account_is_known_again(
    world: World, third: ThirdParty, first: Any, second: Any, same: bool
) -> None:
    """remix-auth-oauth2#33, appointment#743: numbers are texts, and of an e-mail the case says nothing."""
    item = third.offer(world, userinfo_url=f"{third.url}/userinfo", account_claim="data.user.id")
    third.says["userinfo"] = lambda _: {"data": {"user": {"id": first}}}
    connection = Connection(world, item).connect()
    third.says["userinfo"] = lambda _: {"data": {"user": {"id": second}}}
    third.says["token"] = lambda _: {"access_token": "new"}
    page = connection.answer(connection.begin(), code="c")
    assert (page.status_code == 200) is same
    assert connection.last_sign_in()["Error"] == (None if same else "account_mismatch")
    # django-allauth#308: the refresh token of the first consent goes on being good.
    assert connection.credentials().refresh_token


@pytest.mark.parametrize(
    "info", [refused("server_error", 500), raw("<html>"), raw("{}"), raw('{"email": {"a": 1}}'), raw("[]")]
)
def test_an_account_that_cannot_be_read_replaces_none(
    world: World, third: ThirdParty, info: Response
) -> None:
    """The guard against another account is never off in silence: the grant is held, and the user chooses."""
    connection = Connection(world, third.offer(world, userinfo_url=f"{third.url}/userinfo")).connect()
    before = connection.credentials().access_token
    third.says["userinfo"] = lambda _: raw(info.get_data(as_text=True), info.status_code)
    assert connection.answer(connection.begin(), code="c").status_code == 400
    told = connection.last_sign_in()
    assert (told["Result"], told["Error"]) == ("failed", "account_unknown")
    assert told["Provider"]["Endpoint"] == "userinfo"
    assert connection.credentials().access_token == before
    path = f"{connection.path}/signins/{told['TokenSha256']}/accept"
    assert connection.api.call("PUT", path).status_code == 200
    assert connection.credentials().access_token != before


def test_another_account_is_noticed_although_the_grant_has_ended(world: World, third: ThirdParty) -> None:
    """The host's data is still the first account's."""
    connection = Connection(world, third.offer(world, userinfo_url=f"{third.url}/userinfo")).connect()
    third.says["token"] = lambda _: refused("invalid_grant")
    connection.age()
    assert connection.access_token().status_code == 409
    del third.says["token"]
    third.says["userinfo"] = lambda _: {"email": "grace"}
    assert connection.answer(connection.begin(), code="c").status_code == 400
    assert connection.last_sign_in()["Error"] == "account_mismatch"


@pytest.mark.parametrize(
    ("entry", "method", "path", "sent"),
    [
        (
            {"revocation_request": "json"},
            "POST",
            "/revoke",
            {"token": "rt", "token_type_hint": "refresh_token"},
        ),
        (
            {
                "revocation_method": "DELETE",
                "revocation_request": "none",
                "revocation_url": "{URL}/tokens-{token}",
            },
            "DELETE",
            "/tokens-rt",
            {},
        ),
        (
            {
                "revocation_method": "DELETE",
                "revocation_request": "json",
                "revocation_params": {"access_token": "{token}"},
                "revocation_url": "{URL}/applications-{client_id}",
            },
            "DELETE",
            "/applications-hitchpost",
            {"access_token": "rt"},
        ),
        ({"revocation_params": {"tok": "{token}"}}, "POST", "/revoke", {"tok": "rt"}),
        ({"revocation_params": {"token": "{access_token}"}}, "POST", "/revoke", {"token": "at"}),
    ],
)
def test_a_grant_is_ended_in_the_providers_own_way(
    world: World, third: ThirdParty, entry: dict[str, Any], method: str, path: str, sent: dict[str, str]
) -> None:
    """JSON at QuickBooks, a DELETE of the token's own address at HubSpot, the access token at Slack."""
    third.says["token"] = lambda _: tokens(access_token="at", refresh_token="rt")
    seen: list[tuple[str, str, Any]] = []

    def note(_form: dict[str, str]) -> dict[str, str]:
        body = request.get_json() if request.is_json else request.form.to_dict()
        seen.append((request.method, request.path, body))
        return {}

    third.says[path.removeprefix("/")] = note
    placed = {name: _placed(value, third.url) for name, value in entry.items()}
    connection = Connection(world, third.offer(world, **placed)).connect()
    connection.api.call("PUT", f"{connection.path}/deauthenticate")
    assert seen == [(method, path, sent)]


def test_a_token_revokes_itself_in_a_header(world: World, third: ThirdParty) -> None:
    """Without the client's secret, for a provider where that call is the token's own."""
    seen: list[tuple[str | None, str | None, bytes]] = []

    def note(_form: dict[str, str]) -> dict[str, str]:
        seen.append((request.headers.get("Authorization"), request.headers.get("X-Token"), request.data))
        return {}

    third.says |= {"token": lambda _: tokens(access_token="at", refresh_token="rt"), "revoke": note}
    for headers in ({"Authorization": "Bearer {access_token}"}, {"Authorization": "", "X-Token": "{token}"}):
        offered = third.offer(world, revocation_request="none", revocation_headers=headers)
        connection = Connection(world, offered).connect()
        connection.api.call("PUT", f"{connection.path}/deauthenticate")
    assert seen == [("Bearer at", None, b""), (None, "rt", b"")]


def _placed(value: Any, url: str) -> Any:
    return value.replace("{URL}", url) if isinstance(value, str) else value


@pytest.mark.parametrize(
    ("entry", "kind", "body"),
    [
        ({}, None, ""),
        ({"userinfo_body": "null"}, "application/json", "null"),
        ({"userinfo_body": '{"query": "{ me { id email } }"}'}, "application/json", None),
        (
            {"userinfo_body": "null", "userinfo_headers": {"content-type": "text/plain; charset=utf-8"}},
            "text/plain; charset=utf-8",
            "null",
        ),
    ],
)
def test_whose_account_it_is_may_be_asked_by_post(
    world: World, entry: dict[str, Any], kind: str | None, body: str | None
) -> None:
    """Dropbox wants no body or null, GraphQL a query, whose braces are no names."""
    asked = []

    def info(_issued: Any) -> dict[str, Any]:
        asked.append((request.method, request.headers.get("Content-Type"), request.get_data(as_text=True)))
        return {"data": {"me": {"email": "ada@example.com"}}}

    entry = {"userinfo_method": "POST", "account_claim": "data.me.email", **entry}
    with open_provider(Habits(entry=entry, info=info)) as provider:
        connection = Connection(world, provider.offer(world))
        assert provider.sign_in(connection).status_code == 200
        assert connection.last_sign_in()["ExternalAccount"] == "ada@example.com"
        assert asked == [("POST", kind, entry["userinfo_body"] if body is None else body)]


def test_a_header_may_say_which_client_asks(world: World) -> None:
    """Reddit slows down whoever does not: with the code, with the refresh token, and at the end."""
    agent = "web:{client_id}:v1"
    entry = {"token_headers": {"User-Agent": agent}, "userinfo_headers": {"User-Agent": agent}}
    with open_provider(Habits(entry=entry, info=lambda issued: {"email": issued.account})) as provider:
        connection = Connection(world, provider.offer(world))
        assert provider.sign_in(connection).status_code == 200
        connection.force()
        connection.api.call("PUT", f"{connection.path}/deauthenticate")
        agents = [(name, headers["User-Agent"]) for name, _, headers in provider.asked]
        expected = ["token", "userinfo", "token", "revoke"]
        assert agents[1:] == [(name, "web:hitchpost-client:v1") for name in expected]
