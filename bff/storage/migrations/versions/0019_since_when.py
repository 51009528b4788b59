"""Since when a delivery is tried; whose a connection is, which attempt has it, and room for who ends it."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("webhook_deliveries") as batch:
        batch.add_column(sa.Column("queued_at", sa.DateTime(), nullable=True))
    with op.batch_alter_table("connections") as batch:
        batch.add_column(sa.Column("taken_by", sa.String(64), nullable=True))
        batch.add_column(sa.Column("owner", sa.String(255), nullable=True))
        # A user's id with the word before it that says whose it is.
        batch.alter_column("ending_by", existing_type=sa.String(255), type_=sa.String(300))


def downgrade() -> None:
    with op.batch_alter_table("connections") as batch:
        batch.alter_column("ending_by", existing_type=sa.String(300), type_=sa.String(255))
        batch.drop_column("owner")
        batch.drop_column("taken_by")
    with op.batch_alter_table("webhook_deliveries") as batch:
        batch.drop_column("queued_at")
