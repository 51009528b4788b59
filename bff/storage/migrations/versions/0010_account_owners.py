"""which product an account at the partner service belongs to: so far, the one that first used its id."""

import unicodedata
from hashlib import sha256

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    owners = op.create_table(
        "account_owners",
        sa.Column("name_sha256", sa.String(64), nullable=False),
        sa.Column("product", sa.String(80), nullable=False),
        sa.Column("account_id", sa.String(255), nullable=False),
        sa.PrimaryKeyConstraint("name_sha256", name="pk_account_owners"),
    )
    attempts = sa.table("attempts", *(sa.column(name) for name in ("product", "account_id", "launched_at")))
    first = sa.func.min(attempts.c.launched_at)
    used = (
        sa.select(attempts.c.product, attempts.c.account_id)
        .where(attempts.c.launched_at.is_not(None))
        .group_by(attempts.c.product, attempts.c.account_id)
        .order_by(first)
    )
    found: dict[str, dict[str, str]] = {}
    for product, account in op.get_bind().execute(used):
        # As bff/upstream/accounts.py folds it today.
        name = sha256(unicodedata.normalize("NFC", account).casefold().encode()).hexdigest()
        found.setdefault(name, {"name_sha256": name, "product": product, "account_id": account})
    if found:
        op.bulk_insert(owners, list(found.values()))


def downgrade() -> None:
    op.drop_table("account_owners")
