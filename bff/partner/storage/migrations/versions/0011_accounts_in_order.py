"""Accounts are listed page by page, in the order of their creation."""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """An index of that order."""
    op.create_index("ix_account_created", "account", ["created_at", "id"])


def downgrade() -> None:
    """Without it, a page is found by sorting all accounts."""
    op.drop_index("ix_account_created", "account")
