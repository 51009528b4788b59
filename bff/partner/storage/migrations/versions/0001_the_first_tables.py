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
        "account",
        sa.Column("id", sa.String(length=255), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "api_token",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("scope_account_id", sa.String(length=255), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("sha256"),
    )
    with op.batch_alter_table("api_token", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_api_token_expires_at"), ["expires_at"], unique=False)

    op.create_table(
        "account_connector",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("account_id", sa.String(length=255), nullable=False),
        sa.Column("connector_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("authenticated", sa.Boolean(), nullable=False),
        sa.Column("authenticated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("external_account", sa.Text(), nullable=True),
        sa.Column("auth_value", sa.Text(), nullable=True),
        sa.Column("credentials", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("account_id", "name"),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("account_connector", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_account_connector_account_id"), ["account_id"], unique=False)

    op.create_table(
        "account_user",
        sa.Column("account_id", sa.String(length=255), nullable=False),
        sa.Column("username", sa.String(length=255), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("account_id", "username"),
    )
    op.create_table(
        "sign_in_token",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("account_id", sa.String(length=255), nullable=False),
        sa.Column("username", sa.String(length=255), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("sha256"),
    )
    with op.batch_alter_table("sign_in_token", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sign_in_token_account_id"), ["account_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_sign_in_token_expires_at"), ["expires_at"], unique=False)

    op.create_table(
        "flow",
        sa.Column("state_sha256", sa.String(length=64), nullable=False),
        sa.Column("cookie_sha256", sa.String(length=64), nullable=False),
        sa.Column("account_connector_id", sa.Integer(), nullable=False),
        sa.Column("token_sha256", sa.String(length=64), nullable=False),
        sa.Column("verifier", sa.Text(), nullable=False),
        sa.Column("target_origin", sa.Text(), nullable=False),
        sa.Column("callback_message", sa.Text(), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["account_connector_id"], ["account_connector.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("state_sha256"),
    )
    with op.batch_alter_table("flow", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_flow_account_connector_id"), ["account_connector_id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_flow_expires_at"), ["expires_at"], unique=False)

    op.create_table(
        "property_value",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("account_connector_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["account_connector_id"], ["account_connector.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("account_connector_id", "name"),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("property_value", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_property_value_account_connector_id"), ["account_connector_id"], unique=False
        )

    op.create_table(
        "sign_in",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("account_connector_id", sa.Integer(), nullable=False),
        sa.Column("token_sha256", sa.String(length=64), nullable=False),
        sa.Column("result", sa.String(length=16), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("external_account", sa.Text(), nullable=True),
        sa.Column("held", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["account_connector_id"], ["account_connector.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("token_sha256"),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("sign_in", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_sign_in_account_connector_id"), ["account_connector_id"], unique=False
        )


def downgrade() -> None:
    with op.batch_alter_table("sign_in", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sign_in_account_connector_id"))

    op.drop_table("sign_in")
    with op.batch_alter_table("property_value", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_property_value_account_connector_id"))

    op.drop_table("property_value")
    with op.batch_alter_table("flow", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_flow_expires_at"))
        batch_op.drop_index(batch_op.f("ix_flow_account_connector_id"))

    op.drop_table("flow")
    with op.batch_alter_table("sign_in_token", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sign_in_token_expires_at"))
        batch_op.drop_index(batch_op.f("ix_sign_in_token_account_id"))

    op.drop_table("sign_in_token")
    op.drop_table("account_user")
    with op.batch_alter_table("account_connector", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_account_connector_account_id"))

    op.drop_table("account_connector")
    with op.batch_alter_table("api_token", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_api_token_expires_at"))

    op.drop_table("api_token")
    op.drop_table("account")
