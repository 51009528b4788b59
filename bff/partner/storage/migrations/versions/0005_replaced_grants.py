"""Grants that are replaced: whose they were, whether one of them still stands, and an end of trying."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

INDEX = "ix_account_connector_grant_sha256"


def upgrade() -> None:
    with op.batch_alter_table("account_connector") as batch:
        batch.add_column(sa.Column("grant_sha256", sa.String(length=64), nullable=True))
        batch.create_index(INDEX, ["grant_sha256"], unique=False)
    with op.batch_alter_table("pending_revocation") as batch:
        batch.add_column(sa.Column("sealed_for", sa.Text(), nullable=True))
        batch.add_column(sa.Column("external_account", sa.Text(), nullable=True))
        batch.add_column(sa.Column("given_up_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("pending_revocation") as batch:
        for name in ("given_up_at", "external_account", "sealed_for"):
            batch.drop_column(name)
    with op.batch_alter_table("account_connector") as batch:
        batch.drop_index(INDEX)
        batch.drop_column("grant_sha256")
