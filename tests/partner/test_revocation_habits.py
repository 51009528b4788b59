"""How providers want a grant ended: by which token, and how the request shows who sends it."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from flask import Response

from bff.partner import clock
from bff.partner.grants import revocation
from bff.partner.providers.transport import MAX_BYTES
from tests.support.provider import CLIENT, SECRET, Habits, Issued, Provider, as_json, open_provider
from tests.support.third_party import Connection
from tests.support.world import World

pytestmark = pytest.mark.one_database

ACCESS = {
    "revocation_params": {"token": "{access_token}", "token_type_hint": "access_token"},
    "token_auth": "client_secret_post",
}
PAIR = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()


def connect(world: World, provider: Provider) -> Connection:
    """Sign in."""
    connection = Connection(world, provider.offer(world))
    assert provider.sign_in(connection).status_code == 200
    return connection


def end(connection: Connection) -> str:
    """The user disconnects; what the API says of it."""
    answer = connection.api.call("PUT", f"{connection.path}/deauthenticate")
    return str(answer.json().get("Message", ""))


def try_again(connection: Connection) -> None:
    """The time for the next try has come."""
    connection.make_revocations_due()
    revocation.retry_revocations(connection.world.partner_service, 10_000)


def ends_by_access_token(given: Mapping[str, str], _headers: Mapping[str, str]) -> str | None:
    """What TikTok, Twitch and Todoist take."""
    return None if given.get("token_type_hint") == "access_token" else "unsupported_token_type"


def only_access(**habits: Any) -> Habits:
    """A provider that takes access tokens only, and refuses one that it does not know."""
    unknown: Callable[[], Any] = lambda: as_json({"status": 400, "message": "Invalid token"}, 400)  # noqa: E731
    return Habits(entry=ACCESS, revocation=ends_by_access_token, **{"unknown": unknown, **habits})


def test_a_grant_is_ended_by_its_access_token_where_the_provider_takes_no_other(world: World) -> None:
    """Although there is a refresh token; nothing is refreshed for it while that one is good."""
    with open_provider(only_access()) as provider:
        connection = connect(world, provider)
        access = connection.credentials().access_token
        assert "not revoked" not in end(connection)
        assert [given["token"] for given in provider.requests_of("revoke")] == [access]
        assert provider.requests_of("token")[1:] == []
        assert (provider.live, connection.noted()) == ({}, None)


@pytest.mark.parametrize("known", [True, False], ids=["known to be over", "refused before its time"])
@pytest.mark.parametrize("rotates", [True, False])
def test_an_access_token_that_is_over_is_refreshed_for_its_grants_end(
    world: World, rotates: bool, known: bool
) -> None:
    """In the background, which has the time: a refresh token whose answer nobody waits for may be spent."""
    with open_provider(only_access(rotates=rotates)) as provider:
        connection = connect(world, provider)
        del provider.live[connection.credentials().access_token]
        if known:
            connection.age()
        assert "refresh_needed_first" in end(connection)
        assert (len(provider.requests_of("token")), connection.noted().failures) == (1, 0)
        in_vain = len(provider.requests_of("revoke"))
        assert connection.noted().next_at <= clock.now()
        try_again(connection)
        tried = len(provider.requests_of("revoke"))
        assert (len(provider.requests_of("token")), in_vain, tried) == (2, *((0, 1) if known else (1, 3)))
        assert (provider.live, connection.noted()) == ({}, None)


def test_a_grant_that_its_user_has_taken_back_counts_as_ended(world: World) -> None:
    """Neither of its tokens is good any more: nothing is left to be done, and nobody is troubled."""
    with open_provider(only_access()) as provider:
        connection = connect(world, provider)
        provider.kill()
        end(connection)
        try_again(connection)
        assert connection.noted() is None


@pytest.mark.both_databases
def test_a_grant_that_was_refreshed_for_its_end_is_ended_later_by_what_came(world: World) -> None:
    """The provider took the old refresh token out of use, and is away when the new access token is sent."""
    with open_provider(only_access()) as provider:
        connection = connect(world, provider)
        connection.age()
        provider.habits = replace(provider.habits, revocation=lambda *_: "temporarily_unavailable")
        end(connection)
        try_again(connection)
        assert connection.noted().error == "temporarily_unavailable"
        provider.habits = replace(provider.habits, revocation=ends_by_access_token)
        try_again(connection)
        assert len(provider.requests_of("token")) == 2
        assert (provider.live, connection.noted()) == ({}, None)


def unanswered(provider: Provider, *, spent: bool) -> None:
    """Its answer to a refresh is too long to be read. The token is ``spent`` by it or not."""

    def too_long(issued: Issued) -> Any:
        if not spent:
            provider.live[str(provider.requests_of("token")[-1]["refresh_token"])] = issued.account
        return Response(b" " * 2 * MAX_BYTES)

    provider.habits = replace(provider.habits, refreshed=too_long)


def end_unanswered(world: World, provider: Provider, *, spent: bool) -> Connection:
    """A connection that has ended, and whose grant was refreshed for it without an answer."""
    connection = connect(world, provider)
    connection.age()
    end(connection)
    unanswered(provider, spent=spent)
    try_again(connection)
    return connection


@pytest.mark.parametrize("outage", [False, True])
def test_a_grant_whose_refresh_was_not_answered_does_not_count_as_ended(world: World, outage: bool) -> None:
    """Its refresh token is spent, and the one that replaced it is good, whoever has it: that is told."""
    with open_provider(only_access()) as provider:
        connection = end_unanswered(world, provider, spent=True)
        assert (connection.noted().error, connection.noted().given_up_at) == ("refresh_not_answered", None)
        provider.habits = replace(provider.habits, refreshed=None)
        if outage:
            provider.habits = replace(provider.habits, dead=lambda: as_json({"error": "server_error"}, 503))
            try_again(connection)
            provider.habits = only_access()
        try_again(connection)
        assert connection.noted().error == "refreshed_token_lost"
        assert connection.noted().given_up_at is not None
        (told,) = connection.inventory()
        assert told["State"] == "revocation given up"


def test_a_refresh_that_is_answered_in_the_end_makes_up_for_one_that_was_not(world: World) -> None:
    """The provider never got the first: the grant is ended by what the second brings, or is over."""
    with open_provider(only_access()) as provider:
        connection = end_unanswered(world, provider, spent=False)
        provider.habits = replace(
            provider.habits, refreshed=None, revocation=lambda *_: "temporarily_unavailable"
        )
        try_again(connection)
        assert connection.noted().error == "temporarily_unavailable"
        provider.habits = replace(provider.habits, revocation=ends_by_access_token)
        try_again(connection)
        assert connection.noted() is None


def test_a_client_that_is_refused_costs_no_refresh(world: World) -> None:
    """What is wrong is our own: another access token would be refused as well."""
    with open_provider(only_access(unknown=lambda: as_json({}))) as provider:
        connection = connect(world, provider)
        provider.habits = replace(provider.habits, revocation=lambda *_: "invalid_client")
        assert "invalid_client" in end(connection)
        assert len(provider.requests_of("token")) == 1


def test_a_grant_is_known_by_its_refresh_token_whatever_ends_it(world: World) -> None:
    """A second sign-in brings another access token of the same grant: it stands, and nothing is revoked."""

    def same(issued: Issued) -> Any:
        return {"access_token": issued.access, "refresh_token": "the-same", "token_type": "Bearer"}

    with open_provider(only_access(answers=same)) as provider:
        connection = connect(world, provider)
        assert provider.sign_in(connection).status_code == 200
        assert (provider.requests_of("revoke"), connection.noted()) == ([], None)
        other = Connection(world, connection.item)
        assert provider.sign_in(other).status_code == 200
        end(other)
        assert provider.requests_of("revoke") == []


def test_a_grant_without_a_refresh_token_is_ended_by_the_one_that_it_has(world: World) -> None:
    """As before; a bearer's token that is refused by 401 is no good any more."""

    def only(issued: Issued) -> Any:
        return {"access_token": issued.access, "token_type": "Bearer"}

    entry = {**ACCESS, "revocation_headers": {"Authorization": "Bearer {access_token}"}}
    for refused in (False, True):
        habits = Habits(
            entry=entry,
            answers=only,
            revoked_by=lambda _, headers: headers["Authorization"].removeprefix("Bearer "),
            unknown=lambda: as_json({"type": "error.list"}, 401),
        )
        with open_provider(habits) as provider:
            connection = connect(world, provider)
            if refused:
                provider.kill()
            end(connection)
            assert (provider.live, connection.noted()) == ({}, None)


WAYS: dict[str, tuple[dict[str, Any], dict[str, str], str | None]] = {
    "Dropbox": (
        {"revocation_headers": {"Authorization": "Bearer {access_token}"}, "revocation_request": "none"},
        {},
        "Bearer {access}",
    ),
    "Square": (
        {
            "revocation_headers": {"Authorization": "Client {client_secret}"},
            "revocation_params": {"client_id": "{client_id}", "access_token": "{access_token}"},
            "revocation_request": "json",
        },
        {"client_id": CLIENT, "access_token": "{access}"},
        f"Client {SECRET}",
    ),
    "Miro": (
        {
            "revocation_params": {
                "accessToken": "{access_token}",
                "clientId": "{client_id}",
                "clientSecret": "{client_secret}",
            },
            "revocation_request": "json",
        },
        {"accessToken": "{access}", "clientId": CLIENT, "clientSecret": SECRET},
        None,
    ),
    "Todoist": (
        {"revocation_headers": {"Authorization": "Basic {basic}"}, "revocation_request": "json"},
        {"token": "{access}", "token_type_hint": "access_token"},
        f"Basic {PAIR}",
    ),
    "Twitch": (
        {
            "revocation_headers": {"authorization": ""},
            "revocation_params": {"client_id": "{client_id}", "token": "{access_token}"},
        },
        {"client_id": CLIENT, "token": "{access}"},
        None,
    ),
}


@pytest.mark.parametrize("name", WAYS)
@pytest.mark.parametrize("token_auth", ["client_secret_post", "client_secret_basic"])
def test_a_revocation_shows_its_client_as_the_entry_says_and_in_no_other_way(
    world: World, name: str, token_auth: str
) -> None:
    """A secret goes where the provider wants it, once; headers are told by name, whatever their letters."""
    entry, fields, authorization = WAYS[name]
    more = {"token_headers": {"X-Own": "{client_id}", "AUTHORIZATION": "none"}}
    with open_provider(Habits(entry={**ACCESS, **more, **entry, "token_auth": token_auth})) as provider:
        connection = connect(world, provider)
        access = connection.credentials().access_token
        end(connection)
        sent, headers = next((given, got) for name, given, got in provider.asked if name == "revoke")
        assert sent == {field: text.replace("{access}", access) for field, text in fields.items()}
        expected = authorization.replace("{access}", access) if authorization else None
        if name == "Miro":
            expected = "none"
        assert headers.get("Authorization") == expected
        assert headers["X-Own"] == CLIENT


@pytest.mark.parametrize(
    ("answer", "left"),
    [
        ({"ok": True, "revoked": True}, None),
        ({"error": None}, None),
        ({"ok": False, "error": "token_revoked"}, None),
        ({"ok": False, "error": "internal_error"}, "internal_error"),
        ({"error": {"code": "busy"}}, "busy"),
    ],
)
def test_a_revocation_that_tells_an_error_with_status_200_has_ended_nothing(
    world: World, answer: dict[str, Any], left: str | None
) -> None:
    """Slack's way: it is tried again, unless it says that the token is no good any more."""
    with open_provider(Habits(unknown=lambda: as_json(answer), revoked_by=lambda *_: "")) as provider:
        connection = connect(world, provider)
        end(connection)
        found = connection.noted()
        assert (found.error if found else None) == left


def test_what_a_revocation_sends_is_neither_told_nor_logged(
    world: World, capfd: pytest.CaptureFixture[str]
) -> None:
    """A provider repeats all of it: the token, the client's secret, and both of them encoded."""

    def repeat(given: Mapping[str, str], headers: Mapping[str, str]) -> str:
        return f"{given['t']} {given['s']} {headers['Authorization']}"

    entry = {
        **ACCESS,
        "revocation_headers": {"Authorization": "Basic {basic}"},
        "revocation_params": {"t": "{access_token}", "s": "{client_secret}"},
    }
    with open_provider(Habits(entry=entry, revocation=repeat)) as provider:
        connection = connect(world, provider)
        access = connection.credentials().access_token
        message = end(connection)
        assert "not revoked" in message
        told = message + str(connection.noted().error) + "".join(capfd.readouterr())
        for secret in (access, SECRET, PAIR):
            assert secret not in told


def test_a_token_of_some_thousands_of_characters_is_sent(world: World) -> None:
    """Microsoft's and Zoom's have claims in them: to the user info, and to the revocation."""
    entry = {**ACCESS, "revocation_headers": {"Authorization": "Bearer {access_token}"}}
    habits = Habits(
        entry=entry,
        token_bytes=3000,
        info=lambda issued: {"email": issued.account},
        revoked_by=lambda _, headers: headers["Authorization"].removeprefix("Bearer "),
    )
    with open_provider(habits) as provider:
        connection = connect(world, provider)
        assert connection.last_sign_in()["ExternalAccount"] == "ada@example.com"
        end(connection)
        assert (provider.live, connection.noted()) == ({}, None)
