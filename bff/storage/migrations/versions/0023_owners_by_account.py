"""Which accounts have an owner, by the host's id.

Revision ID: 0023
"""

from __future__ import annotations

from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """An index."""
    op.create_index("ix_account_owners_account_id", "account_owners", ["account_id"])


def downgrade() -> None:
    """Without it."""
    op.drop_index("ix_account_owners_account_id", "account_owners")
