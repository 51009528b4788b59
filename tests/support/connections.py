"""What tests read of connections: what a page and a server are told, and the events that wait to be told."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Engine, insert, select, update
from sqlalchemy.exc import IntegrityError

from bff.serving.database import open_database
from bff.storage.tables import outbox, webhook_endpoints
from tests.support.world import World


def hear(engine: Engine, product: str = "demo") -> None:
    """The product's server wants to hear of everything: without an endpoint nothing is recorded."""
    endpoint = {
        "id": f"whe_{product}",
        "product": product,
        "url": "http://127.0.0.1:9/",
        "events": ["*"],
        "sealed": "",
        "created_at": datetime.now(UTC),
    }
    with contextlib.suppress(IntegrityError), engine.begin() as connection:
        connection.execute(insert(webhook_endpoints).values(endpoint))
    with engine.begin() as connection:
        ours = webhook_endpoints.c.id == endpoint["id"]
        connection.execute(update(webhook_endpoints).where(ours).values(removed_at=None))


def hear_of(world: World) -> None:
    """The same, in a world's database."""
    engine = open_database(world.bff_database)
    hear(engine)
    engine.dispose()


def listed(world: World) -> list[dict[str, Any]]:
    """What the host's server is told of the account's connections."""
    answer = world.server("GET", "/v1/connections", params={"account": world.account})
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["connections"]
    return found


def shown(world: World, token: str, connector: str = "sandbox") -> dict[str, Any]:
    """What a page is told of a connector."""
    told = world.page("GET", "/v1/config", token).json()["connectors"]
    found: dict[str, Any] = next(each for each in told if each["key"] == connector)
    return found


def connected(world: World, token: str, connector: str = "sandbox", **more: Any) -> str:
    """A whole click that ends well; the id of the connection."""
    attempt = world.read(world.connect(token, connector, **more))
    assert attempt["status"] == "connected", attempt
    return str(attempt["connection"]["id"])


def events(world: World) -> list[tuple[str, dict[str, Any]]]:
    """What is to be told of the account's connections, in order."""
    engine = open_database(world.bff_database)
    wanted = select(outbox).where(outbox.c.account_id == world.account, outbox.c.type.like("connection.%"))
    with engine.connect() as connection:
        rows = connection.execute(wanted).all()
    engine.dispose()
    found = [(row.type.removeprefix("connection."), row.data) for row in rows]
    return sorted(found, key=lambda event: (event[1]["id"], event[1]["sequence"]))


def named(world: World) -> list[str]:
    """The same, by their types alone."""
    return [name for name, _ in events(world)]
