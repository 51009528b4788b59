"""How real providers bring a browser back: what counts, what uses nothing up, whose values are in URLs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qs, quote, urlsplit

import pytest
import requests
from flask import request
from sqlalchemy import update

from bff.partner.providers.catalogue import CatalogueConnector
from bff.partner.providers.templates import Unfit
from bff.partner.storage import tables
from tests.support.provider import Habits, demand_basic, open_provider
from tests.support.third_party import Connection, ThirdParty, tokens
from tests.support.world import World

pytestmark = pytest.mark.one_database


def callback(connection: Connection) -> str:
    """Where answers are brought."""
    return f"{connection.world.partner}/connector/callback"


@pytest.mark.parametrize(
    ("method", "headers"),
    [("HEAD", {}), ("GET", {"Sec-Purpose": "prefetch;prerender"}), ("GET", {"User-Agent": "Slackbot 1.0"})],
)
def test_what_only_looks_uses_no_answer_up(
    world: World, third: ThirdParty, method: str, headers: dict[str, str]
) -> None:
    """HEAD, prefetch and previews: the browser that comes after them finishes."""
    connection = Connection(world, third.offer(world))
    asked = {"state": connection.begin(), "code": "a-code"}
    looked = connection.browser.request(
        method, callback(connection), params=asked, headers=headers, timeout=30
    )
    assert looked.status_code in {405, 503}
    assert third.forms("token") == []
    assert connection.answer(**asked).status_code == 200


@pytest.mark.parametrize(
    "answer",
    [
        {"error": "user_cancelled_login"},
        {"error": "user_cancelled_authorize"},
        {"error": "User Cancelled"},
        {"error": "server_error", "error_reason": "user_denied"},
        {"error": "access_denied", "error_subcode": "cancel"},
        {"error": "no_thanks"},
        {"error_code": "consent_denied"},
        {"error_reason": "user_denied"},
    ],
)
def test_a_no_by_another_name_is_declined(world: World, third: ThirdParty, answer: dict[str, str]) -> None:
    """passport-linkedin-oauth2#47, AspNet.Security.OAuth.Providers#480, and a word of the entry's own."""
    connection = Connection(world, third.offer(world, declined_errors=["no_thanks"]))
    connection.answer(connection.begin(), **answer, error_description="They said no.")
    told = connection.last_sign_in()
    assert told["Result"] == "declined"
    assert told["Provider"]["Description"] == "They said no."


@pytest.mark.parametrize(
    ("errors", "status"),
    [
        ({"error": "", "error_description": ""}, 200),
        ({"error": "null"}, 200),
        ({"error_code": "0", "error": "None"}, 200),
        ({"error_reason": "no_error"}, 200),
        ({"error_code": "0", "error": "access_denied"}, 400),
        ({"error": "null", "error_code": "40105"}, 400),
    ],
)
def test_an_error_that_says_there_is_none_fails_no_code(
    world: World, third: ThirdParty, errors: dict[str, str], status: int
) -> None:
    """Some send every parameter every time."""
    connection = Connection(world, third.offer(world))
    assert connection.answer(connection.begin(), **errors, code="a-code").status_code == status


@pytest.mark.parametrize("end", ["?", "?of=us", "?of=us&"])
def test_an_authorize_url_may_end_as_its_query_does(world: World, third: ThirdParty, end: str) -> None:
    """As it is copied from examples: the request has one question mark, and no empty parameter."""
    connection = Connection(world, third.offer(world, authorize_url=f"{third.url}/authorize{end}"))
    path, _, query = connection.start().headers["Location"].partition("?")
    assert path == f"{third.url}/authorize"
    assert query.startswith(f"{end.strip('?&')}{'&' if 'of' in end else ''}response_type=code&")


@pytest.mark.both_databases
def test_an_error_without_a_state_ends_the_only_sign_in_of_its_browser(
    world: World, third: ThirdParty
) -> None:
    """hello.js#323. Of two nobody knows which it was: none is ended, and another browser ends nothing."""
    connection, other = (Connection(world, third.offer(world)) for _ in range(2))
    connection.begin()
    requests.get(callback(connection), params={"error": "access_denied"}, timeout=30)
    assert connection.last_sign_in()["Result"] == "started"
    connection.browser.get(callback(connection), params={"error": "access_denied"}, timeout=30)
    assert connection.last_sign_in()["Result"] == "declined"
    other.browser = connection.browser
    first, second = connection.begin(), other.begin()
    connection.browser.get(callback(connection), params={"error": "access_denied"}, timeout=30)
    assert [each.last_sign_in()["Result"] for each in (connection, other)] == ["started", "started"]
    assert connection.answer(first, code="a-code").status_code == 200
    assert other.answer(second, code="a-code").status_code == 200


TOP: Final = {"Sec-Fetch-Dest": "document", "Sec-Fetch-Mode": "navigate"}
DENIED: Final = {"error": "access_denied"}


@pytest.mark.parametrize(
    "led",
    [
        {**TOP, "Sec-Fetch-Site": "cross-site"},
        {**TOP, "Sec-Fetch-Site": "same-site", "Referer": "http://evil.example/"},
        {**TOP, "Sec-Fetch-Site": "none"},
        {**TOP, "Sec-Fetch-Site": "cross-site", "Referer": "{third}.evil.example/"},
        {**TOP, "Sec-Fetch-Site": "same-site", "Sec-Fetch-Dest": "iframe", "Referer": "{third}/"},
        {**TOP, "Sec-Fetch-Site": "same-site", "Sec-Fetch-Dest": "image", "Sec-Fetch-Mode": "no-cors"},
    ],
)
def test_no_page_ends_a_sign_in_by_an_error_without_a_state(
    world: World, third: ThirdParty, led: dict[str, str]
) -> None:
    """A link, a redirect, a frame, a picture: the sign-in goes on; in a window its user is asked."""
    connection = Connection(world, third.offer(world))
    state = connection.begin()
    headers = {name: value.replace("{third}", third.url) for name, value in led.items()}
    page = connection.browser.get(callback(connection), params=DENIED, headers=headers, timeout=30)
    assert connection.last_sign_in()["Result"] == "started"
    assert ("hitchpost_ends" in page.text) == (led["Sec-Fetch-Mode"] == "navigate")
    assert connection.answer(state, code="a-code").status_code == 200


def test_who_was_asked_and_declined_has_declined(world: World, third: ThirdParty) -> None:
    """The form of our own page ends it; no other page can send it."""
    connection = Connection(world, third.offer(world))
    connection.begin()
    given = {**DENIED, "error_description": "They said no.", "hitchpost_ends": "yes"}
    for site in ("cross-site", "same-site", "none"):
        headers = {**TOP, "Sec-Fetch-Site": site}
        connection.browser.post(callback(connection), data=given, headers=headers, timeout=30)
        assert connection.last_sign_in()["Result"] == "started"
    own = {**TOP, "Sec-Fetch-Site": "same-origin"}
    connection.browser.post(callback(connection), data=given, headers=own, timeout=30)
    assert connection.last_sign_in()["Result"] == "declined"
    assert connection.last_sign_in()["Provider"]["Description"] == "They said no."
    assert (
        connection.browser.post(callback(connection), data=given, headers=own, timeout=30).status_code == 400
    )


def test_a_page_of_the_third_partys_declines_without_a_state(world: World, third: ThirdParty) -> None:
    """hello.js#323: the browser says whose page led here, and nobody is asked."""
    connection = Connection(world, third.offer(world))
    connection.begin()
    led = {**TOP, "Sec-Fetch-Site": "cross-site", "Referer": f"{third.url}/"}
    connection.browser.get(callback(connection), params=DENIED, headers=led, timeout=30)
    assert connection.last_sign_in()["Result"] == "declined"


def test_a_code_of_eight_kilobytes_is_taken(world: World, third: ThirdParty) -> None:
    """azure-ad-b2c/samples#598; also where every fourth character of it has to be percent-encoded."""
    connection = Connection(world, third.offer(world))
    code = "a+/=" * 2048
    assert connection.answer(connection.begin(), code=code).status_code == 200
    assert third.forms("token")[0]["code"] == code


def test_what_a_form_post_brings_is_used_by_the_get_after_it(world: World, third: ThirdParty) -> None:
    """remark42#1594: no cookie comes with the POST; tokens beside the code are never put into an address."""
    connection = Connection(world, third.offer(world))
    given = {"state": connection.begin(), "code": "a-code", "id_token": "secret", "user": '{"name": "Ada"}'}
    posted = requests.post(callback(connection), data=given, timeout=30, allow_redirects=False)
    assert (posted.status_code, posted.headers["Referrer-Policy"]) == (303, "no-referrer")
    assert "secret" not in posted.headers["Location"]
    assert third.forms("token") == []
    onward = connection.world.partner + posted.headers["Location"]
    assert connection.browser.get(onward, timeout=30).status_code == 200
    assert requests.post(callback(connection), timeout=30).status_code == 400


@pytest.mark.both_databases
def test_an_administrators_consent_leads_on_to_the_users_own(world: World, third: ThirdParty) -> None:
    """Nobody has signed in yet: the browser goes to the third party again, with a new state; not for ever."""
    connection = Connection(world, third.offer(world))
    state = connection.begin()
    for _ in range(2):
        params = {"admin_consent": "True", "tenant": "9188", "state": state}
        onward = connection.browser.get(
            callback(connection), params=params, timeout=30, allow_redirects=False
        )
        assert onward.status_code == 302
        again = parse_qs(urlsplit(onward.headers["Location"]).query)["state"][0]
        assert again != state
        state = again
    assert connection.answer(state, admin_consent="True").status_code == 400
    assert connection.last_sign_in()["Error"] == "no_code"


def test_parameters_may_have_other_names(world: World) -> None:
    """TikTok's client_key, Amazon's spapi_oauth_code, a state that is called something else."""
    names = {"client_id": "client_key", "code": "spapi_oauth_code", "state": "customField"}
    with open_provider(Habits(entry={"parameter_names": names})) as provider:
        connection = Connection(world, provider.offer(world, token_auth="client_secret_post"))
        started = connection.start()
        answer = connection.browser.get(started.headers["Location"], allow_redirects=False, timeout=30)
        assert {"spapi_oauth_code", "customField"} <= set(
            parse_qs(urlsplit(answer.headers["Location"]).query)
        )
        page = connection.browser.get(answer.headers["Location"], timeout=30)
        assert page.status_code == 200
        assert provider.requests_of("authorize")[0]["client_key"]
        assert provider.requests_of("token")[0]["client_key"]


def test_token_requests_have_the_headers_that_a_provider_wants(world: World) -> None:
    """HighLevel's Version, with the code and with the refresh token; the client's own header stands."""

    def demand(given: Mapping[str, str], headers: Mapping[str, str]) -> str | None:
        return demand_basic(given, headers) if headers.get("Version") == "2023-02-21" else "invalid_request"

    own = {"Version": "2023-02-21", "Authorization": "Basic none"}
    with open_provider(Habits(token=demand)) as provider:
        offered = provider.offer(world, token_headers=own, token_auth="client_secret_basic_raw")
        connection = Connection(world, offered)
        assert provider.sign_in(connection).status_code == 200
        assert connection.force().status_code == 200
        assert len(provider.requests_of("token")) == 2


def test_a_refresh_can_tell_the_redirect_uri_again(world: World, third: ThirdParty) -> None:
    """Each time that of the sign-in, for a provider that compares it; unasked, none is sent."""
    for asked in ({}, {"refresh_params": {"redirect_uri": "{redirect_uri}"}}):
        connection = Connection(world, third.offer(world, **asked))
        assert connection.answer(connection.begin(), code="a-code").status_code == 200
        for _ in range(2):
            assert connection.force().status_code == 200
        first, *again = [form.get("redirect_uri") for form in third.forms("token")[-3:]]
        assert first
        assert again == ([first, first] if asked else [None, None])


def test_a_grant_from_before_its_entry_wanted_the_redirect_uri_is_refreshed_too(
    world: World, third: ThirdParty
) -> None:
    """With that of today: it did not keep its own."""
    connection = Connection(world, third.offer(world)).connect()
    connection.change_entry(refresh_params={"redirect_uri": "{redirect_uri}"})
    assert connection.force().status_code == 200
    exchange, refresh = (form.get("redirect_uri") for form in third.forms("token")[-2:])
    assert refresh == exchange


@pytest.mark.parametrize("hint", [None, "ada"])
def test_requests_go_without_an_optional_field_that_is_empty(
    world: World, third: ThirdParty, hint: str | None
) -> None:
    """The parameter that names it is left out, from the authorization request to the revocation."""
    named = {"hint": "{hint}", "fixed": "f"}
    places = ("authorize_params", "token_params", "refresh_params", "revocation_params")
    headers = {f"{name}_headers": {"X-Hint": "{hint}"} for name in ("token", "userinfo", "revocation")}
    changes = {**dict.fromkeys(places, named), **headers, "userinfo_url": f"{third.url}/userinfo"}
    seen = list[str | None]()
    for name, usual in (("token", tokens()), ("userinfo", {"email": "ada"}), ("revoke", {})):
        third.says[name] = lambda _, usual=usual: seen.append(request.headers.get("X-Hint")) or usual
    field = [{"name": "hint", "label": "Your e-mail", "optional": True}]
    connection = Connection(world, third.offer(world, field=field, **changes))
    if hint:
        body = {"Name": "hint", "Value": hint}
        assert connection.api.call("POST", f"{connection.path}/properties", body).status_code == 200
    asked = parse_qs(urlsplit(connection.start().headers["Location"]).query)
    assert (asked.get("hint"), asked["fixed"]) == ([hint] if hint else None, ["f"])
    assert connection.connect().force().status_code == 200
    connection.api.call("PUT", f"{connection.path}/deauthenticate")
    forms = [*third.forms("token"), *third.forms("revoke")]
    assert [(form.get("hint"), form["fixed"]) for form in forms] == [(hint, "f")] * 3
    assert seen == [hint] * 4


def shop(world: World, third: ThirdParty, name: str, **changes: Any) -> Connection:
    """A connection whose shop stands in the path of every URL."""
    field = [{"name": "shop", "label": "Shop", "pattern": "[a-z./-]+"}]
    urls = {key: f"{third.url}/{{shop}}-{key}" for key in ("token_url", "revocation_url", "refresh_url")}
    connection = Connection(world, third.offer(world, **{"field": field, **urls, **changes}))
    set_shop(connection, name)
    return connection


def set_shop(connection: Connection, name: str) -> None:
    """What the user types."""
    body = {"Name": "shop", "Value": name}
    assert connection.api.call("POST", f"{connection.path}/properties", body).status_code == 200


def test_a_grant_stays_with_the_shop_that_it_came_from(world: World, third: ThirdParty) -> None:
    """Another value in mid-flow, or later, sends no code, token or secret of one shop to another."""
    say = {"access_token": "at", "refresh_token": "rt", "expires_in": 3600}
    for path in ("one-token_url", "one-refresh_url"):
        third.says[path] = lambda _: dict(say)
    connection = shop(world, third, "one")
    state = connection.begin()
    set_shop(connection, "two")
    assert connection.answer(state, code="a-code").status_code == 200
    connection.force()
    connection.api.call("PUT", f"{connection.path}/deauthenticate")
    asked = [name for name, _ in third.asked]
    assert asked == ["one-token_url", "one-refresh_url", "one-revocation_url"]


def test_a_sign_in_waits_for_a_choice_that_is_still_one(world: World, third: ThirdParty) -> None:
    """What was chosen, and has left the catalogue since, leads nowhere."""
    field = {"name": "shop", "label": "Region", "choices": {"eu": "Europe", "us": "United States"}}
    connection = shop(world, third, "us", field=[field])
    assert connection.start().status_code == 302
    catalogue = world.partner_service.catalogue
    left = connection.item.fields[0].model_copy(update={"choices": {"eu": "Europe"}})
    item = connection.item.model_copy(update={"fields": [left]})
    catalogue.connectors = tuple(item if one.id == item.id else one for one in catalogue.connectors)
    started = connection.start()
    assert (started.status_code, "shop" in started.text) == (400, True)


@pytest.mark.parametrize("name", ["..", ".", "a/../b"])
def test_a_value_is_no_step_of_a_path(world: World, third: ThirdParty, name: str) -> None:
    """It is one part of it, percent-encoded, or the link says which value does not fit."""
    connection = shop(world, third, name, authorize_url=f"{third.url}/shops/{{shop}}/authorize")
    started = connection.start()
    if "/" in name:
        assert "/shops/a%2F..%2Fb/authorize?" in started.headers["Location"]
    else:
        assert (started.status_code, "shop" in started.text) == (400, True)


@pytest.mark.parametrize(
    "value",
    ["evil.test/", "evil.test#", "evil.test?", "a@evil.test", "a\\b", "evil.test:80/", "-a", "a..b", "a b"],
)
def test_a_value_never_leaves_its_host(world: World, third: ThirdParty, value: str) -> None:
    """Whatever the pattern of its field would allow."""
    entry = {
        "authorize_url": "https://{shop}.shop.example/authorize",
        "token_url": "https://{shop}.shop.example/t",
    }
    field = [{"name": "shop", "label": "Shop", "pattern": ".*"}]
    connection = Connection(world, third.offer(world, field=field, **entry))
    set_shop(connection, value)
    started = connection.start()
    assert (started.status_code, "shop" in started.text) == (400, True)


@pytest.mark.parametrize(
    ("host", "asked"),
    [
        ("www.eu.wrike.example", "https://www.eu.wrike.example/me"),
        ("WWW.wrike.example", "https://WWW.wrike.example/me"),
        ("wrike.example", None),
        ("evil.example", None),
        ("www.wrike.example.evil.example", None),
        ("evilwrike.example", None),
        ("evil.example/.wrike.example", None),
        ("evil.example#.wrike.example", None),
        ("user@www.wrike.example", None),
        ("www.wrike.example:8443", None),
        ("www..wrike.example", None),
        ("www.wrike.example.", None),
        ("127.0.0.1", None),
    ],
)
def test_a_host_that_a_third_party_tells_is_one_of_those_that_are_allowed(
    host: str, asked: str | None
) -> None:
    """Wrike names the host of an account's API, of several labels: never another than the entry lists."""
    values = {"keep_from_token": ["host"], "allowed_hosts": ["*.wrike.example"]}
    entry = {"id": 1, "key": "wrike", "name": "Wrike", **values}
    item = CatalogueConnector.model_validate({**entry, "userinfo_url": "https://{host}/me"})
    if asked is not None:
        assert item.url("https://{host}/me", {"host": host}) == asked
        return
    with pytest.raises(Unfit, match="host: "):
        item.url("https://{host}/me", {"host": host})


def test_only_what_was_told_stands_in_a_host_with_its_dots() -> None:
    """What a user types is one label there, or as its pattern says; without listed hosts so is all else."""
    entry = {"id": 1, "key": "wrike", "name": "Wrike", "keep_from_token": ["host"]}
    typed = {"field": [{"name": "shop", "label": "Shop"}], "allowed_hosts": ["*.wrike.example"]}
    for more, name in ((typed, "shop"), ({}, "host")):
        item = CatalogueConnector.model_validate({**entry, **more})
        with pytest.raises(Unfit, match=f"{name}: does not fit"):
            item.url(f"https://{{{name}}}.wrike.example/me", {name: "a.b"})


def test_a_callback_chooses_no_host_that_the_catalogue_does_not_allow(
    world: World, third: ThirdParty
) -> None:
    """What came with the callback may stand in a URL, inside ``allowed_hosts``; else nothing is sent."""
    entry = {"token_url": "{accounts-server}/oauth/v2/token", "keep_from_callback": ["accounts-server"]}
    item = third.offer(world, allowed_hosts=["*.zoho.example", "127.0.0.1.nip.example"], **entry)
    connection = Connection(world, item)
    connection.answer(connection.begin(), code="a-code", **{"accounts-server": "https://evil.example"})
    told = connection.last_sign_in()
    assert (told["Result"], told["Error"]) == ("failed", "field_does_not_fit")
    assert third.asked == []


def test_a_token_request_repeats_the_state_where_it_has_to(world: World, third: ThirdParty) -> None:
    """Dropbox Sign requires it. It is used up then, and not kept with the connection."""
    entry = {"token_params": {"state": "{state}"}, "keep_from_callback": ["state", "realmId"]}
    connection = Connection(world, third.offer(world, **entry))
    connection.answer(state := connection.begin(), code="a-code", realmId="42")
    [form] = third.forms("token")
    assert form["state"] == state
    assert connection.grant()["Extra"] == {"realmId": "42"}


def lose_keys(world: World, connection: Connection) -> None:
    """What is sealed for its flows opens no more."""
    for table, column in ((tables.flow, "verifier"), (tables.completion, "answer")):
        ours = update(table).where(table.c.account_connector_id == connection.id)
        with world.partner_service.database.writing() as database:
            database.execute(ours.values({column: "gone.AAAA.AAAA"}))


@pytest.mark.both_databases
def test_a_sign_in_whose_key_is_lost_ends_with_its_cause(world: World, third: ThirdParty) -> None:
    """It does not stay ``started`` until everybody has given up."""
    connection = Connection(world, third.offer(world))
    state = connection.begin()
    lose_keys(world, connection)
    assert connection.answer(state, code="a-code").status_code == 500
    told = connection.last_sign_in()
    assert (told["Result"], told["Error"]) == ("failed", "encryption_key_missing")


def test_a_completion_whose_key_is_lost_ends_with_its_cause(world: World, third: ThirdParty) -> None:
    """The same where the sign-in was put aside for the browser that launched it."""
    connection = Connection(world, third.offer(world))
    wish = {"CompletionUrl": "https://bff.example/complete", "TargetOrigin": "https://app.example"}
    path = f"/v1.0/accounts/{quote(connection.api.account, safe='')}/signintoken"
    minted = connection.api.call("POST", path, {"Username": "ada", "Hitchpost": wish}, account=None)
    url = connection.api.sign_in_url(connection.id, minted.json()["Token"], callbackMessage="done")
    began = connection.browser.get(url, timeout=30, allow_redirects=False)
    state = parse_qs(urlsplit(began.headers["Location"]).query)["state"][0]
    answer = {"state": state, "code": "a-code"}
    aside = connection.browser.get(callback(connection), params=answer, timeout=30, allow_redirects=False)
    code = parse_qs(urlsplit(aside.headers["Location"]).query)["code"][0]
    signins = f"{connection.path}/signins/{connection.last_sign_in()['TokenSha256']}"
    finish = connection.api.call("PUT", f"{signins}/complete", {"Code": code}).json()["FinishId"]
    lose_keys(world, connection)
    page = connection.browser.get(f"{world.partner}/connectorauth/finished/{finish}", timeout=30)
    assert page.status_code == 500
    assert connection.last_sign_in()["Error"] == "encryption_key_missing"
