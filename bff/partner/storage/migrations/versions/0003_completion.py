"""sign-ins that only the browser that began them completes."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("sign_in_token") as batch:
        batch.add_column(sa.Column("completion_url", sa.Text(), nullable=True))
        batch.add_column(sa.Column("target_origin", sa.Text(), nullable=True))
    op.create_table(
        "completion",
        sa.Column("code_sha256", sa.String(length=64), nullable=False),
        sa.Column("account_connector_id", sa.Integer(), nullable=False),
        sa.Column("token_sha256", sa.String(length=64), nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("target_origin", sa.Text(), nullable=False),
        sa.Column("callback_message", sa.Text(), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finish_sha256", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(["account_connector_id"], ["account_connector.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("code_sha256"),
        sa.UniqueConstraint("finish_sha256"),
    )
    with op.batch_alter_table("completion") as batch:
        batch.create_index("ix_completion_account_connector_id", ["account_connector_id"], unique=False)
        batch.create_index("ix_completion_expires_at", ["expires_at"], unique=False)


def downgrade() -> None:
    op.drop_table("completion")
    with op.batch_alter_table("sign_in_token") as batch:
        for name in ("target_origin", "completion_url"):
            batch.drop_column(name)
