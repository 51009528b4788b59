# house-allow: long-file: a table, read by what stands in it
"""The BFF's tables. Change one together with a migration in ``bff/storage/migrations/versions``."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    false,
    literal_column,
)
from sqlalchemy.types import TypeDecorator

metadata: Final = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class UtcDateTime(TypeDecorator[datetime]):
    """A time-zone aware ``datetime``, stored as UTC without a zone: SQLite has no type with one."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Convert for the database. Raises ``ValueError`` for a time without a zone, which is ambiguous."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time needs its zone")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Convert a value of the database."""
        return None if value is None else value.replace(tzinfo=UTC)


products: Final = Table(
    "products",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("document", JSON, nullable=False),
    Column("file_content", JSON),
)

content_versions: Final = Table(
    "content_versions",
    metadata,
    Column("product_key", ForeignKey("products.key", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("content", JSON, nullable=False),
    Column("by", String(255), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("note", String(500), nullable=False),
)

drafts: Final = Table(
    "drafts",
    metadata,
    Column("product_key", ForeignKey("products.key", ondelete="CASCADE"), primary_key=True),
    Column("content", JSON, nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("based_on", Integer, nullable=False),
    Column("touched", JSON, nullable=False),
)

images: Final = Table(
    "images",
    metadata,
    Column("name", String(80), primary_key=True),
    Column("media_type", String(40), nullable=False),
    Column("data", LargeBinary, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("product_key", String(64), index=True),
)

studio_invites: Final = Table(
    "studio_invites",
    metadata,
    Column("token_sha256", String(64), primary_key=True),
    Column("product_key", ForeignKey("products.key", ondelete="CASCADE"), nullable=False),
    Column("email", String(255), nullable=False),
    Column("role", String(16), nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("used_at", UtcDateTime),
)

studio_sessions: Final = Table(
    "studio_sessions",
    metadata,
    Column("id_sha256", String(64), primary_key=True),
    Column("product_key", ForeignKey("products.key", ondelete="CASCADE"), nullable=False),
    Column("email", String(255), nullable=False),
    Column("role", String(16), nullable=False),
    Column("csrf", String(64), nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
)

product_origins: Final = Table(
    "product_origins",
    metadata,
    Column("product_key", ForeignKey("products.key", ondelete="CASCADE"), primary_key=True),
    Column("origin", String(255), primary_key=True, index=True),
)

secret_keys: Final = Table(
    "secret_keys",
    metadata,
    Column("sha256", String(64), primary_key=True),
    Column("product_key", ForeignKey("products.key", ondelete="CASCADE"), nullable=False, index=True),
)

account_owners: Final = Table(
    "account_owners",
    metadata,
    Column("name_sha256", String(64), primary_key=True),
    Column("product", String(80), nullable=False),
    Column("account_id", String(255), nullable=False, index=True),
)

# ``key``: the name in the code, where the column in the database has an older one.
attempts: Final = Table(
    "attempts",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("support_code", String(16), nullable=False, index=True),
    Column("status", String(16), nullable=False),
    Column("product", String(80), nullable=False),
    Column("account_id", String(255), nullable=False),
    Column("account_name", String(255), nullable=False),
    Column("user_id", String(255), nullable=False),
    Column("user_name", String(255)),
    Column("user_email", String(255)),
    Column("connector_key", String(64), nullable=False),
    Column("connector_name", String(200), nullable=False),
    Column("connector_reference", String(200), nullable=False),
    Column("message", Text, nullable=False),
    Column("callback_message", Text, nullable=False),
    Column("delivery", String(16), nullable=False),
    Column("locale", String(35), nullable=False),
    Column("origin", String(255), nullable=False),
    Column("return_url", Text),
    Column("launch_token_sha256", String(64), nullable=False, unique=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("launched_at", UtcDateTime),
    Column("minted_at", UtcDateTime),
    Column("sign_in_token_sha256", String(64)),
    Column("account_connector_id", Integer),
    Column("authenticated_before", Boolean),
    Column("return_secret_sha256", String(64), unique=True),
    Column("browser_sha256", String(64)),
    Column("returned_at", UtcDateTime),
    Column("return_error", String(64)),
    Column("confirmed_at", UtcDateTime),
    Column("attributed", Boolean),
    Column("seemed_over_at", UtcDateTime),
    Column("hinted_at", UtcDateTime),
    Column("checked_at", UtcDateTime, key="polled_at"),
    Column("checks", Integer, key="polls", nullable=False, server_default="0"),
    Column("checking_until", UtcDateTime, key="lease_end"),
    Column("settled_at", UtcDateTime),
    Column("error_code", String(64)),
    Column("external_account", String(255)),
    Column("connected_account", String(255)),
    Column("late_success_at", UtcDateTime),
    Column("provider_said", Text, key="third_party_error"),
    Column("idempotency_sha256", String(64), unique=True, index=True),
    Column("request_sha256", String(64)),
    Column("wanted_connection", Integer),
    Column("adds_connection", Boolean, nullable=False, server_default=false()),
    Column("look_at", UtcDateTime, key="recheck_at"),
)

# A literal, not a bound parameter: the planner uses a partial index only if it sees the index's condition.
IS_LAUNCHED: Final = attempts.c.status == literal_column("'launched'")
for _name, _condition in (
    ("overdue", IS_LAUNCHED),
    ("unlaunched", attempts.c.launched_at.is_(None)),
    ("launched", attempts.c.launched_at.is_not(None)),
):
    # Only the migration gives PostgreSQL's condition: ``postgresql_where`` loads its dialect, which has 2 MB.
    Index(f"ix_attempts_{_name}", attempts.c.expires_at, sqlite_where=_condition)

Index(
    "ix_attempts_minted",
    attempts.c.account_connector_id,
    attempts.c.minted_at,
    sqlite_where=attempts.c.minted_at.is_not(None),
)

Index("ix_attempts_looks", attempts.c.recheck_at, sqlite_where=attempts.c.recheck_at.is_not(None))

Index("ix_attempts_running", attempts.c.product, attempts.c.account_id, sqlite_where=IS_LAUNCHED)

connections: Final = Table(
    "connections",
    metadata,
    Column("product", String(80), primary_key=True),
    Column("account_id", String(255), primary_key=True),
    Column("number", Integer, key="account_connector_id", primary_key=True, autoincrement=False),
    Column("connector_key", String(64), nullable=False),
    Column("connector_name", String(200), nullable=False),
    Column("state", String(16), nullable=False),
    Column("reason", String(64)),
    Column("connected_at", UtcDateTime),
    Column("connected_by", String(255)),
    Column("connected_by_name", String(255)),
    Column("owner", String(255)),
    Column("authenticated_at", UtcDateTime),
    Column("external_account", String(255)),
    Column("scopes", JSON(none_as_null=True)),
    Column("wanted_scopes", JSON(none_as_null=True)),
    Column("expires_at", UtcDateTime),
    Column("extra", JSON(none_as_null=True)),
    Column("sequence", Integer, nullable=False),
    Column("version", Integer, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
    Column("removed_at", UtcDateTime),
    Column("look_at", UtcDateTime),
    Column("ending_until", UtcDateTime),
    Column("ending_by", String(300)),
    Column("taken_until", UtcDateTime),
    Column("taken_by", String(64)),
)

for _column in (connections.c.look_at, connections.c.removed_at):
    Index(f"ix_connections_{_column.name}", _column, sqlite_where=_column.is_not(None))

Index("ix_attempts_listed", attempts.c.product, attempts.c.created_at, attempts.c.id)
Index(
    "ix_attempts_of_account",
    attempts.c.product,
    attempts.c.account_id,
    attempts.c.created_at,
    attempts.c.id,
)

sign_in_urls: Final = Table(
    "sign_in_urls",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("account_connector_id", Integer, nullable=False, index=True),
    Column("product", String(80), nullable=False),
    Column("account_id", String(255), nullable=False),
    Column("user_id", String(255), nullable=False),
    Column("minted_at", UtcDateTime, nullable=False, index=True),
    Column("authenticated_before", Boolean, nullable=False),
    Column("token_sha256", String(64), index=True),
)

disconnect_keys: Final = Table(
    "disconnect_keys",
    metadata,
    Column("key_sha256", String(64), primary_key=True),
    Column("at", UtcDateTime, nullable=False, index=True),
)

attempt_steps: Final = Table(
    "attempt_steps",
    metadata,
    Column("attempt_id", ForeignKey("attempts.id", ondelete="CASCADE"), primary_key=True),
    Column("step", String(32), primary_key=True),
    Column("first_at", UtcDateTime, nullable=False),
    Column("last_at", UtcDateTime, nullable=False),
    Column("count", Integer, nullable=False),
)

typed_values: Final = Table(
    "typed_values",
    metadata,
    Column("account_connector_id", Integer, primary_key=True, autoincrement=False),
    Column("product", String(80), primary_key=True),
    Column("account_id", String(255), primary_key=True),
    Column("at", UtcDateTime, nullable=False, index=True),
)

upstream_tokens: Final = Table(
    "upstream_tokens",
    metadata,
    Column("credential", String(64), primary_key=True),
    Column("sealed", Text),
    Column("leased_until", UtcDateTime),
    Column("quiet_until", UtcDateTime),
)

catalogue_entries: Final = Table(
    "catalogue_entries",
    metadata,
    Column("service", String(64), primary_key=True),
    Column("reference", String(255), primary_key=True),
    Column("entry", Text),
    Column("read_at", UtcDateTime, nullable=False, index=True),
)

ended_sessions: Final = Table(
    "ended_sessions",
    metadata,
    Column("product", String(80), primary_key=True),
    Column("user_id", String(255), primary_key=True),
    Column("account_id", String(255), primary_key=True),
    Column("ended_before", UtcDateTime, nullable=False, index=True),
)

used_assertions: Final = Table(
    "used_assertions",
    metadata,
    Column("sha256", String(64), primary_key=True),
    Column("until", UtcDateTime, nullable=False, index=True),
)

outbox: Final = Table(
    "outbox",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("type", String(64), nullable=False),
    Column("product", String(80), nullable=False),
    Column("account_id", String(255), nullable=False),
    Column("subject", String(64), nullable=False),
    Column("data", JSON),
    Column("at", UtcDateTime, nullable=False, index=True),
    Column("body", Text),
    Column("queued_at", UtcDateTime),
)
Index("ix_outbox_unqueued", outbox.c.at, sqlite_where=outbox.c.queued_at.is_(None))

webhook_endpoints: Final = Table(
    "webhook_endpoints",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("product", String(80), nullable=False, index=True),
    Column("url", Text, nullable=False),
    Column("events", JSON, nullable=False),
    Column("sealed", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("off_at", UtcDateTime),
    Column("off_reason", String(64)),
    Column("removed_at", UtcDateTime, index=True),
    Column("failures", Integer, nullable=False, server_default="0"),
    Column("lane", Integer, nullable=False, server_default="0"),
    Column("due_at", UtcDateTime),
    Column("leased_until", UtcDateTime),
    Index("ix_webhook_endpoints_due", "lane", "due_at"),
)

webhook_deliveries: Final = Table(
    "webhook_deliveries",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("event_id", String(64), nullable=False),
    Column("endpoint_id", String(64), nullable=False),
    Column("product", String(80), nullable=False),
    Column("type", String(64), nullable=False),
    Column("subject", String(64), nullable=False),
    Column("status", String(16), nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("created_at", UtcDateTime, nullable=False, index=True),
    Column("queued_at", UtcDateTime),
    Column("next_at", UtcDateTime, nullable=False),
    Column("last_at", UtcDateTime),
    Column("answer_status", Integer),
    Column("error", String(64)),
    Column("milliseconds", Integer),
    Index("ix_webhook_deliveries_listed", "product", "created_at", "id"),
    Index("ix_webhook_deliveries_of_endpoint", "endpoint_id", "created_at", "id"),
    Index("ix_webhook_deliveries_event", "event_id", "endpoint_id", unique=True),
)
IS_PENDING: Final = webhook_deliveries.c.status == literal_column("'pending'")
Index(
    "ix_webhook_deliveries_pending",
    webhook_deliveries.c.endpoint_id,
    webhook_deliveries.c.next_at,
    sqlite_where=IS_PENDING,
)

rate_limits: Final = Table(
    "rate_limits",
    metadata,
    Column("key", String(255), primary_key=True),
    Column("hits", Integer, nullable=False),
    Column("ends_at", UtcDateTime, nullable=False),
    Index("ix_rate_limits_ends_at", "ends_at"),
)
