"""A stored value that cannot be decrypted concerns its own connection, which a sign-in mends."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import update

from bff.partner.api import account_connectors
from bff.partner.storage import tables
from tests.partner.test_typed_credentials import connection as typed_connection
from tests.partner.test_typed_credentials import fields, give
from tests.support.third_party import Connection, ThirdParty
from tests.support.world import World

BROKEN = "k1.AAAA.BBBB"
SHOP = {"field": [{"name": "shop", "label": "Shop"}]}
LOST = (False, "needs_reconnect", "unauthenticated")


def with_shop(world: World, third: ThirdParty) -> Connection:
    """Connected for a shop."""
    installed = Connection(world, third.offer(world, **SHOP))
    installed.api.call("PUT", installed.path, {"Properties": [{"Name": "shop", "Value": "acme"}]})
    return installed.connect()


def break_shop(installed: Connection) -> None:
    """Its property opens no more."""
    table = tables.property_value
    with installed.world.partner_service.database.writing() as database:
        ours = update(table).where(table.c.account_connector_id == installed.id)
        assert database.execute(ours.values(value=BROKEN)).rowcount


def told(installed: Connection) -> tuple[bool, str, str | None]:
    """Whether it is connected, and the state of its grant, as the list of the account has it."""
    answer = installed.api.call("GET", "/v1.0/account/connectors")
    assert answer.status_code == 200
    [own] = [item for item in answer.json() if item["Id"] == installed.id]
    grant = own["Hitchpost"]["Grant"]
    return own["Authenticated"], grant["State"], grant["Reason"]


def test_a95_a_property_that_does_not_open_leaves_the_others(partner_world: World, third: ThirdParty) -> None:
    """The list tells which one is broken; it can be set anew, and everything else be done with it."""
    installed = with_shop(partner_world, third)
    other = installed.api.install()
    break_shop(installed)
    assert told(installed) == LOST
    assert installed.api.call("GET", f"/v1.0/account/connectors/{other['Id']}").status_code == 200
    listed = installed.api.call("GET", f"{installed.path}/properties").json()
    assert [(each["Name"], each["Value"]) for each in listed] == [("shop", None)]
    path = f"{installed.path}/properties/{listed[0]['Id']}"
    assert installed.api.call("PUT", path, {"Value": "acme"}).json()["Value"] == "acme"
    assert told(installed)[:2] == (True, "connected")


def test_a95_a_sign_in_that_needs_it_ends_with_its_cause(partner_world: World, third: ThirdParty) -> None:
    """It does not stay ``started``, and its token is used up."""
    installed = with_shop(partner_world, third)
    break_shop(installed)
    page = installed.start()
    assert (page.status_code, page.headers["Content-Type"].partition(";")[0]) == (500, "text/html")
    last = installed.last_sign_in()
    assert (last["Result"], last["Error"]) == ("failed", "encryption_key_missing")


def test_a95_a_grant_that_does_not_open_asks_for_a_sign_in(partner_world: World, third: ThirdParty) -> None:
    """Which mends it."""
    installed = Connection(partner_world, third.offer(partner_world)).connect()
    installed.change(credentials=BROKEN)
    assert told(installed) == LOST
    assert installed.access_token().status_code == 409
    assert told(installed.connect())[:2] == (True, "connected")
    assert installed.access_token().status_code == 200


@pytest.mark.parametrize("column", ["auth_value", "property"])
def test_a95_a_typed_value_that_does_not_open_is_typed_anew(
    partner_world: World, third: ThirdParty, column: str
) -> None:
    """What is not typed again is missed; then it is connected."""
    third.says["me"] = lambda _: {}
    installed = typed_connection(partner_world, third, **SHOP)
    assert give(installed, "k-1", shop="acme").status_code == 200
    if column == "property":
        break_shop(installed)
        assert fields(give(installed, "k-1")) == {"shop": "missing"}
    else:
        installed.change(auth_value=BROKEN)
    assert told(installed) == LOST
    assert give(installed, "k-2", shop="acme").status_code == 200
    assert told(installed)[:2] == (True, "connected")


def test_a56_an_error_about_one_account_says_so(
    partner_world: World, third: ThirdParty, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody foresaw it; it is no outage of the service, and the caller can tell."""

    def fail(*_: Any) -> None:
        raise RuntimeError("nobody foresaw it")

    installed = Connection(partner_world, third.offer(partner_world))
    monkeypatch.setattr(account_connectors.store, "as_json", fail)
    answer = installed.api.call("GET", installed.path)
    assert (answer.status_code, answer.headers["Hitchpost-One-Account"]) == (500, "1")
