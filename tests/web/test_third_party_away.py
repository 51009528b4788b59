"""One connection's third party is away: that is the trouble of this connection, and of nobody else."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import requests
from sqlalchemy import select, update

from bff.outbound.breaker import RULES
from bff.partner import clock
from bff.partner.account_connectors import credentials, store
from bff.partner.storage import tables
from tests.support.connections import connected
from tests.support.world import OTHER_HOST, OTHER_SECRET_KEY, World

COOLS_DOWN = 240


def cool_down(world: World, number: int) -> None:
    """Its access token has run out, and its third party, which failed just now, is left alone for a while."""
    service, table, now = world.partner_service, tables.account_connector, clock.now()
    with service.database.writing() as connection:
        row = connection.execute(select(table).where(table.c.id == number)).one()
        context = store.sealed_in(row, "credentials")
        kept = credentials.unseal(service.vault, row.credentials, context)
        over = replace(kept, expires_at=now - timedelta(seconds=1))
        values = {
            "credentials": credentials.seal(service.vault, over, context),
            "refresh_not_before": now + timedelta(seconds=COOLS_DOWN),
        }
        connection.execute(update(table).where(table.c.id == number).values(values))


def sign_in_at_the_other_product(world: World) -> str:
    """A user of the other product signs in, to the end; the attempt's id."""
    session, browser = world.session(key=OTHER_SECRET_KEY), requests.Session()
    asked = {"origin": OTHER_HOST, "json": {"connector": "sandbox"}}
    attempt = world.page("POST", "/v1/attempts", session, **asked).json()
    opened_for = {"product": "other", "origin": OTHER_HOST}
    launched = world.launch(attempt["launch_token"], opened_for=opened_for, browser=browser)
    world.sign_in(launched.headers["Location"], browser=browser)
    return str(attempt["id"])


def test_a56_one_grant_that_cools_down_stops_nobody_else(world: World) -> None:
    """Its token is 503 with the time to wait; the other product's sign-in is told, its connection ends."""
    connection = connected(world, world.session())
    cool_down(world, int(connection))
    account = {"account": world.account}
    for _ in range(2 * RULES.minimum):
        refused = world.server("POST", f"/v1/connections/{connection}/token", params=account)
        told = refused.json()
        assert (refused.status_code, told["code"]) == (503, "partner_unavailable")
        assert COOLS_DOWN - 10 < int(refused.headers["Retry-After"]) <= COOLS_DOWN
        assert f"connection {connection}" in told["detail"]

    other = replace(world, account="other-" + world.account)
    attempt = sign_in_at_the_other_product(other)
    read = other.server("GET", f"/v1/attempts/{attempt}?hint=message", key=OTHER_SECRET_KEY).json()
    assert read["status"] == "connected"
    ended = other.server(
        "DELETE",
        f"/v1/connections/{read['connection']['id']}",
        key=OTHER_SECRET_KEY,
        params={"account": other.account},
    )
    assert ended.status_code == 204
    assert world.server("DELETE", f"/v1/connections/{connection}", params=account).status_code == 204
