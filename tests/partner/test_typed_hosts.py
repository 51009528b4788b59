"""Stored secrets are for the host that they were typed for: whoever types another one types them anew."""

from __future__ import annotations

import pytest

from tests.partner.test_typed_credentials import connection, fields, give
from tests.support.third_party import Connection, ThirdParty
from tests.support.world import World

pytestmark = pytest.mark.one_database

SECOND = {"name": "second", "label": "Second key", "sensitive": True}
NICK = {"name": "nick", "label": "Nickname", "optional": True}


def another(third: ThirdParty) -> str:
    """The same third party, as another host."""
    return third.url.replace("127.0.0.1", "localhost")


def at_a_host(world: World, third: ThirdParty, *, optional: bool = False) -> Connection:
    """One that a colleague has connected, whose key and second key are sent to the host that users type."""
    field = {"name": "host", "label": "Host", "choices": {third.url: "One", another(third): "Another"}}
    params = {"second": "x" if optional else "{second}"}
    installed = connection(
        world,
        third,
        field=[field, {**SECOND, "optional": optional}, NICK],
        check={"url": "{host}/me", "params": params, "method": "POST"},
    )
    assert give(installed, "k-1", host=third.url, second="colleagues").status_code == 200
    third.asked.clear()
    return installed


def stored(installed: Connection) -> dict[str, str]:
    """The properties that are told."""
    return {one["Name"]: one["Value"] for one in installed.told()["Properties"] if one["Value"]}


def test_a_stored_secret_is_not_sent_to_another_host(world: World, third: ThirdParty) -> None:
    """Left empty, it is missing; typed anew, it is sent there."""
    installed = at_a_host(world, third)
    before = stored(installed)
    answer = give(installed, "k-2", host=another(third))
    assert (answer.status_code, fields(answer)) == (422, {"second": "missing"})
    assert (third.forms("me"), stored(installed)) == ([], before)
    assert give(installed, "k-2", host=another(third), second="mine").status_code == 200
    assert third.forms("me") == [{"second": "mine"}]


@pytest.mark.parametrize("typed", ["nothing", "host", "nick"])
def test_a_stored_secret_is_sent_to_its_own_host(world: World, third: ThirdParty, typed: str) -> None:
    """Whatever else is typed: a user who leaves it empty keeps it."""
    installed = at_a_host(world, third)
    values = {"host": {"host": third.url}, "nick": {"nick": "ada"}}.get(typed, {})
    assert give(installed, "k-2", **values).status_code == 200
    assert third.forms("me") == [{"second": "colleagues"}]


def test_an_optional_secret_of_another_host_is_forgotten(world: World, third: ThirdParty) -> None:
    """Nothing is missing without it; it is not kept either, for calls to the new host."""
    installed = at_a_host(world, third, optional=True)
    assert give(installed, "k-2", host=another(third)).status_code == 200
    assert stored(installed) == {"host": another(third)}
