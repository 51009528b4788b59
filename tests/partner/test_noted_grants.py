"""What is noted for revocation belongs to its owner: a row that was tampered with sends nothing anywhere."""

from __future__ import annotations

from typing import Any

import pytest
from flask import json
from sqlalchemy import select, update

from bff.partner import reencryption
from bff.partner.grants import revocation
from bff.partner.storage import tables
from tests.support.third_party import Connection, ThirdParty, refused
from tests.support.world import World

TABLE = tables.pending_revocation


def noted(world: World, third: ThirdParty, **entry: Any) -> Connection:
    """A connection that was ended while its third party was away."""
    for endpoint in ("revoke", "evil"):
        third.says[endpoint] = lambda _: refused("server_error", 500)
    connection = Connection(world, third.offer(world, **entry)).connect()
    connection.api.call("PUT", f"{connection.path}/deauthenticate")
    third.asked.clear()
    return connection


def tamper(connection: Connection, **values: Any) -> None:
    """Write into what is noted, as whoever can write the database, and no more."""
    ours = update(TABLE).where(TABLE.c.account_connector_id == connection.id)
    with connection.world.partner_service.database.writing() as database:
        database.execute(ours.values(**values))


def row_of(connection: Connection) -> Any:
    """What is noted of it."""
    wanted = select(TABLE).where(TABLE.c.account_connector_id == connection.id)
    with connection.world.partner_service.database.reading() as database:
        return database.execute(wanted).one_or_none()


def revoke(connection: Connection) -> None:
    """Try once more."""
    revocation.revoke_now(connection.world.partner_service, row_of(connection).id)


def test_a_noted_grant_never_goes_to_another_third_party(world: World, third: ThirdParty) -> None:
    """Neither by its connector, nor by naming what it is sealed for."""
    connection = noted(world, third)
    other = third.offer(world, revocation_url=f"{third.url}/evil")
    tamper(connection, connector_id=other.id)
    revoke(connection)
    assert third.asked == []
    assert row_of(connection).error == "encryption_key_missing"
    tamper(connection, connector_id=connection.item.id)
    del third.says["revoke"]
    revoke(connection)
    assert row_of(connection) is None


@pytest.mark.parametrize("column", ["credentials", "held"])
def test_what_is_live_cannot_be_noted_for_another(world: World, third: ThirdParty, column: str) -> None:
    """A sealed grant of one account, copied into another's row with the context that it opens in."""
    live = Connection(world, third.offer(world)).connect()
    context = f"account_connector:{live.id}:credentials:{live.item.id}:{live.api.account}"
    if column == "held":
        context = f"sign_in:{'0' * 64}:held:{live.id}:{live.item.id}:{live.api.account}"
    sealed = live.row().credentials
    if column == "held":
        opened = world.partner_service.vault.open(
            sealed, f"account_connector:{live.id}:credentials:{live.item.id}:{live.api.account}"
        )
        sealed = world.partner_service.vault.seal(opened, context)
    connection = noted(world, third, revocation_url=f"{third.url}/evil")
    third.asked.clear()
    tamper(connection, sealed_grant=sealed, sealed_for=context)
    revoke(connection)
    assert third.asked == []


def test_what_an_older_release_noted_is_still_revoked(world: World, third: ThirdParty) -> None:
    """It was sealed for its row alone; a change of keys takes it along."""
    connection = noted(world, third)
    service, noted_id = world.partner_service, row_of(connection).id
    context = f"pending_revocation:{noted_id}:sealed_grant"
    old = service.vault.seal(json.dumps(["rt-old", "refresh_token", "hitchpost", "s"]), context)
    tamper(connection, sealed_grant=old, sealed_for=None)
    faults = reencryption.re_encrypt(service.database, service.vault).faults
    assert not any(noted_id in fault for fault in faults)
    del third.says["revoke"]
    revoke(connection)
    assert [form["token"] for form in third.forms("revoke")] == ["rt-old"]
    assert row_of(connection) is None
