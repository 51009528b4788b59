"""What the answer to a check says of a key that was typed, and what it does not."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from flask import Response

from tests.partner.replies import PASSING, UNCLEAR, error, page
from tests.partner.test_typed_credentials import connection, fields, give
from tests.support.third_party import Connection, ThirdParty, refused, tokens
from tests.support.world import World

pytestmark = pytest.mark.one_database

SHOP = {"name": "shop", "label": "Shop", "pattern": "[a-z]+"}


def at_a_shop(world: World, third: ThirdParty, **changes: Any) -> Connection:
    """Its host is one of many on a domain, named by the user."""
    url = third.url.replace("127.0.0.1", "{shop}.localhost")
    check = {"url": f"{url}/me", "headers": {"X-Key": "{api_key}"}}
    return connection(world, third, field=[SHOP], check=check, **changes)


LISTS = {
    "the status is enough": ({}, {}, None),
    "nothing at error_at": ({"error_at": "error"}, {}, None),
    "the claim is there": ({}, {"account_claim": "id"}, "7"),
    "a value at good_at": ({"good_at": "id"}, {}, None),
}


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("kilobytes", [200, 3000])
def test_a_check_may_list_a_great_deal(
    partner_world: World, third: ThirdParty, name: str, kilobytes: int
) -> None:
    """Plugins, models, projects: of more than 2 MB nothing is read but the status."""
    more, entry, account = LISTS[name]
    installed = connection(partner_world, third, **entry)
    check = installed.item.check.model_copy(update=more)  # type: ignore[union-attr]
    item = installed.item.model_copy(update={"check": check})
    catalogue = partner_world.partner_service.catalogue
    catalogue.connectors = tuple(item if one.id == item.id else one for one in catalogue.connectors)
    third.says["me"] = lambda _: {"id": 7, "list": ["x" * 1000] * kilobytes}
    answer = give(installed, "k-1")
    if more.get("good_at") and kilobytes > 2048:
        assert answer.status_code == 424
        return
    assert answer.status_code == 200, answer.text
    told = installed.last_sign_in()["ExternalAccount"]
    assert told == (account if kilobytes < 2048 else None)
    installed.look()
    assert installed.grant_state() == ("connected", None)


def test_a_user_with_a_great_many_accounts_can_reconnect(partner_world: World, third: ThirdParty) -> None:
    """User info that lists them all still names the one."""
    many = [{"id": number, "name": "x" * 50} for number in range(8000)]
    third.says["userinfo"] = lambda _: {"email": "ada", "accounts": many}
    item = third.offer(partner_world, userinfo_url=f"{third.url}/userinfo")
    installed = Connection(partner_world, item).connect().connect()
    assert installed.last_sign_in()["ExternalAccount"] == "ada"


BUSY = {
    **{name: PASSING[name] for name in ("Zoho", "Google", "AWS", "a 403 with Retry-After", "no calls left")},
    "GitHub": lambda: error(
        403, message="You have exceeded a secondary rate limit. Please wait a few minutes."
    ),
    "a challenge by Cloudflare": PASSING["a challenge by Cloudflare"],
}


def test_a_rate_limit_says_nothing_of_a_key(partner_world: World, third: ThirdParty) -> None:
    """Neither of one that is typed, nor of one that is looked at."""
    installed = connection(partner_world, third)
    for name, say in BUSY.items():
        third.says["me"] = lambda _, say=say: say()  # type: ignore[misc]
        answer = give(installed, "k-1")
        assert (name, answer.status_code, fields(answer)) == (name, 424, {})
    del third.says["me"]
    assert give(installed, "k-1").status_code == 200
    for name, say in BUSY.items():
        third.says["me"] = lambda _, say=say: say()  # type: ignore[misc]
        installed.look()
        assert (name, installed.grant_state()) == (name, ("connected", None))


def test_a_wrong_key_that_never_has_requests_left_is_wrong(partner_world: World, third: ThirdParty) -> None:
    """Its 401 has the headers of a rate limit; of a key that was good they say nothing."""
    installed = connection(partner_world, third)
    third.says["me"] = lambda _: error(401, {"X-RateLimit-Remaining": "0"}, message="Bad credentials")
    answer = give(installed, "k-1")
    assert (answer.status_code, fields(answer)) == (422, {"api_key": "refused"})


def test_a_firewalls_page_ends_no_key(partner_world: World, third: ThirdParty) -> None:
    """No API answers a page (soundcloud/api#489)."""
    installed = connection(partner_world, third)
    assert give(installed, "k-1").status_code == 200
    third.says["me"] = lambda _: page("Request blocked.", 403)
    installed.look()
    assert installed.grant_state() == ("connected", None)


PAGES = {
    "a page": lambda: page("Welcome to my shop"),
    "a page without its media type": lambda: Response("\n<!DOCTYPE html><p>Parked", 200),
    "XHTML": lambda: Response('<?xml version="1.0"?><html xmlns="x"/>', 200, content_type="text/html"),
    "a part of a page": lambda: Response("<p>Sign in to the Wi-Fi", 200, content_type="text/html"),
    "206": lambda: Response("{}", 206, content_type="application/json"),
}


def test_a_page_is_no_yes(partner_world: World, third: ThirdParty) -> None:
    """A mistyped host, a parked domain, a captive portal: it says nothing of the key, and where is told."""
    at_shop, fixed = at_a_shop(partner_world, third), connection(partner_world, third)
    for name, say in PAGES.items():
        third.says["me"] = lambda _, say=say: say()  # type: ignore[misc]
        answer = give(at_shop, "k-1", shop="elsewhere")
        assert (name, answer.status_code, fields(answer)) == (name, 422, {"shop": "refused"})
        answer = give(fixed, "k-1")
        assert (name, answer.status_code, fields(answer)) == (name, 424, {})
    assert not fixed.told()["Authenticated"]
    del third.says["me"]
    assert give(fixed, "k-1").status_code == 200
    for name, say in PAGES.items():
        third.says["me"] = lambda _, say=say: say()  # type: ignore[misc]
        fixed.look()
        assert (name, fixed.grant_state()) == (name, ("connected", None))


@pytest.mark.parametrize("entry", [{"account_claim": "data.id"}, {"error_at": "error"}, {"good_at": "ok"}])
def test_what_is_no_json_is_no_yes_where_the_entry_reads_json(
    partner_world: World, third: ThirdParty, entry: dict[str, str]
) -> None:
    """Other text than a page."""
    check = {"url": f"{third.url}/me", **({} if "account_claim" in entry else entry)}
    claim = {"account_claim": entry["account_claim"]} if "account_claim" in entry else {}
    installed = connection(partner_world, third, check=check, **claim)
    third.says["me"] = lambda _: Response("It works!", content_type="text/plain")
    assert give(installed, "k-1").status_code == 424


YES = {
    "no content": lambda: Response(status=204),
    "XML": lambda: Response("<?xml version='1.0'?><me/>", content_type="text/html"),
    "a word": lambda: Response("pong", content_type="text/html"),
    "JSON called a page": lambda: Response('{"html": "<html>"}', content_type="text/html"),
}


def test_other_answers_than_a_page_are_a_yes(partner_world: World, third: ThirdParty) -> None:
    """Where the status is all that the entry reads."""
    installed = connection(partner_world, third)
    for name, say in YES.items():
        third.says["me"] = lambda _, say=say: say()  # type: ignore[misc]
        assert (name, give(installed, "k-1").status_code) == (name, 200)


def test_a_shop_that_is_not_there_may_be_mistyped(partner_world: World, third: ThirdParty) -> None:
    """What answers for the others of its domain refuses any key: both may be wrong."""
    installed = at_a_shop(partner_world, third)
    for status, name, expected in (
        *((status, "wrong", (422, {"shop": "refused", "api_key": "refused"})) for status in (301, 302, 404)),
        (410, "wrong", (422, {"shop": "refused", "api_key": "refused"})),
        (401, "right", (422, {"api_key": "refused"})),
        (503, "asleep", (424, {"shop": "unreachable"})),
    ):
        third.says["me"] = lambda _, status=status: refused("no", status)  # type: ignore[misc]
        answer = give(installed, "k-1", shop=name)
        assert (status, answer.status_code, fields(answer)) == (status, *expected)


OF_CLIENTS: list[tuple[Callable[[], Any], tuple[int, dict[str, str]]]] = [
    (lambda: refused("no", 404), (422, {"shop": "refused", "client_secret": "refused"})),
    (UNCLEAR["a default backend"], (422, {"shop": "refused"})),
    (lambda: Response("", 302), (422, {"shop": "refused"})),
    (lambda: page("Welcome"), (422, {"shop": "refused"})),
    (PASSING["Zoho"], (424, {})),
    (PASSING["a 403 with Retry-After"], (424, {})),
    (lambda: refused("no", 503), (424, {"shop": "unreachable"})),
    (lambda: refused("invalid_client", 401), (422, {"client_secret": "refused"})),
    (lambda: tokens(token_type="mac"), (422, {"client_secret": "refused"})),
]


def test_a_client_of_the_users_own_is_told_apart_likewise(partner_world: World, third: ThirdParty) -> None:
    """At its token endpoint, whose host the user named."""
    url = third.url.replace("127.0.0.1", "{shop}.localhost")
    entry = {"auth": "client_credentials", "client_id": None, "check": None, "token_url": f"{url}/token"}
    installed = connection(partner_world, third, field=[SHOP], **entry)
    for say, expected in OF_CLIENTS:
        third.says["token"] = lambda _, say=say: say()  # type: ignore[misc]
        answer = give(installed, shop="north", ClientId="id", ClientSecret="s")
        assert (answer.status_code, fields(answer)) == expected, json.dumps(answer.json())
