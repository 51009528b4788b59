"""access tokens for the partner service, sealed, one for all workers and machines."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "upstream_tokens",
        sa.Column("credential", sa.String(length=64), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=True),
        sa.Column("leased_until", sa.DateTime(), nullable=True),
        sa.PrimaryKeyConstraint("credential", name=op.f("pk_upstream_tokens")),
    )


def downgrade() -> None:
    op.drop_table("upstream_tokens")
