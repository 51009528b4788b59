"""Rejected refreshes in a row are counted apart from other failures, so that an outage counts as none."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("account_connector") as batch_op:
        batch_op.add_column(sa.Column("refresh_refusals", sa.Integer(), nullable=False, server_default="0"))


def downgrade() -> None:
    with op.batch_alter_table("account_connector") as batch_op:
        batch_op.drop_column("refresh_refusals")
