"""indexes for housekeeping: each holds the few attempts that it looks for."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

SOME = {
    "ix_attempts_overdue": "status = 'launched'",
    "ix_attempts_unlaunched": "launched_at IS NULL",
    "ix_attempts_launched": "launched_at IS NOT NULL",
}


def upgrade() -> None:
    op.drop_index("ix_attempts_expires_at", "attempts")
    for name, some in SOME.items():
        where = sa.text(some)
        op.create_index(name, "attempts", ["expires_at"], sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    for name in SOME:
        op.drop_index(name, "attempts")
    op.create_index("ix_attempts_expires_at", "attempts", ["expires_at"])
