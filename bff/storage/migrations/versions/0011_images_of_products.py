"""which product put an image up: so many are kept for each."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("images") as batch:
        batch.add_column(sa.Column("product_key", sa.String(length=64), nullable=True))
        batch.create_index("ix_images_product_key", ["product_key"])


def downgrade() -> None:
    with op.batch_alter_table("images") as batch:
        batch.drop_index("ix_images_product_key")
        batch.drop_column("product_key")
