"""Properties that are set at the same time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select, text

from bff.partner.account_connectors import properties
from bff.partner.storage import tables
from tests.support.third_party import Connection, ThirdParty
from tests.support.waiting import wait_for
from tests.support.world import World


def test_a_property_that_two_set_at_once_is_stored_once(partner_world: World, third: ThirdParty) -> None:
    """Neither of them fails, and the value of the later one stays."""
    service = partner_world.partner_service
    if service.database.engine.dialect.name == "sqlite":
        pytest.skip("one writer at a time")
    team = {"name": "team", "label": "Team"}
    connection = Connection(partner_world, third.offer(partner_world, field=[team]))
    waits = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    body = {"Name": "team", "Value": "second"}
    with ThreadPoolExecutor(1) as pool, service.database.engine.connect() as watching:
        with service.database.writing() as other:
            properties.put(service, other, connection.id, connection.item.id, [{**body, "Value": "first"}])
            second = pool.submit(connection.api.call, "POST", f"{connection.path}/properties", body)
            assert wait_for(lambda: watching.execute(waits).scalar_one())
        assert second.result(20).status_code == 200
    table = tables.property_value
    with service.database.reading() as reading:
        assert (
            len(reading.execute(select(table).where(table.c.account_connector_id == connection.id)).all())
            == 1
        )
    assert [one["Value"] for one in connection.told()["Properties"]] == ["second"]
