"""API keys and passwords that were typed before get their time when they are looked at, spread over a day."""

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

MINUTES = 24 * 60


def upgrade() -> None:
    table = sa.table(
        "account_connector",
        sa.column("id", sa.Integer()),
        sa.column("auth_value", sa.Text()),
        sa.column("credentials", sa.Text()),
        sa.column("authenticated", sa.Boolean()),
        sa.column("next_refresh_at", sa.DateTime(timezone=True)),
    )
    typed = table.c.auth_value.is_not(None) & table.c.credentials.is_(None) & table.c.authenticated
    unseen, now = typed & table.c.next_refresh_at.is_(None), datetime.now(UTC)
    numbers = op.get_bind().execute(sa.select(table.c.id).where(unseen)).scalars()
    later = [{"number": one, "at": now + timedelta(minutes=one % MINUTES)} for one in numbers]
    if later:
        ours = sa.update(table).where(table.c.id == sa.bindparam("number"))
        op.get_bind().execute(ours.values(next_refresh_at=sa.bindparam("at")), later)


def downgrade() -> None:
    """Nothing to take back: a service without it clears a time that it has no use for."""
