"""What is noted for revocation belongs to its owner: a row that was tampered with sends nothing anywhere."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import json
from sqlalchemy import select, update

from bff.outbound.client import Limits
from bff.partner import clock, reencryption
from bff.partner.grants import revocation
from bff.partner.providers import provider
from bff.partner.storage import tables
from tests.support.third_party import Connection, ThirdParty, refused, tokens
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


@pytest.mark.parametrize("by", ["refresh token", "access token"])
@pytest.mark.parametrize("ends", ["PUT deauthenticate", "DELETE"])
def test_a_disconnect_does_not_wait_for_its_third_party(
    world: World, third: ThirdParty, monkeypatch: pytest.MonkeyPatch, by: str, ends: str
) -> None:
    """However many requests a revocation takes, their time is one; what is not done then is tried again."""
    assert Limits().read * 0.75 >= provider.TOGETHER, "the BFF waits no longer for an answer"
    monkeypatch.setattr(provider, "TOGETHER", 0.3)
    over = threading.Event()

    def slowly(answer: Callable[[], Any], seconds: float) -> Callable[[dict[str, str]], Any]:
        def say(_: dict[str, str]) -> Any:
            over.wait(seconds)
            return answer()

        return say

    entry = {"revocation_params": {"token": "{access_token}"}} if by == "access token" else {}
    connection = Connection(world, third.offer(world, **entry)).connect()
    rejected = iter([refused("invalid_token", 401)])
    third.says["token"] = slowly(tokens, 0.2)
    # Three requests that are each in time, or one that never is.
    third.says["revoke"] = slowly(lambda: next(rejected, {}), 0.2 if entry else 2.0)
    method, _, path = ends.partition(" ")
    answer = connection.api.call(method, f"{connection.path}/{path}".rstrip("/"))
    over.set()
    assert answer.status_code == 200
    assert "this is tried again" in answer.json()["Message"]
    assert row_of(connection).error == "third_party_too_slow"
    tamper(connection, next_at=clock.now() - timedelta(seconds=1))
    revocation.retry_revocations(world.partner_service, 10_000)
    assert row_of(connection) is None
