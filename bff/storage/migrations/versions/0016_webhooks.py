"""Webhooks: where servers are told, what is to be told them; and lists of attempts.

Revision ID: 0016
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

UNQUEUED = sa.text("queued_at IS NULL")
PENDING = sa.text("status = 'pending'")


def upgrade() -> None:
    """Two tables, and what the lists go by."""
    with op.batch_alter_table("outbox") as batch:
        batch.add_column(sa.Column("body", sa.Text()))
        batch.add_column(sa.Column("queued_at", sa.DateTime()))
    op.create_index("ix_outbox_unqueued", "outbox", ["at"], sqlite_where=UNQUEUED, postgresql_where=UNQUEUED)
    _create_endpoints()
    _create_deliveries()
    op.create_index("ix_attempts_listed", "attempts", ["product", "created_at", "id"])
    op.create_index("ix_attempts_of_account", "attempts", ["product", "account_id", "created_at", "id"])


def _create_endpoints() -> None:
    op.create_table(
        "webhook_endpoints",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("product", sa.String(80), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("events", sa.JSON(), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("off_at", sa.DateTime()),
        sa.Column("off_reason", sa.String(64)),
        sa.Column("removed_at", sa.DateTime()),
        sa.Column("failures", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("lane", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("due_at", sa.DateTime()),
        sa.Column("leased_until", sa.DateTime()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_endpoints")),
    )
    op.create_index(op.f("ix_webhook_endpoints_product"), "webhook_endpoints", ["product"])
    op.create_index(op.f("ix_webhook_endpoints_removed_at"), "webhook_endpoints", ["removed_at"])
    op.create_index("ix_webhook_endpoints_due", "webhook_endpoints", ["lane", "due_at"])


def _create_deliveries() -> None:
    op.create_table(
        "webhook_deliveries",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("event_id", sa.String(64), nullable=False),
        sa.Column("endpoint_id", sa.String(64), nullable=False),
        sa.Column("product", sa.String(80), nullable=False),
        sa.Column("type", sa.String(64), nullable=False),
        sa.Column("subject", sa.String(64), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("next_at", sa.DateTime(), nullable=False),
        sa.Column("last_at", sa.DateTime()),
        sa.Column("answer_status", sa.Integer()),
        sa.Column("error", sa.String(64)),
        sa.Column("milliseconds", sa.Integer()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_deliveries")),
    )
    name, columns = "webhook_deliveries", ["created_at", "id"]
    op.create_index(op.f("ix_webhook_deliveries_created_at"), name, ["created_at"])
    op.create_index("ix_webhook_deliveries_listed", name, ["product", *columns])
    op.create_index("ix_webhook_deliveries_of_endpoint", name, ["endpoint_id", *columns])
    op.create_index("ix_webhook_deliveries_event", name, ["event_id", "endpoint_id"], unique=True)
    op.create_index(
        "ix_webhook_deliveries_pending",
        name,
        ["endpoint_id", "next_at"],
        sqlite_where=PENDING,
        postgresql_where=PENDING,
    )


def downgrade() -> None:
    """Forget all of it."""
    op.drop_index("ix_attempts_of_account", "attempts")
    op.drop_index("ix_attempts_listed", "attempts")
    op.drop_table("webhook_deliveries")
    op.drop_table("webhook_endpoints")
    op.drop_index("ix_outbox_unqueued", "outbox")
    with op.batch_alter_table("outbox") as batch:
        batch.drop_column("queued_at")
        batch.drop_column("body")
