"""Since when the check of a key has been rejected in a row, by responses that do not say why."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("account_connector") as batch_op:
        batch_op.add_column(sa.Column("rejected_since", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("account_connector") as batch_op:
        batch_op.drop_column("rejected_since")
