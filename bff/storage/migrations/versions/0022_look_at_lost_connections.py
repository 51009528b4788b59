"""Connections that need a new sign-in are checked without a request, too: it may have been made elsewhere.

Revision ID: 0022
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0020"
branch_labels = None
depends_on = None

rows = sa.table(
    "connections",
    sa.column("state", sa.String()),
    sa.column("look_at", sa.DateTime()),
    sa.column("seen_at", sa.DateTime()),
)


def upgrade() -> None:
    """Those that are stored already are due."""
    lost = rows.c.state == "needs_reconnect"
    op.execute(sa.update(rows).where(lost, rows.c.look_at.is_(None)).values(look_at=rows.c.seen_at))


def downgrade() -> None:
    """Nobody checks them."""
    op.execute(sa.update(rows).where(rows.c.state == "needs_reconnect").values(look_at=None))
