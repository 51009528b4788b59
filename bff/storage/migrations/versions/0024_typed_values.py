"""Which account connectors have values that a user typed, for longer than the attempts are kept.

Revision ID: 0024
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A table, with what the stored attempts tell."""
    op.create_table(
        "typed_values",
        sa.Column("account_connector_id", sa.Integer(), autoincrement=False, primary_key=True),
        sa.Column("product", sa.String(80), primary_key=True),
        sa.Column("account_id", sa.String(255), primary_key=True),
        sa.Column("at", sa.DateTime(), nullable=False),
    )
    op.create_index("ix_typed_values_at", "typed_values", ["at"])
    op.execute(
        """
        INSERT INTO typed_values (account_connector_id, product, account_id, at)
        SELECT account_connector_id, product, account_id, MAX(last_at)
        FROM attempts JOIN attempt_steps ON attempt_id = attempts.id
        WHERE step = 'form_sent' AND account_connector_id IS NOT NULL
        GROUP BY account_connector_id, product, account_id
        """
    )


def downgrade() -> None:
    """Only the stored attempts tell it again."""
    op.drop_table("typed_values")
