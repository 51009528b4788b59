"""Connections: what is known of each account connector, and which one an attempt is for.

Revision ID: 0015
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

LAUNCHED = sa.text("status = 'launched'")


def upgrade() -> None:
    """One row a connection. Nothing is filled in: what stands is noted when it is first looked at."""
    op.create_table(
        "connections",
        sa.Column("product", sa.String(80), primary_key=True),
        sa.Column("account_id", sa.String(255), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("connector_key", sa.String(64), nullable=False),
        sa.Column("connector_name", sa.String(200), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("reason", sa.String(64)),
        sa.Column("connected_at", sa.DateTime),
        sa.Column("connected_by", sa.String(255)),
        sa.Column("connected_by_name", sa.String(255)),
        sa.Column("authenticated_at", sa.DateTime),
        sa.Column("external_account", sa.String(255)),
        sa.Column("scopes", sa.JSON),
        sa.Column("wanted_scopes", sa.JSON),
        sa.Column("expires_at", sa.DateTime),
        sa.Column("extra", sa.JSON),
        sa.Column("sequence", sa.Integer, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("changed_at", sa.DateTime, nullable=False),
        sa.Column("seen_at", sa.DateTime, nullable=False),
        sa.Column("removed_at", sa.DateTime),
        sa.Column("look_at", sa.DateTime),
        sa.Column("ending_until", sa.DateTime),
        sa.Column("ending_by", sa.String(255)),
        sa.Column("taken_until", sa.DateTime),
    )
    for name in ("look_at", "removed_at"):
        some = sa.text(f"{name} IS NOT NULL")
        op.create_index(
            f"ix_connections_{name}", "connections", [name], sqlite_where=some, postgresql_where=some
        )
    with op.batch_alter_table("attempts") as batch:
        batch.add_column(sa.Column("wanted_connection", sa.Integer))
        batch.add_column(sa.Column("adds_connection", sa.Boolean, nullable=False, server_default=sa.false()))
    op.create_index(
        "ix_attempts_running",
        "attempts",
        ["product", "account_id"],
        sqlite_where=LAUNCHED,
        postgresql_where=LAUNCHED,
    )


def downgrade() -> None:
    """Forget them."""
    op.drop_index("ix_attempts_running", "attempts")
    with op.batch_alter_table("attempts") as batch:
        batch.drop_column("adds_connection")
        batch.drop_column("wanted_connection")
    op.drop_table("connections")
