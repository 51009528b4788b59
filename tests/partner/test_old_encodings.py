"""A third party writes its JSON in Latin-1: a letter in some name costs nothing that stands beside it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask import Response

from bff.partner.providers.dotted import value_at
from tests.partner.test_typed_credentials import connection, fields, give
from tests.support.third_party import Connection, ThirdParty, tokens
from tests.support.world import World

pytestmark = pytest.mark.one_database

CAFE = {"team": {"name": "Caf\u00e9"}}


def in_latin_1(document: dict[str, Any]) -> Response:
    """As it sends this, whatever it says that it sends."""
    return Response(
        json.dumps(document, ensure_ascii=False).encode("latin-1"), content_type="application/json"
    )


def test_a_sign_in_connects(world: World, third: ThirdParty) -> None:
    """With the name from the answer."""
    third.says["token"] = lambda _: in_latin_1({**tokens(access_token="first"), **CAFE})
    connected = Connection(world, third.offer(world, account_claim="team.name")).connect()
    assert connected.last_sign_in()["ExternalAccount"] == "Caf\u00e9"
    assert connected.access_token().json()["AccessToken"] == "first"


def test_a_refresh_keeps_the_new_refresh_token(world: World, third: ThirdParty) -> None:
    """The old one is spent."""
    connected = Connection(world, third.offer(world)).connect()
    connected.age()
    third.says["token"] = lambda _: in_latin_1({**tokens(refresh_token="second"), **CAFE})
    assert connected.access_token().status_code == 200
    assert connected.credentials().refresh_token == "second"
    assert third.forms("revoke") == []


@pytest.mark.parametrize(("error", "status"), [({}, 200), ({"error": "no such key"}, 422)])
def test_a_check_of_a_key_is_understood(
    partner_world: World, third: ThirdParty, error: dict[str, str], status: int
) -> None:
    """Whose key it is, and an error with the status of a success."""
    check = {"url": f"{third.url}/me", "headers": {"X-Key": "{api_key}"}, "error_at": "error"}
    third.says["me"] = lambda _: in_latin_1({**CAFE, **error})
    installed = connection(partner_world, third, check=check, account_claim="team.name")
    answer = give(installed, "k-1")
    assert answer.status_code == status, answer.text
    if status == 200:
        assert installed.last_sign_in()["ExternalAccount"] == "Caf\u00e9"
    else:
        assert fields(answer) == {"api_key": "refused"}


def test_a_value_is_looked_for_however_deep_lists_are_nested() -> None:
    """A document that could just be parsed must not be too deep for what reads it."""
    document: Any = {"name": "Ada"}
    for _ in range(5000):
        document = [document]
    assert value_at(document, "name") == "Ada"
