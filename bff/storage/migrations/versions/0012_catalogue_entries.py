"""what the partner service's catalogue said, and how long it wants to be left alone, for all workers."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "catalogue_entries",
        sa.Column("service", sa.String(64), nullable=False),
        sa.Column("reference", sa.String(255), nullable=False),
        sa.Column("entry", sa.Text()),
        sa.Column("read_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("service", "reference", name="pk_catalogue_entries"),
    )
    op.add_column("upstream_tokens", sa.Column("quiet_until", sa.DateTime()))
    op.create_index("ix_catalogue_entries_read_at", "catalogue_entries", ["read_at"])


def downgrade() -> None:
    op.drop_column("upstream_tokens", "quiet_until")
    op.drop_table("catalogue_entries")
