"""the first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


# house-allow: long-function: a table of tables
def upgrade() -> None:
    op.create_table(
        "attempts",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("support_code", sa.String(length=16), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("product", sa.String(length=64), nullable=False),
        sa.Column("account_id", sa.String(length=255), nullable=False),
        sa.Column("account_name", sa.String(length=255), nullable=False),
        sa.Column("user_id", sa.String(length=255), nullable=False),
        sa.Column("user_name", sa.String(length=255), nullable=True),
        sa.Column("user_email", sa.String(length=255), nullable=True),
        sa.Column("connector_key", sa.String(length=64), nullable=False),
        sa.Column("connector_name", sa.String(length=200), nullable=False),
        sa.Column("connector_reference", sa.String(length=200), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("callback_message", sa.Text(), nullable=False),
        sa.Column("delivery", sa.String(length=16), nullable=False),
        sa.Column("locale", sa.String(length=35), nullable=False),
        sa.Column("origin", sa.String(length=255), nullable=False),
        sa.Column("return_url", sa.Text(), nullable=True),
        sa.Column("launch_token_sha256", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("expires_at", sa.DateTime(), nullable=False),
        sa.Column("launched_at", sa.DateTime(), nullable=True),
        sa.Column("sign_in_token_sha256", sa.String(length=64), nullable=True),
        sa.Column("account_connector_id", sa.Integer(), nullable=True),
        sa.Column("authenticated_before", sa.Boolean(), nullable=True),
        sa.Column("return_secret_sha256", sa.String(length=64), nullable=True),
        sa.Column("returned_at", sa.DateTime(), nullable=True),
        sa.Column("checked_at", sa.DateTime(), nullable=True),
        sa.Column("settled_at", sa.DateTime(), nullable=True),
        sa.Column("error_code", sa.String(length=64), nullable=True),
        sa.Column("external_account", sa.String(length=255), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempts")),
        sa.UniqueConstraint("launch_token_sha256", name=op.f("uq_attempts_launch_token_sha256")),
        sa.UniqueConstraint("return_secret_sha256", name=op.f("uq_attempts_return_secret_sha256")),
    )
    with op.batch_alter_table("attempts", schema=None) as batch_op:
        batch_op.create_index("ix_attempts_expires_at", ["expires_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_attempts_support_code"), ["support_code"], unique=False)

    op.create_table(
        "products",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_products")),
    )
    op.create_table(
        "product_origins",
        sa.Column("product_key", sa.String(length=64), nullable=False),
        sa.Column("origin", sa.String(length=255), nullable=False),
        sa.ForeignKeyConstraint(
            ["product_key"],
            ["products.key"],
            name=op.f("fk_product_origins_product_key_products"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("product_key", "origin", name=op.f("pk_product_origins")),
    )
    with op.batch_alter_table("product_origins", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_product_origins_origin"), ["origin"], unique=False)

    op.create_table(
        "secret_keys",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("product_key", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["product_key"],
            ["products.key"],
            name=op.f("fk_secret_keys_product_key_products"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_secret_keys")),
    )
    with op.batch_alter_table("secret_keys", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_secret_keys_product_key"), ["product_key"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("secret_keys", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_secret_keys_product_key"))

    op.drop_table("secret_keys")
    with op.batch_alter_table("product_origins", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_product_origins_origin"))

    op.drop_table("product_origins")
    op.drop_table("products")
    with op.batch_alter_table("attempts", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_attempts_support_code"))
        batch_op.drop_index("ix_attempts_expires_at")

    op.drop_table("attempts")
