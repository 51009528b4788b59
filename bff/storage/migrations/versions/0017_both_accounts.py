"""Which third-party account stays connected where another one signed in.

Revision ID: 0017
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A column of its own: what the partner service says of it is another account's after a choice."""
    with op.batch_alter_table("attempts") as batch:
        batch.add_column(sa.Column("connected_account", sa.String(255)))


def downgrade() -> None:
    """Forget it."""
    with op.batch_alter_table("attempts") as batch:
        batch.drop_column("connected_account")
