"""Users who connect, end and look at one connection at the same moment: its story is one, and it is true."""

from __future__ import annotations

import contextlib
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Final

import pytest
import requests
from sqlalchemy import update

from bff.serving.database import open_database
from bff.storage.tables import attempts
from tests.partner.conftest import client_of
from tests.support import lost_grants
from tests.support.connections import connected, events, listed
from tests.support.world import CLIENT_ID, CLIENT_SECRET, SANDBOX_SECRET, World

pytestmark = [pytest.mark.usefixtures("server_hears"), pytest.mark.one_database]

ROUNDS: Final = 3
FOLLOWS: Final = {
    "disconnected": {"connected"},
    "connected": {"reconnected", "disconnected"},
    "reconnected": {"reconnected", "disconnected"},
}
"""What may be told of a connection after what: no grant ends by itself here, so nothing else may be."""


def connect(world: World, user: str) -> None:
    """A user signs in, as often as there are rounds; some of their attempts are ended by others."""
    token = world.session(user=user)
    for _ in range(ROUNDS):
        browser, attempt = requests.Session(), world.begin(token)
        launched = world.launch(attempt["launch_token"], browser=browser)
        if launched.status_code == 303:
            world.sign_in(launched.headers["Location"], browser=browser)
        assert world.read(attempt["id"])["status"] in {"connected", "cancelled", "launched", "failed"}


def end(world: World) -> None:
    """The host's server ends whatever stands."""
    for _ in range(2 * ROUNDS):
        for each in listed(world)[:1]:
            path = f"/v1/connections/{each['id']}"
            answer = world.server("DELETE", path, params={"account": world.account})
            assert answer.status_code in {204, 404}, answer.text


def look(world: World) -> None:
    """A page looks again and again, without what was heard a moment ago."""
    token = world.session(user="looks")
    for _ in range(3 * ROUNDS):
        with contextlib.suppress(KeyError):
            world.bff_app.extensions["hitchpost"].connections.overview._kept.clear()
        assert world.page("GET", "/v1/config", token).status_code == 200


@pytest.mark.parametrize(
    "lost", [False, pytest.param(True, marks=pytest.mark.both_databases)], ids=["stands", "lost"]
)
def test_what_nobody_has_told_is_told_before_its_end(world: World, lost: bool) -> None:
    """A sign-in succeeded, and the worker that asked about it was killed; then the connection is ended."""
    token, browser = world.session(), requests.Session()
    attempt = world.begin(token)
    launched = world.launch(attempt["launch_token"], browser=browser)
    world.sign_in(launched.headers["Location"], browser=browser)
    held = {"lease_end": datetime.now(UTC) + timedelta(seconds=30)}
    engine = open_database(world.bff_database)
    with engine.begin() as connection:
        connection.execute(update(attempts).where(attempts.c.id == attempt["id"]).values(held))
    engine.dispose()
    standing = next(each for each in listed(world) if each["state"] == "connected")
    account = {"account": world.account}
    if lost:
        access_token = world.server("POST", f"/v1/connections/{standing['id']}/token", params=account)
        lost_grants.revoke(world.sandbox, access_token.json()["access_token"], SANDBOX_SECRET)
        found = lost_grants.api_token(world.partner, CLIENT_ID, CLIENT_SECRET).json()["access_token"]
        told = lost_grants.report(world.partner, found, world.account, standing["id"])
        assert told.status_code == 409, told.text
    answer = world.server("DELETE", f"/v1/connections/{standing['id']}", params=account)
    assert answer.status_code == 204, answer.text
    assert world.read(attempt["id"])["status"] == "connected"
    story = events(world)
    names = ["connected", "needs_reconnect", "disconnected"] if lost else ["connected", "disconnected"]
    assert [name for name, _ in story] == names
    assert story[0][1]["connected_by"] == "ada"


@pytest.mark.both_databases
def test_the_story_of_a_connection_is_one(world: World) -> None:
    """Each change is told once, in an order that can happen, and the last one is what is so."""
    connection = connected(world, world.session())
    works = (
        lambda: connect(world, "ada"),
        lambda: connect(world, "grace"),
        lambda: end(world),
        lambda: look(world),
    )
    with ThreadPoolExecutor(len(works)) as pool:
        for done in [pool.submit(work) for work in works]:
            done.result()
    world.bff_app.extensions["hitchpost"].connections.overview._kept.clear()
    now = next(each for each in listed(world) if each["id"] == connection)
    path = f"/v1.0/account/connectors/{connection}"
    so = client_of(world).call("GET", path, account=world.account).json()["Authenticated"]

    story = events(world)
    names = [name for name, _ in story]
    assert [data["sequence"] for _, data in story] == list(range(1, len(story) + 1))
    assert names[0] == "connected"
    assert all(after in FOLLOWS[before] for before, after in pairwise(names)), names
    assert (now["state"] == "connected") == so
    assert story[-1][1]["state"] == now["state"]
    assert now["sequence"] == len(story)
