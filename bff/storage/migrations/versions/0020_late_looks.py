"""When an attempt that was given up is looked at again.

Revision ID: 0020
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

WANTED = sa.text("look_at IS NOT NULL")


def upgrade() -> None:
    """A time, and an index of those that have one."""
    with op.batch_alter_table("attempts") as batch:
        batch.add_column(sa.Column("look_at", sa.DateTime()))
    op.create_index(
        "ix_attempts_looks", "attempts", ["look_at"], sqlite_where=WANTED, postgresql_where=WANTED
    )


def downgrade() -> None:
    """Nobody looks again unasked."""
    op.drop_index("ix_attempts_looks", "attempts")
    with op.batch_alter_table("attempts") as batch:
        batch.drop_column("look_at")
