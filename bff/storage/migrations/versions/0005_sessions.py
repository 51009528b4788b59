"""sessions that a host has ended, assertions that were used, and requests that are repeated."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

INDEX = "ix_attempts_idempotency_sha256"


def upgrade() -> None:
    op.create_table(
        "ended_sessions",
        sa.Column("product", sa.String(length=80), nullable=False),
        sa.Column("user_id", sa.String(length=255), nullable=False),
        sa.Column("account_id", sa.String(length=255), nullable=False),
        sa.Column("ended_before", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("product", "user_id", "account_id", name=op.f("pk_ended_sessions")),
    )
    op.create_index(op.f("ix_ended_sessions_ended_before"), "ended_sessions", ["ended_before"])
    op.create_table(
        "used_assertions",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("until", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_used_assertions")),
    )
    op.create_index(op.f("ix_used_assertions_until"), "used_assertions", ["until"])
    # Columns and an index alone: to make the table anew would take the steps of its attempts along.
    for name in ("idempotency_sha256", "request_sha256"):
        op.add_column("attempts", sa.Column(name, sa.String(length=64), nullable=True))
    op.create_index(op.f(INDEX), "attempts", ["idempotency_sha256"], unique=True)


def downgrade() -> None:
    op.drop_index(op.f(INDEX), "attempts")
    for name in ("request_sha256", "idempotency_sha256"):
        op.drop_column("attempts", name)
    for name in ("used_assertions", "ended_sessions"):
        op.drop_table(name)
