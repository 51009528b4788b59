"""A user signed in while the partner service could not be asked, and the page is gone: the server is told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import requests
from sqlalchemy import select

from bff.serving.database import open_database
from bff.storage.tables import attempts, outbox
from bff.web.kit.services import services_of
from tests.partner.conftest import client_of
from tests.support.connections import connected, events, hear_of, listed
from tests.support.world import OTHER_HOST, World

pytestmark = pytest.mark.one_database


def fail() -> None:
    """The partner service is out of order."""
    raise RuntimeError("out of order")


def told_of(world: World, attempt: str) -> list[str]:
    """What is to be told of an attempt, in order."""
    engine = open_database(world.bff_database)
    with engine.connect() as connection:
        wanted = select(outbox.c.type).where(outbox.c.subject == attempt).order_by(outbox.c.at)
        found = list(connection.execute(wanted).scalars())
    engine.dispose()
    return found


def test_a_success_during_an_outage_is_told_when_it_is_over(world: World) -> None:
    """Of the attempt as a late success, of the connection with who made it."""
    hear_of(world)
    attempt = world.connect(world.session())
    housekeeping = world.bff_app.extensions["hitchpost"].upkeep.housekeeping
    past = datetime.now(UTC) - timedelta(seconds=5)
    world.change(attempt, expires_at=past)
    connection = _number_of(world, attempt)
    world.partner_calls.meanwhile("GET", f"/v1.0/account/connectors/{connection}", "before", fail)
    housekeeping.end_overdue()
    assert told_of(world, attempt) == ["attempt.settled"]
    assert events(world) == []
    world.change(attempt, recheck_at=past)
    housekeeping.recheck_given_up()
    assert told_of(world, attempt) == ["attempt.settled", "attempt.late_success"]
    ((name, data),) = events(world)
    assert (name, data["id"], data["connected_by"]) == ("connected", str(connection), "ada")
    read = world.read(attempt, "")
    assert (read["status"], bool(read["late_success"])) == ("expired", True)
    now = next(each for each in listed(world) if each["id"] == str(connection))
    assert now["state"] == "connected"


def test_a_success_that_has_been_ended_since_is_no_news(world: World) -> None:
    """Whoever hears of it would take the connection for one that stands."""
    attempt = world.connect(world.session())
    housekeeping = world.bff_app.extensions["hitchpost"].upkeep.housekeeping
    path = f"/v1.0/account/connectors/{_number_of(world, attempt)}"
    world.change(attempt, expires_at=datetime.now(UTC) - timedelta(seconds=5))
    world.partner_calls.meanwhile("GET", path, "before", fail)
    housekeeping.end_overdue()
    assert client_of(world).call("PUT", f"{path}/deauthenticate", account=world.account).status_code == 200
    world.change(attempt, recheck_at=datetime.now(UTC))
    housekeeping.recheck_given_up()
    assert world.read(attempt)["late_success"] is None


def test_a_sign_in_that_an_end_has_cancelled_in_vain_is_looked_at(world: World) -> None:
    """A colleague's end of the connection failed, and the user went on in the popup."""
    hear_of(world)
    connection = connected(world, world.session())
    begun, browser = world.begin(world.session(user="grace")), requests.Session()
    url = world.launch(begun["launch_token"], browser=browser).headers["Location"]
    put = f"/v1.0/account/connectors/{connection}/deauthenticate"
    world.partner_calls.meanwhile("PUT", put, "before", fail)
    account = {"account": world.account}
    assert world.server("DELETE", f"/v1/connections/{connection}", params=account).status_code == 503
    assert told_of(world, begun["id"]) == ["attempt.settled"]
    world.sign_in(url, browser=browser)
    services = services_of(world.bff_app)
    with open_database(world.bff_database).connect() as database:
        planned = select(attempts.c.recheck_at).where(attempts.c.id == begun["id"])
        assert database.execute(planned).scalar_one() > datetime.now(UTC)
    world.change(begun["id"], recheck_at=datetime.now(UTC))
    services.upkeep.housekeeping.recheck_given_up()
    assert told_of(world, begun["id"]) == ["attempt.settled", "attempt.late_success"]


@pytest.mark.parametrize("told_by", ["a look", "Cancel"])
def test_who_opens_again_and_finishes_in_the_first_window_is_connected(world: World, told_by: str) -> None:
    """Its attempt was given up for the second one, which the page waits for: that one is told of it."""
    hear_of(world)
    token = world.session()
    first_url, second = opened_again(world, token)
    world.sign_in(first_url)
    if told_by == "Cancel":
        world.page("POST", f"/v1/attempts/{second}/cancel", token, json={})
    found = world.read(second)
    assert (found["status"], found["attributed"], bool(found["receipt"])) == ("connected", True, True)
    assert found["connection"]["external_account"] == "ada@sandbox.example"
    assert [(name, data["connected_by"]) for name, data in events(world)] == [("connected", "ada")]


@pytest.mark.parametrize("why", ["denied", "connected before", "another user", "another page"])
def test_a_window_of_another_kind_connects_no_second_attempt(world: World, why: str) -> None:
    """Nothing was connected there since, or not for this user and page."""
    token = world.session()
    first_url, second = opened_again(world, token, user="grace" if why == "another user" else "ada")
    if why == "another page":
        world.change(second, origin=OTHER_HOST)
    world.sign_in(first_url, "deny" if why == "denied" else "allow")
    if why == "connected before":
        world.change(second, launched_at=datetime.now(UTC) + timedelta(seconds=5))
    assert world.read(second)["status"] == "launched"


def opened_again(world: World, token: str, user: str = "ada") -> tuple[str, str]:
    """A first sign-in whose window stays open; its user (or ``user``) has begun again: the second attempt."""
    first = world.begin(token, "sandbox")
    url = world.launch(first["launch_token"]).headers["Location"]
    world.page("POST", f"/v1/attempts/{first['id']}/cancel", token, json={})
    second = world.begin(world.session(user=user), "sandbox")
    world.launch(second["launch_token"])
    return url, second["id"]


def _number_of(world: World, attempt: str) -> int:
    """The account connector that an attempt is for."""
    found = world.bff_app.extensions["hitchpost"].attempts.store.get(attempt).account_connector_id
    assert found is not None
    return int(found)
