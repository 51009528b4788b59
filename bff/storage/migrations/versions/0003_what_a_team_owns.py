"""what a product team owns: published versions, drafts and images.

Messages and words that stood in the product's own row go: the next start, or `hitchpost products apply`,
takes them from the product file again.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("products") as batch:
        batch.add_column(sa.Column("file_content", sa.JSON(), nullable=True))
    op.create_table(
        "content_versions",
        sa.Column("product_key", sa.String(length=64), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("by", sa.String(length=255), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("note", sa.String(length=500), nullable=False),
        sa.ForeignKeyConstraint(
            ["product_key"],
            ["products.key"],
            name=op.f("fk_content_versions_product_key_products"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("product_key", "number", name=op.f("pk_content_versions")),
    )
    op.create_table(
        "drafts",
        sa.Column("product_key", sa.String(length=64), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("based_on", sa.Integer(), nullable=False),
        sa.Column("touched", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["product_key"], ["products.key"], name=op.f("fk_drafts_product_key_products"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("product_key", name=op.f("pk_drafts")),
    )
    op.create_table(
        "images",
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("media_type", sa.String(length=40), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_images")),
    )


def downgrade() -> None:
    for name in ("images", "drafts", "content_versions"):
        op.drop_table(name)
    with op.batch_alter_table("products") as batch:
        batch.drop_column("file_content")
