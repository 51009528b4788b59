"""A clock that jumps ahead ends no grant, and what it wrote holds nobody up when it is right again (A73)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from bff.partner import clock
from bff.partner.grants import refresh, revocation, upkeep
from tests.support.third_party import Connection, ThirdParty, refused, tokens
from tests.support.world import World

DAYS = timedelta(days=100)


@contextmanager
def jumped(world: World) -> Iterator[None]:
    """In the block the service's clock is so far ahead."""
    clock.follow(lambda: datetime.now(UTC) + DAYS)
    try:
        yield
    finally:
        clock.follow(world.partner_service.database.clock)


def only_access(world: World, third: ThirdParty) -> Connection:
    """A connection whose access token lives for an hour and cannot be renewed."""
    third.says["token"] = lambda _: tokens(refresh_token=None)
    return Connection(world, third.offer(world)).connect()


def end_in_vain(connection: Connection, third: ThirdParty) -> None:
    """The user disconnects while the third party revokes nothing."""
    third.says["revoke"] = lambda _: refused("temporarily_unavailable", 503)
    connection.api.call("PUT", f"{connection.path}/deauthenticate")


def test_a73_a_jumped_clock_ends_no_token_that_is_asked_for(world: World, third: ThirdParty) -> None:
    """The caller is told that it has ended; nothing is deleted, and it is given when the clock is right."""
    connection = only_access(world, third)
    stored = connection.credentials()
    with jumped(world), pytest.raises(refresh.NeedsSignIn):
        refresh.usable(world.partner_service, connection.api.account, connection.id)
    assert connection.access_token().status_code == 200
    assert (connection.credentials(), third.forms("revoke")) == (stored, [])


def test_a73_a_jumped_clock_ends_no_token_in_the_background(world: World, third: ThirdParty) -> None:
    """Its round looks at all grants, and leaves them."""
    connection = only_access(world, third)
    with jumped(world):
        upkeep.look_after(world.partner_service, 10_000)
    assert connection.told()["Authenticated"] is True
    assert third.forms("revoke") == []


def test_a73_a_jumped_clock_gives_no_revocation_up(world: World, third: ThirdParty) -> None:
    """It seems to have waited for months, and is tried again; one that has waited so long is given up."""
    connection = Connection(world, third.offer(world)).connect()
    end_in_vain(connection, third)
    with jumped(world):
        revocation.retry_revocations(world.partner_service, 10_000)
    assert (connection.noted().failures, connection.noted().given_up_at) == (2, None)
    now = clock.now()
    connection.change_noted(created_at=now - timedelta(days=29, minutes=1), next_at=now)
    revocation.retry_revocations(world.partner_service, 10_000)
    assert connection.noted().given_up_at is not None


def test_a73_a_revocation_that_a_jumped_clock_put_off_is_tried(world: World, third: ThirdParty) -> None:
    """It waits for six hours at most: later is no time that a right clock can have written."""
    connection = Connection(world, third.offer(world)).connect()
    end_in_vain(connection, third)
    del third.says["revoke"]
    connection.change_noted(next_at=clock.now() + timedelta(hours=5))
    revocation.retry_revocations(world.partner_service, 10_000)
    assert connection.noted() is not None
    connection.change_noted(next_at=clock.now() + DAYS)
    revocation.retry_revocations(world.partner_service, 10_000)
    assert connection.noted() is None


@pytest.mark.parametrize("name", ["refresh_lease_ends", "refresh_not_before"])
def test_a73_what_a_jumped_clock_wrote_holds_no_refresh_up(
    world: World, third: ThirdParty, name: str
) -> None:
    """Nobody leases a refresh, or waits for the next one, for so long."""
    connection = Connection(world, third.offer(world)).connect()
    connection.age()
    connection.change(**{name: clock.now() + DAYS})
    assert connection.access_token().status_code == 200
    assert len(third.forms("token")) == 2
