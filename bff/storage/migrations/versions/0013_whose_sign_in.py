"""whose sign-in made a connection, and who else signs in to the same account connector."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

MINTED = sa.text("minted_at IS NOT NULL")


def upgrade() -> None:
    with op.batch_alter_table("attempts") as batch:
        batch.add_column(sa.Column("return_error", sa.String(length=64), nullable=True))
        batch.add_column(sa.Column("confirmed_at", sa.DateTime(), nullable=True))
        batch.add_column(sa.Column("attributed", sa.Boolean(), nullable=True))
        batch.add_column(sa.Column("seemed_over_at", sa.DateTime(), nullable=True))
    op.create_index(
        "ix_attempts_minted",
        "attempts",
        ["account_connector_id", "minted_at"],
        sqlite_where=MINTED,
        postgresql_where=MINTED,
    )
    op.create_table(
        "sign_in_urls",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_connector_id", sa.Integer(), nullable=False),
        sa.Column("product", sa.String(length=80), nullable=False),
        sa.Column("account_id", sa.String(length=255), nullable=False),
        sa.Column("user_id", sa.String(length=255), nullable=False),
        sa.Column("minted_at", sa.DateTime(), nullable=False),
        sa.Column("authenticated_before", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in_urls")),
    )
    op.create_index(op.f("ix_sign_in_urls_account_connector_id"), "sign_in_urls", ["account_connector_id"])
    op.create_index(op.f("ix_sign_in_urls_minted_at"), "sign_in_urls", ["minted_at"])


def downgrade() -> None:
    op.drop_table("sign_in_urls")
    op.drop_index("ix_attempts_minted", "attempts")
    with op.batch_alter_table("attempts") as batch:
        for name in ("seemed_over_at", "attributed", "confirmed_at", "return_error"):
            batch.drop_column(name)
