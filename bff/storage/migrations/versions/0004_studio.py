"""the Studio: invites and sessions."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # A draft's key is a product's key and a suffix.
    with op.batch_alter_table("attempts") as batch:
        batch.alter_column("product", existing_type=sa.String(length=64), type_=sa.String(length=80))
    op.create_table(
        "studio_invites",
        sa.Column("token_sha256", sa.String(length=64), nullable=False),
        sa.Column("product_key", sa.String(length=64), nullable=False),
        sa.Column("email", sa.String(length=255), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("expires_at", sa.DateTime(), nullable=False),
        sa.Column("used_at", sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["product_key"],
            ["products.key"],
            name=op.f("fk_studio_invites_product_key_products"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("token_sha256", name=op.f("pk_studio_invites")),
    )
    op.create_table(
        "studio_sessions",
        sa.Column("id_sha256", sa.String(length=64), nullable=False),
        sa.Column("product_key", sa.String(length=64), nullable=False),
        sa.Column("email", sa.String(length=255), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("csrf", sa.String(length=64), nullable=False),
        sa.Column("seen_at", sa.DateTime(), nullable=False),
        sa.Column("expires_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["product_key"],
            ["products.key"],
            name=op.f("fk_studio_sessions_product_key_products"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id_sha256", name=op.f("pk_studio_sessions")),
    )


def downgrade() -> None:
    with op.batch_alter_table("attempts") as batch:
        batch.alter_column("product", existing_type=sa.String(length=80), type_=sa.String(length=64))
    for name in ("studio_sessions", "studio_invites"):
        op.drop_table(name)
