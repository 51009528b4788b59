"""What a user typed is tried at the third party, kept or refused, and recorded as any sign-in is."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import pytest
import requests
from flask import Response, request

from bff.partner.providers import body_errors
from tests.partner.test_replaced_grants import failing, keep_house
from tests.support.third_party import Connection, ThirdParty, refused, tokens
from tests.support.world import World

pytestmark = pytest.mark.one_database

API_KEY = {"auth": "api_key", "revocation_url": None}
SUBDOMAIN = {"name": "team", "label": "Team", "pattern": "[a-z]+"}


def connection(world: World, third: ThirdParty, **changes: Any) -> Connection:
    """An account connector whose credentials are tried at ``/me``."""
    check = {"url": f"{third.url}/me", "headers": {"X-Key": "{api_key}"}}
    return Connection(world, third.offer(world, **{**API_KEY, "check": check, **changes}))


def give(installed: Connection, value: str | None = None, **properties: str) -> requests.Response:
    """Send what a user typed, for a sign-in token of its own."""
    return installed.api.call("PUT", installed.path, typed(installed, value, **properties))


def typed(installed: Connection, value: str | None = None, **properties: str) -> dict[str, Any]:
    """What a user typed, for a sign-in token of its own."""
    body: dict[str, Any] = {
        "Properties": [{"Name": name, "Value": text} for name, text in properties.items()],
        "Hitchpost": {"SignIn": hashlib.sha256(installed.api.sign_in_token().encode()).hexdigest()},
    }
    return body if value is None else {**body, "AuthValue": value}


def fields(answer: requests.Response) -> dict[str, str]:
    """What is wrong with which field."""
    found: dict[str, str] = answer.json()["Hitchpost"]["Fields"]
    return found


def test_a_key_is_tried_where_and_how_the_catalogue_says(partner_world: World, third: ThirdParty) -> None:
    """Its identity is read from the answer; the sign-in is recorded, and its token is used up."""
    seen: list[str | None] = []
    third.says["me"] = lambda _: seen.append(request.headers.get("X-Key")) or {"data": {"id": 7}}
    installed = connection(partner_world, third, account_claim="data.id")
    answer = give(installed, "k-1")
    assert answer.status_code == 200, answer.text
    assert seen == ["k-1"]
    told = installed.told()
    assert (told["Authenticated"], told["AuthValue"]) == (True, "k-1")
    last = told["Hitchpost"]["LastSignIn"]
    assert (last["Result"], last["ExternalAccount"]) == ("connected", "7")


@pytest.mark.parametrize("org", [None, "north"])
def test_a_check_goes_without_an_optional_field_that_is_empty(
    world: World, third: ThirdParty, org: str | None
) -> None:
    """Its headers and parameters are left out; what is sent as Basic has nothing in its place."""
    seen: list[tuple[str | None, str | None, dict[str, str]]] = []
    third.says["me"] = lambda form: (
        seen.append((request.headers.get("X-Org"), request.headers.get("Authorization"), form)) or {}
    )
    check = {
        "url": f"{third.url}/me",
        "method": "POST",
        "basic": "{api_key}:{org}",
        "headers": {"X-Org": "{org}"},
        "params": {"org": "{org}", "v": "1"},
    }
    optional = {"name": "org", "label": "Organisation", "optional": True}
    installed = connection(world, third, field=[optional], check=check)
    given = {"org": org} if org else {}
    answer = give(installed, "k-1", **given)
    assert answer.status_code == 200, answer.text
    pair = f"k-1:{org or ''}".encode()
    assert seen == [(org, f"Basic {base64.b64encode(pair).decode()}", {"v": "1", **given})]


REFUSALS = {401: 422, 403: 422, 400: 422, 404: 422, 302: 422, 429: 424, 408: 424, 500: 424, 503: 424}


def test_a_refusal_is_told_apart_from_no_answer(partner_world: World, third: ThirdParty) -> None:
    """Wrong is what the third party refuses; that it is busy or out of order says nothing of the key."""
    installed = connection(partner_world, third)
    for status, expected in REFUSALS.items():
        third.says["me"] = lambda _, status=status: refused("no", status)  # type: ignore[misc]
        answer = give(installed, "k-1")
        assert (answer.status_code, status) == (expected, status)
        assert fields(answer) == ({"api_key": "refused"} if expected == 422 else {}), status
    told = installed.told()
    assert (told["Authenticated"], told["AuthValue"], told["Hitchpost"]["LastSignIn"]) == (False, None, None)


REFUSED_WITH_200 = [
    {"ok": False, "error": "invalid_auth"},
    {"ok": False},
    {"error": "Invalid API key"},
    {"error": {"code": 401, "message": "unauthorized"}},
    {"success": False},
    {"errors": [{"message": "bad key"}]},
    {"data": {"viewer": None}, "errors": [{"message": "bad key"}]},
    {"status": "error", "code": "unauthorized"},
    {"status": "fail", "message": "Who are you?"},
    {"statusCode": 401},
    {"code": 403, "msg": "no"},
]
GOOD_WITH_200 = [
    {"ok": True, "error": None},
    {"error": {"code": "ok", "message": ""}, "data": {"user": {}}},
    {"error": "", "errors": []},
    {"error": False},
    {"error": 0},
    {"success": True, "errors": [], "messages": []},
    {"data": {"viewer": {"id": 1}}, "errors": [{"message": "one field is slow"}]},
    {"status": "success"},
    {"status": "error"},
    {"code": 401, "name": "a customer"},
    [{"error": "of one item of a list"}],
]


@pytest.mark.parametrize("body", [*REFUSED_WITH_200, *GOOD_WITH_200], ids=str)
def test_a_body_tells_a_refusal_whatever_its_form(body: Any) -> None:
    """Although the entry names no path at which to look for it; ``{"errors": []}`` and the like are none."""
    assert (body_errors.refusal_in(body) is not None) is (body in REFUSED_WITH_200)


def test_a_refusal_with_the_status_200_is_one(partner_world: World, third: ThirdParty) -> None:
    """As one with any other status."""
    third.says["me"] = lambda _: REFUSED_WITH_200[0]
    answer = give(connection(partner_world, third), "k-1")
    assert (answer.status_code, fields(answer)) == (422, {"api_key": "refused"})


def test_too_many_requests_with_the_status_200_are_no_refusal(
    partner_world: World, third: ThirdParty
) -> None:
    """Slack's word for it."""
    third.says["me"] = lambda _: {"ok": False, "error": "ratelimited"}
    answer = give(connection(partner_world, third), "k-1")
    assert (answer.status_code, fields(answer)) == (424, {})


def test_a_host_that_nobody_answers_at_may_be_mistyped(partner_world: World, third: ThirdParty) -> None:
    """Where the user named it, that is what is told."""
    field = {"name": "host", "label": "Host", "pattern": "[a-z.]+"}
    check = {"url": "https://{host}.invalid/me", "headers": {"X-Key": "{api_key}"}}
    installed = connection(partner_world, third, field=[field], check=check)
    answer = give(installed, "k-1", host="nowhere")
    assert (answer.status_code, fields(answer)) == (424, {"host": "unreachable"})


WRONG = [
    (None, "north", {"api_key": "missing"}),
    ("k", None, {"team": "missing"}),
    ("k", "No!", {"team": "pattern"}),
    (None, "No!", {"api_key": "missing", "team": "pattern"}),
    ("k\u00fc", "north", {"api_key": "pattern"}),
]


def test_what_cannot_be_right_is_not_sent_anywhere(partner_world: World, third: ThirdParty) -> None:
    """All faults are told at once, by the names of the fields."""
    installed = connection(partner_world, third, field=[SUBDOMAIN])
    for value, team, faults in WRONG:
        answer = give(installed, value, **({"team": team} if team else {}))
        assert (answer.status_code, fields(answer)) == (422, faults)
    assert third.forms("me") == []


def test_a_region_is_one_of_its_choices(partner_world: World, third: ThirdParty) -> None:
    """They are told with the connector, as Cyclr tells values, and with the texts that users read."""
    region = {"name": "region", "label": "Region", "choices": {"eu": "Europe", "us": "United States"}}
    installed = connection(partner_world, third, field=[region])
    told = installed.api.call("GET", f"/v1.0/connectors/{installed.item.id}").json()
    assert [one["Values"] for one in told["Parameters"]] == [["eu", "us"]]
    (field,) = told["Hitchpost"]["Fields"]
    assert field["Choices"] == [
        {"Value": "eu", "Label": "Europe"},
        {"Value": "us", "Label": "United States"},
    ]
    assert fields(give(installed, "k", region="mars")) == {"region": "pattern"}
    refused_ = installed.api.call("POST", f"{installed.path}/properties", {"Name": "region", "Value": "mars"})
    assert refused_.status_code == 400
    assert "The value of property 'region' is none of: eu, us." in refused_.text
    assert give(installed, "k", region="us").status_code == 200


def test_a_user_name_and_password(partner_world: World, third: ThirdParty) -> None:
    """As Cyclr takes them; the check may name the two, or both as the header has them."""
    seen: list[str | None] = []
    third.says["me"] = lambda _: seen.append(request.headers.get("Authorization")) or {}
    check = {"url": f"{third.url}/me", "headers": {"Authorization": "Basic {basic}"}}
    installed = connection(partner_world, third, auth="basic", check=check)
    value = base64.b64encode(b"ada:pass:word").decode()
    assert give(installed, value).status_code == 200
    assert seen == [f"Basic {value}"]
    third.says["me"] = lambda _: refused("no", 401)
    assert fields(give(installed, value)) == {"password": "refused"}
    assert give(installed, "no base64!").status_code == 422


@pytest.mark.both_databases
def test_a_client_of_the_users_own(partner_world: World, third: ThirdParty) -> None:
    """It gets a token at once, and again by itself; with the connection it is forgotten."""
    installed = connection(partner_world, third, auth="client_credentials", check=None, client_id=None)
    third.says["token"] = lambda _: refused("invalid_client", 401)
    answer = give(installed, ClientId="id", ClientSecret="wrong")
    assert (answer.status_code, fields(answer)) == (422, {"client_secret": "refused"})
    assert installed.told()["Properties"] == []
    third.says["token"] = lambda _: tokens()
    assert give(installed, ClientId="id", ClientSecret="right").status_code == 200
    assert installed.access_token().status_code == 200
    third.says["token"] = lambda _: refused("server_error", 503)
    assert give(installed, ClientId="id", ClientSecret="other").status_code == 424
    installed.api.call("PUT", f"{installed.path}/deauthenticate")
    assert installed.told()["Properties"] == []


def test_another_account_waits_for_the_users_choice(partner_world: World, third: ThirdParty) -> None:
    """What was typed for it is held, and taken when the user says so; an e-mail's case is none."""
    third.says["me"] = lambda _: {"email": f"{request.headers['X-Key']}@example.com"}
    installed = connection(partner_world, third)
    give(installed, "ada")
    assert give(installed, "ADA").status_code == 200
    told = give(installed, "grace").json()
    last = told["Hitchpost"]["LastSignIn"]
    assert (last["Result"], last["Error"]) == ("failed", "account_mismatch")
    assert told["AuthValue"] == "ADA"
    accepted = installed.api.call("PUT", f"{installed.path}/signins/{last['TokenSha256']}/accept")
    assert accepted.json()["AuthValue"] == "grace"
    assert installed.last_sign_in()["ExternalAccount"] == "grace@example.com"


def test_another_client_waits_likewise(partner_world: World, third: ThirdParty) -> None:
    """With its token, and the client that the token is renewed with."""
    installed = connection(
        partner_world, third, auth="client_credentials", check=None, userinfo_url=f"{third.url}/userinfo"
    )
    give(installed, ClientId="one", ClientSecret="s")
    third.says["userinfo"] = lambda _: {"email": "grace"}
    last = give(installed, ClientId="two", ClientSecret="s").json()["Hitchpost"]["LastSignIn"]
    assert last["Error"] == "account_mismatch"
    assert {one["Name"]: one["Value"] for one in installed.told()["Properties"]}["ClientId"] == "one"
    installed.api.call("PUT", f"{installed.path}/signins/{last['TokenSha256']}/accept")
    assert {one["Name"]: one["Value"] for one in installed.told()["Properties"]}["ClientId"] == "two"
    assert installed.credentials().client.id == "two"  # type: ignore[union-attr]


def test_a_key_takes_the_place_of_a_grant(partner_world: World, third: ThirdParty) -> None:
    """A connector that was OAuth before: the grant is not left behind."""
    installed = connection(
        partner_world, third, auth="oauth2", check=None, revocation_url=f"{third.url}/revoke"
    )
    installed.connect()
    item = installed.item.model_copy(update={"auth": "api_key"})
    catalogue = partner_world.partner_service.catalogue
    catalogue.connectors = tuple(item if one.id == item.id else one for one in catalogue.connectors)
    assert give(installed, "k-1").status_code == 200
    assert installed.row().credentials is None
    assert len(third.forms("revoke")) == 1


@pytest.mark.parametrize("token", ["unknown", "used", "another account's"])
def test_each_sign_in_token_stands_for_one_outcome(
    partner_world: World, third: ThirdParty, token: str
) -> None:
    """Of this account, and used by nobody yet."""
    third.says["me"] = lambda _: {}
    installed = connection(partner_world, third)
    other = connection(partner_world, third)
    value = (other if token == "another account's" else installed).api.sign_in_token()
    body = {"AuthValue": "k", "Hitchpost": {"SignIn": hashlib.sha256(value.encode()).hexdigest()}}
    if token == "unknown":
        body["Hitchpost"] = {"SignIn": "0" * 64}
    if token == "used":
        installed.api.call("PUT", installed.path, body)
    assert installed.api.call("PUT", installed.path, body).status_code == 409


def test_nothing_is_needed_where_there_is_nothing_to_sign_in_with(
    partner_world: World, third: ThirdParty
) -> None:
    """``auth = "none"``: connected by the user's word, with the values that it has fields for."""
    installed = connection(partner_world, third, auth="none", check=None, field=[SUBDOMAIN])
    assert fields(give(installed)) == {"team": "missing"}
    assert give(installed, team="north").json()["Authenticated"] is True


def test_odd_answers_of_a_check_name_nobody(partner_world: World, third: ThirdParty) -> None:
    """A list, a number, another object: the key is good, and whose it is stays unknown."""
    installed = connection(partner_world, third)
    for body in ("[]", "7", '{"email": {"a": 1}}', '{"email": null}'):
        third.says["me"] = lambda _, said=body: Response(said, content_type="text/html")  # type: ignore[misc]
        told = give(installed, "k").json()
        assert (told["Authenticated"], told["Hitchpost"]["LastSignIn"]["ExternalAccount"]) == (True, None)


@pytest.mark.parametrize("auth", ["api_key", "basic", "client_credentials", "none"])
def test_what_was_typed_before_a_disconnect_connects_nothing_after_it(
    partner_world: World, third: ThirdParty, auth: str
) -> None:
    """The connection was ended while the credentials were tried: none are kept, and no grant is left."""
    check = {"url": f"{third.url}/me"}
    installed = connection(
        partner_world, third, auth=auth, check=check, client_id=None, revocation_url=f"{third.url}/revoke"
    )

    def meanwhile(_: dict[str, str]) -> Any:
        assert installed.api.call("PUT", f"{installed.path}/deauthenticate").status_code == 200
        return {}

    third.says["me"] = meanwhile
    third.says["token"] = lambda _: tokens(refresh_token="too-late")
    client = {"ClientId": "id", "ClientSecret": "secret"} if auth == "client_credentials" else {}
    value = None if client else base64.b64encode(b"ada:secret").decode()
    told = give(installed, value, **client).json()
    assert (told["Authenticated"], told["AuthValue"], told["Properties"]) == (False, None, [])
    last = told["Hitchpost"]["LastSignIn"]
    assert (last["Result"], last["Error"]) == ("failed", "disconnected")
    assert [form["token"] for form in third.forms("revoke")] == (["too-late"] if client else [])
    third.says["me"] = lambda _: {}
    assert give(installed, value, **client).json()["Authenticated"] is True


@pytest.mark.parametrize(
    ("auth", "ends"),
    [
        *((auth, "deauthenticate") for auth in ("api_key", "basic", "client_credentials", "oauth2")),
        ("client_credentials", "revoke all"),
    ],
)
def test_a86_all_that_is_secret_of_what_was_typed_ends_with_the_connection(
    partner_world: World, third: ThirdParty, auth: str, ends: str
) -> None:
    """Also a second key, and the user's own client; what is not secret stays for the next sign-in."""
    second = {"name": "second_key", "label": "Second key", "sensitive": True}
    entry = {} if auth == "oauth2" else {"client_id": None}
    installed = connection(partner_world, third, auth=auth, check=None, field=[SUBDOMAIN, second], **entry)
    client = {"ClientId": "id", "ClientSecret": "s"} if auth == "client_credentials" else {}
    value = None if client or auth == "oauth2" else base64.b64encode(b"ada:first").decode()
    assert give(installed, value, team="north", second_key="second", **client).status_code == 200
    if auth == "oauth2":
        installed.connect()
    assert "second_key" in {one["Name"] for one in installed.told()["Properties"]}
    if ends == "deauthenticate":
        installed.api.call("PUT", f"{installed.path}/deauthenticate")
    else:
        path = f"/v1.0/connectors/{installed.item.id}/grants/revoke"
        assert installed.api.call("POST", path, account=None).status_code == 200
    told = installed.told()
    assert [one["Name"] for one in told["Properties"]] == ["team"]
    assert (told["Authenticated"], told["AuthValue"]) == (False, None)


def test_the_accounts_own_app_outlives_a_connection(partner_world: World, third: ThirdParty) -> None:
    """Its server has set it, and no user types it again."""
    installed = connection(partner_world, third, auth="oauth2", check=None)
    for name in ("ClientId", "ClientSecret"):
        installed.api.call("POST", f"{installed.path}/properties", {"Name": name, "Value": "own"})
    installed.connect()
    installed.api.call("PUT", f"{installed.path}/deauthenticate")
    assert len(installed.told()["Properties"]) == 2


@pytest.mark.parametrize(
    "fault",
    [
        "refused by the check",
        "no answer to the check",
        "token used",
        "connector removed",
        "not stored",
        "mac",
    ],
)
def test_a72_a_grant_of_a_typed_client_that_connects_nothing_is_revoked(
    partner_world: World, third: ThirdParty, fault: str
) -> None:
    """Whatever it fails at: the third party has given it, and keeps it otherwise."""
    entry = {"auth": "client_credentials", "client_id": None, "revocation_url": f"{third.url}/revoke"}
    check = {"url": f"{third.url}/me"}
    installed = connection(partner_world, third, token_auth="client_secret_post", check=check, **entry)
    give(installed, ClientId="id", ClientSecret="old")
    body = typed(installed, ClientId="id", ClientSecret="new")
    third.says["token"] = lambda _: tokens(access_token="unused", refresh_token=None)
    expected, beginning = {"token used": 409, "connector removed": 404, "no answer to the check": 424}, "-"
    if fault == "refused by the check":
        third.says["me"] = lambda _: refused("no", 401)
    elif fault == "no answer to the check":
        third.says["me"] = lambda _: refused("no", 503)
    elif fault == "token used":
        third.says["token"] = lambda _: tokens(access_token="first", refresh_token=None)
        installed.api.call("PUT", installed.path, body)
        third.says["token"] = lambda _: tokens(access_token="unused", refresh_token=None)
    elif fault == "connector removed":
        third.says["me"] = lambda _: installed.api.call("DELETE", installed.path).json()
    elif fault == "mac":
        third.says["token"] = lambda _: tokens(access_token="unused", refresh_token=None, token_type="mac")
    else:
        beginning = "UPDATE account_connector SET"
    third.asked.clear()
    with failing(partner_world, beginning):
        answer = installed.api.call("PUT", installed.path, body)
    assert answer.status_code == expected.get(fault, 500 if fault == "not stored" else 422)
    keep_house(partner_world, installed)
    assert ("unused", "new") in [(form["token"], form["client_secret"]) for form in third.forms("revoke")]
    if fault != "connector removed":
        assert installed.credentials().access_token != "unused"
