"""One habit of providers at a time: through a whole sign-in, and what comes of it.

Each has its row in ``docs/providers.md``, with the providers or the public bug reports that it was seen at.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime
from typing import Any

import pytest
from flask import Response, request

from bff.partner import clock
from bff.partner.grants.refresh_failures import MOST_VAGUE_REFUSALS
from bff.partner.providers.entries import LONGEST_LIFE
from tests.support.provider import Habits, open_provider
from tests.support.third_party import Connection, ThirdParty, refused, tokens
from tests.support.world import World

pytestmark = pytest.mark.one_database


def raw(body: str, status: int = 200, media_type: str = "application/json") -> Response:
    """An answer as it is."""
    return Response(body, status, content_type=media_type)


GOOD: dict[str, tuple[dict[str, Any], Callable[[], Any]]] = {
    "201": ({}, lambda: raw(json.dumps(tokens()), 201)),
    "202": ({}, lambda: raw(json.dumps(tokens()), 202)),
    "a type in capitals": ({}, lambda: tokens(token_type="BEARER")),
    "JSON called a text": ({}, lambda: raw(json.dumps(tokens()), media_type="text/plain")),
    "JSON called a script": ({}, lambda: raw(json.dumps(tokens()), media_type="text/javascript")),
    "JSON of a vendor's own": ({}, lambda: raw(json.dumps(tokens()), media_type="application/vnd.x+json")),
    "a page's media type": ({}, lambda: raw(json.dumps(tokens()), media_type="text/html; charset=UTF-8")),
    "a byte order mark": ({}, lambda: raw("\ufeff" + json.dumps(tokens()))),
    "a form": ({}, lambda: raw("access_token=at&scope=&token_type=bearer", media_type="text/plain")),
    "a form, said to be JSON": ({"token_response": "form"}, lambda: raw("access_token=at&expires_in=60")),
    "no token type": ({}, lambda: {"access_token": "at"}),
    "null as token type": ({}, lambda: tokens(token_type=None)),
    "an odd token type": ({}, lambda: tokens(token_type="BearerToken")),
    "names in other letters": ({}, lambda: {"accessToken": "at", "tokenType": "Bearer", "expiresIn": 60}),
    "inside another object": (
        {"token_root": "data.auth"},
        lambda: {"data": {"auth": {"access_token": "at"}}},
    ),
    "an empty error beside it": ({}, lambda: tokens(error="", error_description="")),
    "scopes as a list": ({}, lambda: tokens(scope=["read", "write"])),
}


@pytest.mark.parametrize("name", GOOD)
def test_a44_a_token_answer_is_read_in_every_form_it_is_seen_in(
    world: World, third: ThirdParty, name: str
) -> None:
    """deno-oauth2-client#37, openid-client#666, golang/oauth2#542, agor#2192, oauth2-rs#86.

    RFC 6749, section 5.1: the token's type is read in any case.
    """
    entry, say = GOOD[name]
    third.says["token"] = lambda _: say()
    connection = Connection(world, third.offer(world, **entry)).connect()
    assert connection.access_token().json()["AccessToken"].startswith("at")


@pytest.mark.parametrize(
    ("answer", "error", "description"),
    [
        (
            {"error": "bad_verification_code", "error_description": "It is wrong."},
            "bad_verification_code",
            "It is wrong.",
        ),
        ({"ok": False, "error": "invalid_code"}, "invalid_code", None),
        (
            {"error": {"code": 190, "message": "Code was used.", "type": "OAuthException"}},
            "190",
            "Code was used.",
        ),
        (
            {"errors": [{"errorType": "invalid_client", "message": "Bad."}], "success": False},
            "invalid_client",
            "Bad.",
        ),
        ({"status": "BAD_AUTH_CODE", "message": "missing or unknown"}, "BAD_AUTH_CODE", "missing or unknown"),
        ({"errcode": 40029, "errmsg": "invalid code"}, "40029", "invalid code"),
    ],
)
@pytest.mark.parametrize("status", [200, 400])
def test_an_error_is_the_providers_own_whatever_its_status(
    world: World, third: ThirdParty, answer: dict[str, Any], error: str, description: str | None, status: int
) -> None:
    """simple-oauth2#459; with what it says of it, for operators."""
    third.says["token"] = lambda _: raw(json.dumps(answer), status)
    connection = Connection(world, third.offer(world))
    page = connection.answer(connection.begin(), code="c")
    # In development; in production the page says no more than what it means for its user.
    assert (page.status_code, error in page.text, (description or "") in page.text) == (400, True, True)
    told = connection.last_sign_in()
    assert (told["Result"], told["Error"]) == ("failed", error)
    expected = {"Endpoint": "token", "Status": status, "Error": error, "Description": description}
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


DEAD: dict[str, tuple[dict[str, Any], int, str]] = {
    "RFC 6749": ({"error": "invalid_grant"}, 400, "revoked"),
    "Google": (
        {"error": "invalid_grant", "error_description": "Token has been expired or revoked."},
        400,
        "expired",
    ),
    "GitHub": ({"error": "bad_refresh_token"}, 200, "revoked"),
    "Slack": ({"ok": False, "error": "token_expired"}, 200, "expired"),
    "HubSpot": (
        {"status": "BAD_REFRESH_TOKEN", "message": "missing or invalid refresh token"},
        400,
        "revoked",
    ),
    "Atlassian": (
        {"error": "unauthorized_client", "error_description": "refresh_token is invalid"},
        403,
        "revoked",
    ),
    "EVE": ({"error": "invalid_grant: Token is expired or invalid."}, 400, "expired"),
    "EVE, revoked": ({"error": "invalid_token"}, 400, "revoked"),
    "Microsoft": ({"error": "interaction_required"}, 400, "revoked"),
    "Fitbit": (
        {"errors": [{"errorType": "invalid_grant", "message": "Refresh token invalid: x"}]},
        401,
        "revoked",
    ),
    "a word of the entry's": ({"error": "invalid_code"}, 200, "revoked"),
}


@pytest.mark.parametrize("name", DEAD)
def test_a47_every_way_to_say_dead_needs_a_sign_in_at_once(
    world: World, third: ThirdParty, name: str
) -> None:
    """Noticed at the first answer that says so, and never asked again."""
    answer, status, reason = DEAD[name]
    connection = Connection(world, third.offer(world, dead_refresh=["invalid_code"])).connect()
    third.says["token"] = lambda _: raw(json.dumps(answer), status)
    connection.age()
    asked = len(third.forms("token"))
    answers = [connection.access_token() for _ in range(3)]
    assert [answer.status_code for answer in answers] == [409] * 3
    assert "sign in again" in answers[0].json()["Message"]
    assert len(third.forms("token")) == asked + 1
    assert connection.told()["Authenticated"] is False
    assert connection.grant_state() == ("needs_reconnect", reason)
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


@pytest.mark.parametrize(
    ("told", "default", "seconds"),
    [
        ("3600", None, 3600),
        (" 3600 ", None, 3600),
        ("3600 seconds", None, 3600),
        ("3600s", None, 3600),
        ("a time since 1970", None, 3600),
        (10**9, None, LONGEST_LIFE),
        ("3599.5", None, 3599.5),
        (3599.5, None, 3599.5),
        (None, 7200, 7200),
        (0, 7200, 7200),
        ("soon", 7200, 7200),
        (None, None, None),
        ("absent", None, None),
        (-5, None, None),
        (True, None, None),
        ([], None, None),
        (10**15, None, LONGEST_LIFE),
        ("9" * 400, None, LONGEST_LIFE),
    ],
)
def test_a44_a_life_is_read_in_every_form(
    world: World, third: ThirdParty, told: Any, default: int | None, seconds: float | None
) -> None:
    """bluebutton-web-server#512; where there is none, the catalogue may say it. No sign-in fails by it."""
    if told == "a time since 1970":
        told = int(clock.now().timestamp()) + 3600
    answered = tokens(expires_in=told)
    if told == "absent":
        del answered["expires_in"]
    third.says["token"] = lambda _: answered
    entry = {} if default is None else {"expires_in_default": default}
    ends = Connection(world, third.offer(world, **entry)).connect().credentials().expires_at
    if seconds is None:
        assert ends is None
    else:
        assert ends is not None
        assert abs((ends - clock.now()).total_seconds() - seconds) < 30


OF_ACCESS = ("expires", "access_token_expires_in", "access_token_expire_in", "accessTokenExpiresIn")
ENDS_OF_ACCESS = ("expires", "access_token_expires_at", "expires_on")
OF_REFRESH = ("refresh_token_expire_in", "refresh_expires_in")
TOLD_SECONDS: dict[str, Callable[[datetime], Any]] = {
    "a life": lambda _: 3600,
    "a life as a text": lambda _: "3600",
    "a time": lambda end: int(end.timestamp()),
    "milliseconds": lambda end: int(end.timestamp() * 1000),
}
TOLD_TIMES: dict[str, Callable[[datetime], Any]] = {
    "a time": TOLD_SECONDS["a time"],
    "ISO 8601": datetime.isoformat,
    "an HTTP date": lambda end: format_datetime(end, usegmt=True),
}


@pytest.mark.parametrize(
    ("name", "told"),
    [
        *((name, told) for name in (*OF_ACCESS, *OF_REFRESH) for told in TOLD_SECONDS.values()),
        *((name, told) for name in ENDS_OF_ACCESS for told in TOLD_TIMES.values()),
    ],
)
def test_a_life_is_read_under_every_name(
    world: World, third: ThirdParty, name: str, told: Callable[[datetime], Any]
) -> None:
    """It is a life or a time, as its value shows."""
    end = clock.now().astimezone(UTC) + timedelta(hours=1)
    answered = tokens(**{name: told(end)})
    del answered["expires_in"]
    third.says["token"] = lambda _: answered
    kept = Connection(world, third.offer(world)).connect().credentials()
    found, other = kept.expires_at, kept.grant_ends_at
    if name in OF_REFRESH:
        found, other = other, found
    assert found is not None
    assert abs(found - end) < timedelta(seconds=30)
    assert other is None


@pytest.mark.parametrize(
    "told",
    [
        {"scope": "read, write"},
        {"scope": "read,write"},
        {"scope": "read,  write,"},
        {"scope": ["read", "write"]},
        {"scopes": "read write"},
        {"scopes": ["read", "write"]},
        {"scope": None, "scopes": "read, write"},
        {"scope": "read write", "scopes": "admin"},
    ],
)
def test_the_scopes_of_an_answer_are_read_in_every_form(
    world: World, third: ThirdParty, told: dict[str, Any]
) -> None:
    """Bitbucket and others: ``scopes``, and commas with blanks."""
    third.says["token"] = lambda _: tokens(**told)
    kept = Connection(world, third.offer(world)).connect().credentials()
    assert kept.scope == "read write"


@pytest.mark.parametrize("token", [" at-1", "at-1\n", "\tat-1 \r\n"])
def test_a_token_with_blanks_around_it_is_taken_without(world: World, third: ThirdParty, token: str) -> None:
    """A line feed of the program that wrote it."""
    third.says["token"] = lambda _: tokens(access_token=token, refresh_token=f"{token} ")
    kept = Connection(world, third.offer(world)).connect().credentials()
    assert (kept.access_token, kept.refresh_token) == ("at-1", "at-1")


SOON = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
"""An end that a provider may tell."""
TIMES = {
    "Square": SOON.strftime("%Y-%m-%dT%H:%M:%SZ"),
    "a fraction of a second": SOON.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
    "another offset": SOON.astimezone(timezone(timedelta(hours=-5))).isoformat(),
    "an offset after a blank": SOON.strftime("%Y-%m-%d %H:%M:%S +0000"),
    "a zone by name": SOON.strftime("%Y-%m-%d %H:%M:%S UTC"),
    "an HTTP date": format_datetime(SOON, usegmt=True),
    "no offset": SOON.strftime("%Y-%m-%d %H:%M:%S"),
    "seconds": int(SOON.timestamp()),
    "seconds as a text": str(int(SOON.timestamp())),
    "milliseconds": int(SOON.timestamp() * 1000),
    "milliseconds as a text": str(int(SOON.timestamp() * 1000)),
    "nanoseconds": int(SOON.timestamp()) * 10**9,
}


@pytest.mark.parametrize("told", TIMES.values(), ids=TIMES.keys())
def test_an_end_is_read_in_every_form(world: World, third: ThirdParty, told: Any) -> None:
    """simple-oauth2#277: the time itself, in place of a life, also for the refresh token."""
    ends = {"expires_in": None, "expires_at": told, "refresh_token_expires_at": told}
    third.says["token"] = lambda _: tokens(**ends)
    credentials = Connection(world, third.offer(world)).connect().credentials()
    for end in (credentials.expires_at, credentials.grant_ends_at):
        assert end is not None
        assert abs(end - SOON) < timedelta(seconds=1)


@pytest.mark.parametrize(
    "told", ["", "soon", "2001-01-01T00:00:00Z", 1, [], {}, True, "9" * 5000, "0000-00-00"]
)
def test_an_end_that_is_none_is_replaced_by_the_entrys_default(
    world: World, third: ThirdParty, told: Any
) -> None:
    """And never stops a sign-in."""
    third.says["token"] = lambda _: tokens(expires_in=None, expires_at=told)
    ends = Connection(world, third.offer(world, expires_in_default=7200)).connect().credentials().expires_at
    assert ends is not None
    assert ends > SOON


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
