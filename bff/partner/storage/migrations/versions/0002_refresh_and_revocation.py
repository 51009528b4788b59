"""refreshing and revoking grants."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("account_connector", schema=None) as batch_op:
        batch_op.add_column(sa.Column("refresh_lease_ends", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("refresh_not_before", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("refresh_failures", sa.Integer(), nullable=False, server_default="0"))

    with op.batch_alter_table("sign_in", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sign_in_at"), ["at"], unique=False)

    op.create_table(
        "pending_revocation",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("connector_id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.String(length=255), nullable=False),
        sa.Column("account_connector_id", sa.Integer(), nullable=False),
        sa.Column("sealed_grant", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("pending_revocation", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_pending_revocation_connector_id"), ["connector_id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_pending_revocation_next_at"), ["next_at"], unique=False)


def downgrade() -> None:
    op.drop_table("pending_revocation")
    with op.batch_alter_table("sign_in", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sign_in_at"))

    # Not in a batch: that would make the table anew, and dropping the old one takes its rows' children along.
    for column in ("refresh_failures", "refresh_not_before", "refresh_lease_ends"):
        op.drop_column("account_connector", column)
