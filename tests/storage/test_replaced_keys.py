"""An encryption key that is replaced without sealing anew is told at once."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import update

from bff.partner.__main__ import main
from bff.partner.crypto import Vault
from bff.partner.key_faults import foreign_keys
from bff.partner.settings import encryption_keys
from bff.partner.storage import tables
from tests.partner.test_grants import KEY, environment
from tests.support.databases import DatabaseUrl
from tests.support.third_party import Connection, ThirdParty
from tests.support.world import World, open_world

pytestmark = pytest.mark.one_database

OTHER = base64.b64encode(b"y" * 32).decode()


@pytest.fixture
def world(database_url: DatabaseUrl, tmp_path: Path) -> Iterator[World]:
    """One of its own: others leave values behind that no key opens any more."""
    with open_world(tmp_path, database_url=database_url) as own:
        yield own


REPLACED = {
    "under its own id": (f"k1:{OTHER}", "key 'k1' is not the one"),
    "by one of another id": (f"k2:{OTHER}", "key 'k1', which is not here"),
}


def vault(keys: str) -> Vault:
    """The keys as a setting has them."""
    return Vault(encryption_keys(keys))


@pytest.mark.parametrize(
    "how", [pytest.param("under its own id", marks=pytest.mark.both_databases), "by one of another id"]
)
def test_a_replaced_key_is_refused(
    world: World,
    third: ThirdParty,
    how: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """By `check-config`, which says what to do; with the old key behind the new one all is well."""
    Connection(world, third.offer(world)).connect()
    keys, said = REPLACED[how]
    for name, value in (environment(world) | {"HITCHPOST_EMBEDDED_ENCRYPTION_KEYS": keys}).items():
        monkeypatch.setenv(name, value)
    assert main(["check-config"]) == 2
    assert said in capsys.readouterr().err
    monkeypatch.setenv("HITCHPOST_EMBEDDED_ENCRYPTION_KEYS", f"k2:{OTHER},{KEY}")
    assert main(["check-config"]) == 0


def test_one_value_that_was_tampered_with_stops_no_start(world: World, third: ThirdParty) -> None:
    """It does not open, as ever; the others show that the key is right."""
    Connection(world, third.offer(world)).connect()
    spoiled = Connection(world, third.offer(world)).connect()
    with world.partner_service.database.writing() as connection:
        table = tables.account_connector
        changed = update(table).where(table.c.id == spoiled.id)
        connection.execute(changed.values(credentials=vault(KEY).seal("x", "elsewhere")))
    assert foreign_keys(world.partner_service.database, vault(KEY)) == []
