"""The tables of the embedded partner service."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)

metadata = MetaData()
LAST_ID: Final = 2**31 - 1
"""The greatest id (32-bit integer). PostgreSQL raises an error for a query with a greater one."""


class Moment(TypeDecorator[datetime]):
    """A timezone-aware datetime in UTC. SQLite does not store the zone, so it is added on read."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> datetime | None:  # noqa: ARG002
        """Store in UTC."""
        return value.astimezone(UTC) if value else None

    def process_result_value(self, value: datetime | None, dialect: Any) -> datetime | None:  # noqa: ARG002
        """Read as UTC."""
        return value.replace(tzinfo=UTC) if value and value.tzinfo is None else value


def _of_account(*, primary_key: bool = False) -> Column[str]:
    return Column(
        "account_id",
        String(255),
        ForeignKey("account.id", ondelete="CASCADE"),
        primary_key=primary_key,
        nullable=False,
        index=not primary_key,
    )


def _of_account_connector() -> Column[int]:
    return Column(
        "account_connector_id",
        Integer,
        ForeignKey("account_connector.id", ondelete="CASCADE"),
        nullable=False,
        index=True,
    )


account: Final = Table(
    "account",
    metadata,
    Column("id", String(255), primary_key=True),
    Column("created_at", Moment, nullable=False),
    Column("details", JSON, nullable=False),
    Index("ix_account_created", "created_at", "id"),
)

account_user: Final = Table(
    "account_user",
    metadata,
    _of_account(primary_key=True),
    Column("username", String(255), primary_key=True),
)

api_token: Final = Table(
    "api_token",
    metadata,
    Column("sha256", String(64), primary_key=True),
    Column("scope_account_id", String(255)),
    Column("expires_at", Moment, nullable=False, index=True),
)

sign_in_token: Final = Table(
    "sign_in_token",
    metadata,
    Column("sha256", String(64), primary_key=True),
    _of_account(),
    Column("username", String(255), nullable=False),
    Column("expires_at", Moment, nullable=False, index=True),
    Column("used_at", Moment),
    Column("completion_url", Text),
    Column("target_origin", Text),
)

account_connector: Final = Table(
    "account_connector",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    _of_account(),
    Column("connector_id", Integer, nullable=False, index=True),
    Column("name", String(255), nullable=False),
    Column("description", Text),
    Column("authenticated", Boolean, nullable=False, default=False),
    Column("authenticated_at", Moment),
    Column("external_account", Text),
    Column("auth_value", Text),  # sealed
    Column("credentials", Text),  # sealed
    Column("refresh_lease_ends", Moment),
    Column("refresh_not_before", Moment),
    Column("refresh_failures", Integer, nullable=False, default=0),
    Column("refresh_refusals", Integer, nullable=False, default=0),
    # Of a key: since when its check is rejected in a row, by responses that do not say why.
    Column("rejected_since", Moment),
    # Hash of the token that revokes the grant. Other rows may hold the same grant.
    Column("grant_sha256", String(64), index=True),
    # Sign-in tokens minted before this time cannot connect any more.
    Column("ended_at", Moment),
    Column("grant_reason", String(40)),
    Column("next_refresh_at", Moment, index=True),
    UniqueConstraint("account_id", "name"),
    sqlite_autoincrement=True,
)

property_value: Final = Table(
    "property_value",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    _of_account_connector(),
    Column("name", String(255), nullable=False),
    Column("value", Text, nullable=False),  # sealed
    UniqueConstraint("account_connector_id", "name"),
    sqlite_autoincrement=True,
)

sign_in: Final = Table(
    "sign_in",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    _of_account_connector(),
    Column("token_sha256", String(64), nullable=False, unique=True),
    Column("result", String(16), nullable=False),
    Column("error", Text),
    Column("at", Moment, nullable=False, index=True),
    Column("external_account", Text),
    Column("held", Text),  # sealed
    Column("provider", Text),
    sqlite_autoincrement=True,
)
# Few hold a grant. The others need not be read to find them.
HELD_SINCE: Final = Index(
    "ix_sign_in_held",
    sign_in.c.at,
    sqlite_where=sign_in.c.held.is_not(None),
    postgresql_where=sign_in.c.held.is_not(None),
)

flow: Final = Table(
    "flow",
    metadata,
    Column("state_sha256", String(64), primary_key=True),
    Column("cookie_sha256", String(64), nullable=False),
    _of_account_connector(),
    Column("token_sha256", String(64), nullable=False, index=True),
    Column("verifier", Text, nullable=False),  # sealed
    Column("target_origin", Text, nullable=False),
    Column("callback_message", Text),
    Column("expires_at", Moment, nullable=False, index=True),
    Column("used_at", Moment),
)

completion: Final = Table(
    "completion",
    metadata,
    Column("code_sha256", String(64), primary_key=True),
    _of_account_connector(),
    Column("token_sha256", String(64), nullable=False),
    Column("answer", Text),  # sealed; NULL for the client credentials grant, which needs no consent
    Column("target_origin", Text, nullable=False),
    Column("callback_message", Text),
    Column("expires_at", Moment, nullable=False, index=True),
    Column("finish_sha256", String(64), unique=True),
)

rate_limit: Final = Table(
    "rate_limit",
    metadata,
    Column("key", String(255), primary_key=True),
    Column("hits", Integer, nullable=False),
    Column("ends_at", Moment, nullable=False, index=True),
)

pending_revocation: Final = Table(
    "pending_revocation",
    metadata,
    # No foreign keys: the account connector and the account may be deleted before the revocation.
    Column("id", String(32), primary_key=True),
    Column("connector_id", Integer, nullable=False, index=True),
    Column("account_id", String(255), nullable=False),
    Column("account_connector_id", Integer, nullable=False),
    Column("sealed_grant", Text, nullable=False),  # sealed
    # Associated data of the sealed grant: this row, or its source if copied undecrypted (key missing).
    Column("sealed_for", Text),
    Column("external_account", Text),
    Column("created_at", Moment, nullable=False),
    Column("failures", Integer, nullable=False, default=0),
    Column("error", Text),
    Column("next_at", Moment, nullable=False, index=True),
    Column("given_up_at", Moment),
)
