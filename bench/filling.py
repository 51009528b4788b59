"""A database as it is after a long time: millions of attempts, through the product's own schema.

Rows are made inside the database, from random numbers: ids and hashes of their real length, in no order.
Indexes are taken away before and made again after: many times quicker than to keep ten million random keys in
order one by one.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import Column, Connection, Engine, Integer, MetaData, Table, insert, text

from bench.filling_postgresql import bare_postgresql
from bench.filling_sqlite import bare_sqlite
from bff.serving.database import open_database, writing
from bff.storage.schema import SCHEMA
from bff.storage.tables import UtcDateTime

UNLAUNCHED_OF: Final = 5
"""One attempt of so many was prepared for a click that never came."""
WITH_STEPS_OF: Final = 10
"""One attempt of so many has a story that is noted."""
KEPT: Final = timedelta(days=80)
"""The oldest launched attempt: younger than what is purged."""
UNLAUNCHED_KEPT: Final = timedelta(minutes=30)
"""The oldest of the others that a filled database has, likewise."""
THOUSAND: Final = 1000
"""So many rows share a time."""

MOMENTS: Final = Table(
    "moments",
    MetaData(),
    Column("moment", Integer, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    prefixes=["TEMPORARY"],
)

# What both dialects understand. ``at``, ``i``, ``l`` (launched), ``key``, ``launch`` come from ``SOURCES``.
COLUMNS: Final = {
    "id": "'att_' || key",
    "support_code": "substr(key, 1, 4) || '-' || substr(key, 5, 4)",
    "status": "CASE WHEN l THEN 'connected' ELSE 'created' END",
    "product": "'shop'",
    "account_id": "'account-' || (i % 50000)",
    "account_name": "'account-' || (i % 50000)",
    "user_id": "'user-' || (i % 250000)",
    "user_name": "'User ' || (i % 250000)",
    "connector_key": "'sandbox'",
    "connector_name": "'Sandbox CRM'",
    "connector_reference": "'sandbox'",
    "message": "'connected:sandbox'",
    "callback_message": """'{"type":"hitchpost.callback","attempt":"att_' || key || '","nonce":"'
        || substr(launch, 1, 43) || '","message":"connected:sandbox"}'""",
    "delivery": "'message'",
    "locale": "'en'",
    "origin": "'https://app.example.com'",
    "launch_token_sha256": "launch",
    "created_at": "at",
    "expires_at": "at",
    "launched_at": "CASE WHEN l THEN at END",
    "minted_at": "CASE WHEN l THEN at END",
    "sign_in_token_sha256": "CASE WHEN l THEN substr(launch, 17) || substr(launch, 1, 16) END",
    "account_connector_id": "CASE WHEN l THEN i % 50000 END",
    "authenticated_before": "CASE WHEN l THEN NOT l END",
    "browser_sha256": "CASE WHEN l THEN substr(launch, 33) || substr(launch, 1, 32) END",
    "hinted_at": "CASE WHEN l THEN at END",
    "checked_at": "CASE WHEN l THEN at END",
    "checks": "CASE WHEN l THEN 3 ELSE 0 END",
    "settled_at": "CASE WHEN l THEN at END",
    "external_account": "CASE WHEN l THEN 'user-' || (i % 250000) || '@sandbox.example' END",
}
# LIMIT and OFFSET keep the planner from evaluating a random key anew wherever it is used.
SOURCES: Final = {
    "sqlite": """
        WITH RECURSIVE numbers(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM numbers WHERE i < :rows)
        SELECT {columns} FROM (
          SELECT i, i % {unlaunched} <> 0 AS l, lower(hex(randomblob(12))) AS key,
            lower(hex(randomblob(32))) AS launch FROM numbers LIMIT -1
        ) JOIN moments ON moment = i / {thousand} * 2 + (NOT l)""",
    "postgresql": """
        SELECT {columns} FROM (
          SELECT i, i % {unlaunched} <> 0 AS l, left(md5(random()::text), 24) AS key,
            md5(random()::text) || md5(random()::text) AS launch FROM generate_series(1, :rows) AS i OFFSET 0
        ) AS made JOIN moments ON moment = i / {thousand} * 2 + (NOT l)::int""",
}
STEPS: Final = """INSERT INTO attempt_steps (attempt_id, step, first_at, last_at, count)
    SELECT id, 'message_seen', created_at, created_at, 1 FROM attempts
    WHERE account_connector_id % :some = 1"""


def fill(engine: Engine, rows: int, *, ready: datetime) -> None:
    """Put ``rows`` attempts into an empty database, the last one of the time ``ready``.

    Nothing of it is due to be purged for half an hour.
    """
    bare = bare_sqlite if engine.dialect.name == "sqlite" else bare_postgresql
    with bare(engine) as connection:
        _moments(connection, rows, ready, KEPT)
        _insert(connection, rows)
        connection.execute(text(STEPS), {"some": WITH_STEPS_OF})


def main(url: str, rows: str) -> None:
    """Fill one, in a process that can be ended at any time."""
    engine = open_database(url)
    SCHEMA.upgrade(engine)
    fill(engine, int(rows), ready=datetime.now(UTC))
    engine.dispose()


def add_due(engine: Engine, rows: int, *, now: datetime) -> None:
    """Add attempts that nobody launched, and that are due to be purged since an hour."""
    with writing(engine).begin() as connection:
        _moments(connection, rows, now - timedelta(hours=2), UNLAUNCHED_KEPT)
        _insert(connection, rows, unlaunched=1)


def _moments(connection: Connection, rows: int, last: datetime, span: timedelta) -> None:
    """A time for each thousand rows: odd ones for those that were not launched, which are kept for less."""
    MOMENTS.create(connection)
    count = rows // THOUSAND + 1
    made = [
        {"moment": 2 * number + odd, "at": last - min(span, most) * ((count - number) / count)}
        for number in range(count + 1)
        for odd, most in ((0, span), (1, UNLAUNCHED_KEPT))
    ]
    connection.execute(insert(MOMENTS), made)


def _insert(connection: Connection, rows: int, unlaunched: int = UNLAUNCHED_OF) -> None:
    columns = ", ".join(COLUMNS.values()).replace(":", "\\:")
    source = SOURCES[connection.dialect.name].format(
        columns=columns, unlaunched=unlaunched, thousand=THOUSAND
    )
    connection.execute(text(f"INSERT INTO attempts ({', '.join(COLUMNS)}) {source}"), {"rows": rows})
    MOMENTS.drop(connection)


if __name__ == "__main__":
    main(*sys.argv[1:])
