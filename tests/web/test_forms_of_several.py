"""Forms of connectors that an account may have several times: each attempt is about one connection."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.connections import listed
from tests.support.databases import DatabaseUrl
from tests.support.forms import ADA, KEY, SHOP, Form, open_form, products
from tests.support.world import World, open_world

pytestmark = pytest.mark.one_database


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, database_url: DatabaseUrl) -> Iterator[World]:
    """The three programs; both connectors with a form may be there several times."""
    text = re.sub(r'(name = "(?:Key|Shop) CRM")', r"\1\nmultiple = true", products("sandbox", KEY, SHOP))
    more: dict[str, Any] = {"same_browser": "required", "bff_settings": {"products_text": text}}
    with open_world(tmp_path_factory.mktemp("several"), database_url=database_url, **more) as running:
        yield running


@pytest.fixture
def session(world: World, request: pytest.FixtureRequest) -> str:
    """Ada's session, in an account of its own."""
    world.account = f"acme-{request.node.originalname}"
    return world.session()


def test_a_form_that_is_sent_again_adds_no_further_one(world: World, session: str) -> None:
    """However often the key was wrong, nothing is left behind of it."""
    form = open_form(world, session, KEY)
    for _ in range(3):
        form.send("sk_wrong")
    assert "end" in form.send(ADA)
    assert [each["state"] for each in listed(world)] == ["connected"]


def test_a_form_before_a_sign_in_is_of_what_its_launch_added(world: World, session: str) -> None:
    """The launch has to install it, to know that something is asked for."""
    open_form(world, session, SHOP).send("north")
    assert len(listed(world)) == 1


def test_a_form_shows_what_is_set_of_the_connection_that_it_is_for(world: World, session: str) -> None:
    """Not another one's: sent as it stands, it would lead to another shop. A further one is empty."""
    for shop in ("north", "south"):
        form = open_form(world, session, SHOP)
        assert shown(form) == ""
        form.send(shop)
    first, second = sorted(each["id"] for each in listed(world))
    for connection, shop in ((first, "north"), (second, "south")):
        assert shown(open_form(world, session, SHOP, connection=connection)) == shop


@pytest.mark.both_databases
def test_a_form_shows_nothing_of_an_earlier_try_whose_place_it_takes(world: World, session: str) -> None:
    """What was given up is used again, and what somebody typed there is not."""
    given_up = open_form(world, session, SHOP)
    given_up.send("north")
    given_up.send(action="cancel")
    assert shown(open_form(world, session, SHOP)) == ""
    assert len(listed(world)) == 1


def test_a_form_whose_values_were_refused_shows_and_keeps_nothing_of_an_earlier_try(
    world: World, session: str
) -> None:
    """Not after a reload either: what is stored there is still the other user's."""
    given_up = open_form(world, session, SHOP)
    given_up.send("north")
    given_up.send(action="cancel")
    form = open_form(world, session, SHOP)
    assert "faults" in form.send("Not a shop!")
    assert shown(form.load()) == ""


def shown(form: Form) -> str:
    """What stands in the first field."""
    found = re.search(r'name="v0" type="text" value="([^"]*)"', form.page.text)
    assert found, form.page.text
    return found[1]
