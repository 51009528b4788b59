"""A connection is ended, slowly, while a user signs in to it again: what is told last is what is so."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest
from sqlalchemy import select, update

from bff.serving.database import open_database
from bff.storage.tables import connections
from bff.web.kit.services import services_of
from tests.partner.conftest import client_of
from tests.support.connections import connected, events, listed, named
from tests.support.world import World

pytestmark = [pytest.mark.usefixtures("server_hears"), pytest.mark.one_database]


def path_of(connection: str) -> str:
    """Its path at the partner service."""
    return f"/v1.0/account/connectors/{connection}"


def end(world: World, connection: str) -> int:
    """The host's server ends it."""
    path = f"/v1/connections/{connection}"
    return world.server("DELETE", path, params={"account": world.account}).status_code


def sign_in(world: World) -> str:
    """A colleague signs in, to the end; nobody has asked yet. The attempt's id."""
    return world.connect(world.session(user="grace"))


def tell(world: World, attempt: str) -> None:
    """Somebody asks: it is connected."""
    assert world.read(attempt)["status"] == "connected"


def look(world: World) -> None:
    """Whatever is due is looked at, though nobody asks."""
    while world.bff_app.extensions["hitchpost"].connections.health.look():
        pass


def lose_the_answer() -> None:
    """What was done stays done; whoever asked is told nothing of it."""
    raise RuntimeError("its answer is lost")


def told_on_the_way_back(world: World, connection: str) -> None:
    """The grant has ended; before the answer is there, somebody has signed in and it was told."""
    put = f"{path_of(connection)}/deauthenticate"
    world.partner_calls.meanwhile("PUT", put, "after", lambda: tell(world, sign_in(world)))
    assert end(world, connection) == 204


def told_on_the_way_there(world: World, connection: str) -> None:
    """The end arrives after somebody has signed in, and it was told: it ends that, too."""
    put = f"{path_of(connection)}/deauthenticate"
    world.partner_calls.meanwhile("PUT", put, "before", lambda: tell(world, sign_in(world)))
    assert end(world, connection) == 204


def told_afterwards(world: World, connection: str) -> None:
    """Somebody signs in before the answer is there; it is told after it."""
    attempts: list[str] = []
    put = f"{path_of(connection)}/deauthenticate"
    world.partner_calls.meanwhile("PUT", put, "after", lambda: attempts.append(sign_in(world)))
    assert end(world, connection) == 204
    tell(world, attempts[0])


def heard_before_and_told_afterwards(world: World, connection: str) -> None:
    """What was heard of a sign-in just before the end is stored just after it."""
    heard, ended = threading.Event(), threading.Event()

    def slowly() -> None:
        heard.set()
        ended.wait(20)

    with ThreadPoolExecutor(1) as pool:

        def before() -> None:
            attempt = sign_in(world)
            world.partner_calls.meanwhile("GET", path_of(connection), "after", slowly)
            pool.submit(tell, world, attempt)
            assert heard.wait(20)

        put = f"{path_of(connection)}/deauthenticate"
        world.partner_calls.meanwhile("PUT", put, "before", before)
        assert end(world, connection) == 204
        ended.set()


def told_before_a_lost_answer(world: World, connection: str) -> None:
    """The end fails, as it seems; and somebody has signed in again."""

    def after() -> None:
        tell(world, sign_in(world))
        lose_the_answer()

    world.partner_calls.meanwhile("PUT", f"{path_of(connection)}/deauthenticate", "after", after)
    assert end(world, connection) == 503


def lost_answer(world: World, connection: str) -> None:
    """The end fails, as it seems; nobody comes back."""
    put = f"{path_of(connection)}/deauthenticate"
    world.partner_calls.meanwhile("PUT", put, "after", lose_the_answer)
    assert end(world, connection) == 503


def a_second_end_on_the_way(world: World, connection: str) -> None:
    """Another end is told, and then a sign-in, before the first end arrives: it ends that."""

    def before() -> None:
        assert end(world, connection) == 204
        tell(world, sign_in(world))

    world.partner_calls.meanwhile("PUT", f"{path_of(connection)}/deauthenticate", "before", before)
    assert end(world, connection) == 204


ORDERS: Final[dict[Callable[[World, str], None], list[str]]] = {
    told_on_the_way_back: ["reconnected"],
    told_on_the_way_there: ["reconnected", "disconnected"],
    told_afterwards: ["disconnected", "connected"],
    heard_before_and_told_afterwards: ["disconnected", "connected", "disconnected"],
    told_before_a_lost_answer: ["reconnected"],
    lost_answer: ["disconnected"],
    a_second_end_on_the_way: ["disconnected", "connected", "disconnected"],
}


@pytest.mark.both_databases
def test_an_end_whose_process_has_died_is_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The partner service has ended the grant; nothing was stored of it. A minute later it is looked at."""
    connection = connected(world, world.session())
    ending = services_of(world.bff_app).connections.ending
    with monkeypatch.context() as dying:
        dying.setattr(ending, "_note_end", lambda *_: lose_the_answer())
        assert end(world, connection) == 500
    engine, row = open_database(world.bff_database), connections.c
    with engine.begin() as database:
        mine = row.account_connector_id == int(connection)
        found = database.execute(select(row.ending_until, row.look_at).where(mine)).one()
        assert found.look_at == found.ending_until
        past = datetime.now(UTC) - timedelta(seconds=1)
        database.execute(update(connections).where(mine).values(ending_until=past, look_at=past))
    engine.dispose()
    look(world)
    assert named(world) == ["connected", "disconnected"]
    assert events(world)[-1][1]["disconnected_by"] == "server"


AT_ONCE: Final = pytest.mark.both_databases
"""Two transactions at once may differ on PostgreSQL. The other orders send the same statements."""


@pytest.mark.parametrize(
    "order",
    [
        pytest.param(order, marks=[AT_ONCE] if order is heard_before_and_told_afterwards else [])
        for order in ORDERS
    ],
    ids=lambda order: order.__name__,
)
def test_the_last_event_is_what_is_so(world: World, order: Callable[[World, str], None]) -> None:
    """In whatever order an end and a sign-in are done, heard and told; though no page looks."""
    connection = connected(world, world.session())
    order(world, connection)
    look(world)
    found = client_of(world).call("GET", path_of(connection), account=world.account).json()
    assert named(world) == ["connected", *ORDERS[order]]
    last = events(world)[-1][1]["state"]
    assert last == ("connected" if found["Authenticated"] else "disconnected")
    now = next(each for each in listed(world) if each["id"] == connection)
    assert now["state"] == last
