"""Why a grant has ended, when each is looked at next, and what a third party said of a failed sign-in."""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

INDEX = "ix_account_connector_next_refresh_at"


def upgrade() -> None:
    with op.batch_alter_table("account_connector") as batch:
        batch.add_column(sa.Column("grant_reason", sa.String(length=40), nullable=True))
        batch.add_column(sa.Column("next_refresh_at", sa.DateTime(timezone=True), nullable=True))
        batch.create_index(INDEX, ["next_refresh_at"], unique=False)
    with op.batch_alter_table("sign_in") as batch:
        batch.add_column(sa.Column("provider", sa.Text(), nullable=True))
    # Each grant that stands gets its own time when it is looked at.
    table = sa.table(
        "account_connector",
        sa.column("credentials", sa.Text()),
        sa.column("next_refresh_at", sa.DateTime(timezone=True)),
    )
    standing = sa.update(table).where(table.c.credentials.is_not(None))
    op.execute(standing.values(next_refresh_at=datetime.now(UTC)))


def downgrade() -> None:
    with op.batch_alter_table("sign_in") as batch:
        batch.drop_column("provider")
    with op.batch_alter_table("account_connector") as batch:
        batch.drop_index(INDEX)
        for name in ("next_refresh_at", "grant_reason"):
            batch.drop_column(name)
