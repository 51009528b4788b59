"""A refresh costs no connection: whose client asks, what a refusal means, and what its answer brings."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from flask import Response

from bff.partner.grants import refreshed
from tests.partner.test_replaced_grants import failing, keep_house, revoked
from tests.support.third_party import Connection, ThirdParty, refused, tokens
from tests.support.world import World

pytestmark = pytest.mark.one_database


def bring_own_app(connection: Connection) -> None:
    """The host sets an app of the account's own."""
    for name in ("ClientId", "ClientSecret"):
        body = {"Name": name, "Value": "own"}
        assert connection.api.call("POST", f"{connection.path}/properties", body).status_code == 200


CLIENT_CHANGES = {
    "another app in the catalogue": lambda it: it.change_entry(client_id="new-app", client_secret="new"),
    "an app of the account's own": bring_own_app,
}


@pytest.mark.parametrize("change", CLIENT_CHANGES.values(), ids=CLIENT_CHANGES.keys())
def test_a_grant_is_refreshed_as_the_client_that_it_was_given_to(
    world: World, third: ThirdParty, change: Any
) -> None:
    """Any other client is told `invalid_grant` (RFC 6749, section 5.2), and the connection would be lost."""
    connection = Connection(world, third.offer(world, token_auth="client_secret_post")).connect()
    change(connection)
    first = {"client_id": "hitchpost", "client_secret": "third-party-secret"}
    third.says["token"] = lambda form: tokens() if first.items() <= form.items() else refused("invalid_grant")
    for _ in range(2):
        connection.age()
        assert connection.access_token().status_code == 200


def test_a_grant_is_refreshed_with_the_secret_that_its_client_has_today(
    world: World, third: ThirdParty
) -> None:
    """The operator has changed it at the third party and in the catalogue."""
    connection = Connection(world, third.offer(world, token_auth="client_secret_post")).connect()
    connection.change_entry(client_secret="changed")
    connection.age()
    assert connection.access_token().status_code == 200
    assert third.forms("token")[-1]["client_secret"] == "changed"


def test_a_refresh_token_is_not_kept_for_another_client(world: World, third: ThirdParty) -> None:
    """A second consent brings none, and was given to another app, which cannot use that of the first."""
    connection = Connection(world, third.offer(world, userinfo_url=f"{third.url}/userinfo")).connect()
    first = connection.credentials().refresh_token
    bring_own_app(connection)
    third.says["token"] = lambda _: tokens(refresh_token=None)
    connection.connect()
    assert connection.credentials().refresh_token is None
    assert revoked(third) == [first]


def test_grants_of_one_account_are_told_apart_by_the_client_that_each_was_given_to(
    world: World, third: ThirdParty
) -> None:
    """Where one revocation ends all of an account and a client, an edited entry changes nothing for them."""
    item = third.offer(world, userinfo_url=f"{third.url}/userinfo", revocation_ends="consent")
    one, two = Connection(world, item).connect(), Connection(world, item).connect()
    one.change_entry(client_id="new-app", client_secret="new")
    one.api.call("PUT", f"{one.path}/deauthenticate")
    assert third.forms("revoke") == []
    two.api.call("PUT", f"{two.path}/deauthenticate")
    assert len(third.forms("revoke")) == 1


def answers(status: int, **told: Any) -> Callable[[dict[str, str]], Response]:
    """Whatever it is asked, it answers this JSON."""
    return lambda _: Response(json.dumps(told), status, content_type="application/json")


OF_THE_CLIENT = [
    ("unsupported_grant_type", "Invalid grant_type: refresh_token"),
    ("unsupported_grant_type", "The refresh token grant is unknown here"),
    ("unauthorized_client", "Client is not authorized for refresh_token grant: unknown client"),
    ("unauthorized_client", "The grant type is unknown for this client"),
    ("invalid_client", "Unauthorized grant type: refresh_token"),
    ("invalid_client", "Invalid client or refresh token"),
    ("invalid_client: unknown refresh token", ""),
    ("invalid_scope", "The scope is invalid, or more than that of the refresh token"),
    ("invalid_request", "Invalid grant_type: refresh_token"),
    ("bad_request", "Unsupported grant: invalid client_id"),
]


@pytest.mark.both_databases
def test_a_refusal_of_the_client_is_no_end_of_a_grant(world: World, third: ThirdParty) -> None:
    """The operator's mistake (openid-client#380): the grant is kept, and works when it is corrected."""
    connection = Connection(world, third.offer(world)).connect()
    kept = connection.credentials().refresh_token
    connection.age()
    for error, description in OF_THE_CLIENT:
        answer = {"error": error, "error_description": description}
        third.says["token"] = answers(400, **answer)
        connection.change(refresh_not_before=None, refresh_failures=0)
        assert connection.access_token().status_code == 503, answer
        assert connection.credentials().refresh_token == kept
    del third.says["token"]
    connection.change(refresh_not_before=None)
    assert connection.access_token().status_code == 200


@pytest.mark.parametrize(
    ("error", "description"),
    [
        ("invalid_request", "refresh_token not found"),
        ("invalid_request", "The refresh token is invalid."),
        (
            "bad",
            "The provided authorization grant or refresh token is invalid, or was issued to another client",
        ),
    ],
)
def test_a_description_that_names_the_refresh_token_ends_its_grant(
    world: World, third: ThirdParty, error: str, description: str
) -> None:
    """Under a code that says nothing of the kind: thephpleague/oauth2-server#993, authlib#112."""
    connection = Connection(world, third.offer(world)).connect()
    third.says["token"] = answers(400, error=error, error_description=description)
    connection.age()
    assert connection.access_token().status_code == 409


STORES = "UPDATE account_connector SET authenticated="
"""How the statement begins that stores what a refresh brought."""


def once_only(third: ThirdParty, **first: Any) -> Callable[[dict[str, str]], Any]:
    """Answers that rotate refresh tokens, and take each once; ``first``: changes of the first answer."""
    spent: list[str] = []

    def answer(form: dict[str, str]) -> Any:
        if form["refresh_token"] in spent:
            return refused("invalid_grant")
        spent.append(form["refresh_token"])
        return tokens(refresh_token=f"next-{len(spent)}", **(first if len(spent) == 1 else {}))

    return answer


def test_a_refreshed_grant_that_cannot_be_stored_at_once_is_stored_a_little_later(
    world: World, third: ThirdParty
) -> None:
    """The database fails over just then: its refresh token is spent, and there is no other copy."""
    connection = Connection(world, third.offer(world)).connect()
    third.says["token"] = once_only(third)
    connection.age()
    with failing(world, STORES, times=2):
        assert connection.access_token().status_code == 200
    assert connection.credentials().refresh_token == "next-1"
    connection.age()
    assert connection.access_token().status_code == 200


@pytest.mark.parametrize("also", [(), ("INSERT INTO pending_revocation",)], ids=["noted", "not even noted"])
def test_a_refreshed_grant_that_the_database_never_stores_is_revoked(
    world: World, third: ThirdParty, monkeypatch: pytest.MonkeyPatch, also: tuple[str, ...]
) -> None:
    """Nothing is left at the third party that nobody knows of; the next caller is answered at once."""
    monkeypatch.setattr(refreshed, "WAITS", (0.01,))
    connection = Connection(world, third.offer(world)).connect()
    third.says["token"] = once_only(third)
    connection.age()
    with failing(world, STORES, *also):
        assert connection.access_token().status_code == 503
    assert revoked(third) == ["next-1"]
    connection.change(refresh_not_before=None)
    assert connection.access_token().status_code == 409


def test_a_grant_whose_refresh_token_stays_survives_a_database_that_fails(
    world: World, third: ThirdParty, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What could not be stored is the same grant: it is not revoked."""
    monkeypatch.setattr(refreshed, "WAITS", ())
    connection = Connection(world, third.offer(world)).connect()
    third.says["token"] = lambda _: tokens(refresh_token=None)
    connection.age()
    with failing(world, STORES, "INSERT INTO pending_revocation"):
        assert connection.access_token().status_code == 503
    connection.change(refresh_not_before=None)
    assert connection.access_token().status_code == 200
    assert revoked(third) == []


UNUSABLE = {"snow": {"access_token": "\u2603"}, "type": {"token_type": "mac"}, "none": {"access_token": None}}


@pytest.mark.parametrize(
    "first",
    [
        pytest.param(first, id=name, marks=[pytest.mark.both_databases] if name == "type" else [])
        for name, first in UNUSABLE.items()
    ],
)
def test_the_refresh_token_of_an_answer_that_cannot_be_used_is_the_next_one(
    world: World, third: ThirdParty, first: dict[str, Any]
) -> None:
    """The one before is spent: with the new one the next refresh succeeds."""
    connection = Connection(world, third.offer(world)).connect()
    third.says["token"] = once_only(third, **first)
    connection.age()
    assert connection.access_token().status_code == 503
    connection.change(refresh_not_before=None)
    assert connection.access_token().status_code == 200
    assert connection.credentials().refresh_token == "next-2"
    assert revoked(third) == []


def test_an_answer_that_cannot_be_used_and_comes_after_a_new_sign_in_is_revoked(
    world: World, third: ThirdParty
) -> None:
    """Its token belongs to the grant that was replaced."""
    connection = Connection(world, third.offer(world)).connect()

    def refreshes(_: dict[str, str]) -> Any:
        third.says["token"] = lambda _: tokens(refresh_token="of-the-new-sign-in")
        connection.connect()
        return tokens(refresh_token="late", token_type="mac")

    third.says["token"] = refreshes
    connection.age()
    assert connection.access_token().status_code == 200
    assert revoked(third)[-1] == "late"
    assert connection.credentials().refresh_token == "of-the-new-sign-in"


def test_a_token_without_a_user_that_cannot_be_used_is_revoked(world: World, third: ThirdParty) -> None:
    """Nothing refreshes it, so it is of no use."""
    third.says["token"] = lambda _: tokens(access_token="good", refresh_token=None)
    connection = Connection(world, third.offer(world, grant="client_credentials"))
    assert connection.start().status_code == 200
    third.says["token"] = lambda _: tokens(access_token="of-mac", token_type="mac", refresh_token=None)
    connection.age()
    assert connection.access_token().status_code == 503
    keep_house(world, connection)
    assert revoked(third) == ["of-mac"]


@pytest.mark.parametrize("trouble", ["refused", "not noted"])
def test_a_grant_that_is_refreshed_for_its_end_is_revoked_by_what_came(
    world: World, third: ThirdParty, trouble: str
) -> None:
    """Whether its new access token can be used or stored does not matter for that."""
    entry = {"revocation_params": {"token": "{access_token}"}}
    connection = Connection(world, third.offer(world, **entry)).connect()
    changes = {"token_type": "mac"} if trouble == "refused" else {}
    third.says["token"] = once_only(third, access_token="came", **changes)
    connection.age()
    with failing(world, *(["UPDATE pending_revocation SET sealed_grant"] if trouble == "not noted" else [])):
        connection.api.call("PUT", f"{connection.path}/deauthenticate")
        keep_house(world, connection)
    assert revoked(third) == ["came"]


@pytest.mark.parametrize(
    ("status", "error"), [(500, "invalid_grant"), (503, "token_expired"), (429, "invalid_grant")]
)
def test_a_dead_grant_is_told_by_its_code_whatever_the_status(
    world: World, third: ThirdParty, status: int, error: str
) -> None:
    """micronaut-security#235. It may be an outage: the second in a row needs the user, and all heals."""
    connection = Connection(world, third.offer(world)).connect()
    third.says["token"] = answers(status, error=error)
    connection.age()
    assert connection.access_token().status_code == 503
    connection.change(refresh_not_before=None)
    connection.access_token()
    assert connection.grant_state() == ("needs_reconnect", "refused")
    del third.says["token"]
    connection.change(refresh_not_before=None)
    connection.look()
    assert connection.access_token().status_code == 200


@pytest.mark.parametrize(("status", "word"), [(503, "session_gone"), (429, "40105"), (200, "unavailable")])
def test_a_word_of_the_entry_for_a_dead_grant_counts_whatever_the_status(
    world: World, third: ThirdParty, status: int, word: str
) -> None:
    """`dead_refresh`: whoever wrote the entry knows what this third party means."""
    connection = Connection(world, third.offer(world, dead_refresh=[word])).connect()
    third.says["token"] = answers(status, error=word)
    connection.age()
    assert connection.access_token().status_code == 409


def test_words_about_a_token_are_no_end_of_a_grant_during_an_outage(world: World, third: ThirdParty) -> None:
    """Only codes count then: the connection stands, however often."""
    connection = Connection(world, third.offer(world)).connect()
    third.says["token"] = answers(503, error="oops", error_description="Refresh token not found.")
    connection.age()
    for _ in range(3):
        connection.change(refresh_not_before=None)
        assert connection.access_token().status_code == 503


@pytest.mark.parametrize("way", ["signs in again", "disconnects and connects", "disconnects"])
def test_a_new_grant_waits_for_no_refresh_of_the_one_before(
    world: World, third: ThirdParty, way: str
) -> None:
    """The user was there while it was under way: whoever wants a fresh token now refreshes at once."""
    connection = Connection(world, third.offer(world)).connect()

    def meanwhile(_: dict[str, str]) -> Any:
        del third.says["token"]
        if way != "signs in again":
            assert connection.api.call("PUT", f"{connection.path}/deauthenticate").status_code == 200
        if way != "disconnects":
            connection.connect()
        return tokens(refresh_token="late")

    third.says["token"] = meanwhile
    connection.age()
    assert connection.access_token().status_code == (409 if way == "disconnects" else 200)
    assert connection.row().refresh_lease_ends is None
    if way == "disconnects":
        connection.connect()
    asked = len(third.forms("token"))
    assert connection.force().status_code == 200
    assert len(third.forms("token")) == asked + 1
