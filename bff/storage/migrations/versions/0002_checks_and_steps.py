"""how often each attempt was checked, its steps, and a success that came late."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("attempts") as batch:
        batch.add_column(sa.Column("minted_at", sa.DateTime(), nullable=True))
        batch.add_column(sa.Column("hinted_at", sa.DateTime(), nullable=True))
        batch.add_column(sa.Column("checks", sa.Integer(), nullable=False, server_default="0"))
        batch.add_column(sa.Column("checking_until", sa.DateTime(), nullable=True))
        batch.add_column(sa.Column("late_success_at", sa.DateTime(), nullable=True))
    op.create_table(
        "attempt_steps",
        sa.Column("attempt_id", sa.String(length=64), nullable=False),
        sa.Column("step", sa.String(length=32), nullable=False),
        sa.Column("first_at", sa.DateTime(), nullable=False),
        sa.Column("last_at", sa.DateTime(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["attempt_id"],
            ["attempts.id"],
            name=op.f("fk_attempt_steps_attempt_id_attempts"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("attempt_id", "step", name=op.f("pk_attempt_steps")),
    )


def downgrade() -> None:
    op.drop_table("attempt_steps")
    with op.batch_alter_table("attempts") as batch:
        for name in ("late_success_at", "checking_until", "checks", "hinted_at", "minted_at"):
            batch.drop_column(name)
