"""What a disconnect was repeated with, and whose sign-in a URL of the host's server was for.

Revision ID: 0022
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A table of keys, and the hash of the token of a URL."""
    op.create_table(
        "disconnect_keys",
        sa.Column("key_sha256", sa.String(64), primary_key=True),
        sa.Column("at", sa.DateTime(), nullable=False),
    )
    op.create_index("ix_disconnect_keys_at", "disconnect_keys", ["at"])
    with op.batch_alter_table("sign_in_urls") as batch:
        batch.add_column(sa.Column("token_sha256", sa.String(64)))
    op.create_index("ix_sign_in_urls_token_sha256", "sign_in_urls", ["token_sha256"])


def downgrade() -> None:
    """A repeated disconnect is answered 404 again, and nobody has connected by a URL."""
    op.drop_index("ix_sign_in_urls_token_sha256", "sign_in_urls")
    with op.batch_alter_table("sign_in_urls") as batch:
        batch.drop_column("token_sha256")
    op.drop_table("disconnect_keys")
