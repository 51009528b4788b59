"""Sign-ins that hold a grant, flows of a token and connections of an entry are found without a scan."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

HELD = sa.text("held IS NOT NULL")


def upgrade() -> None:
    """Their indices."""
    op.create_index("ix_sign_in_held", "sign_in", ["at"], sqlite_where=HELD, postgresql_where=HELD)
    op.create_index("ix_flow_token_sha256", "flow", ["token_sha256"])
    op.create_index("ix_account_connector_connector_id", "account_connector", ["connector_id"])


def downgrade() -> None:
    """Without them, whole tables are read."""
    op.drop_index("ix_account_connector_connector_id", "account_connector")
    op.drop_index("ix_flow_token_sha256", "flow")
    op.drop_index("ix_sign_in_held", "sign_in")
