"""Account connectors in the database, and how the API tells one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol

from sqlalchemy import Connection, Row, Select, bindparam, func, insert, select
from sqlalchemy.exc import IntegrityError

from bff.partner import clock
from bff.partner.account_connectors import sign_ins, state
from bff.partner.account_connectors.credentials import unseal
from bff.partner.context import Embedded
from bff.partner.crypto import CannotOpen
from bff.partner.errors import ApiError, missing
from bff.partner.providers.catalogue import CatalogueConnector
from bff.partner.providers.credentials import Credentials
from bff.partner.providers.told import connector as told_connector
from bff.partner.storage import tables
from bff.serving.statements import Within

MOST_SCOPES: Final = 8000
"""Characters of the granted scopes that are told."""
_SCOPE: Final = re.compile(r"[!#-\[\]-~]+")
_TABLE: Final = tables.account_connector
_OURS: Final = select(_TABLE).where(_TABLE.c.account_id == bindparam("account"))
_FIND: Final = Within(_OURS.where(_TABLE.c.id == bindparam("id")))
_SAME: Final = _TABLE.c.connector_id == bindparam("connector")
_IN_USE: Final = Within(_OURS.where(_SAME).order_by(_TABLE.c.authenticated.desc(), _TABLE.c.id).limit(1))
_COUNT: Final = Within(
    select(func.count().label("count")).where(_TABLE.c.account_id == bindparam("account"), _SAME)
)
_PROPERTIES: Final = Within(
    select(tables.property_value)
    .where(tables.property_value.c.account_connector_id == bindparam("installed"))
    .order_by(tables.property_value.c.id)
)


class Owner(Protocol):
    """Whose something sealed is: a row of ``account_connector``, or its columns beside others."""

    @property
    def id(self) -> Any:
        """The account connector's."""

    @property
    def account_id(self) -> Any:
        """The account's."""

    @property
    def connector_id(self) -> Any:
        """The catalogue entry's."""


@dataclass(frozen=True)
class AsOwner:
    """An owner by its ids, whether it is still there or not."""

    id: int
    account_id: str
    connector_id: int


OWNER: Final = (tables.account_connector.c.account_id, tables.account_connector.c.connector_id)


@dataclass(frozen=True)
class BesideOwner:
    """The owner of a row of another table, that has the columns ``OWNER`` beside its own."""

    row: Row[Any]

    @property
    def id(self) -> Any:
        """The account connector's."""
        return self.row.account_connector_id

    @property
    def account_id(self) -> Any:
        """The account's."""
        return self.row.account_id

    @property
    def connector_id(self) -> Any:
        """The catalogue entry's."""
        return self.row.connector_id


def sealed_in(owner: Owner, column: Literal["auth_value", "credentials"]) -> str:
    """The table, row and column that a sealed value of an account connector is bound to, and its owner.

    Whoever can write the database, and no more, cannot give it to another account, nor have it sent to
    another third party.
    """
    return f"account_connector:{owner.id}:{column}:{_owned(owner)}"


def property_in(owner: Owner, name: str) -> str:
    """The same for a property, whose row is the one of this name."""
    return f"property_value:{owner.id}:{len(name)}:{name}:value:{_owned(owner)}"


def held_in(owner: Owner, token_sha256: str) -> str:
    """The same for the held grant of a sign-in."""
    return f"sign_in:{token_sha256}:held:{owner.id}:{_owned(owner)}"


def _owned(owner: Owner) -> str:
    # The account's id last: it is any text.
    return f"{owner.connector_id}:{owner.account_id}"


def owner_of(connection: Connection, account_connector_id: int) -> Owner:
    """The owner of what is sealed for an account connector that is there."""
    table = tables.account_connector
    found = select(table.c.id, table.c.account_id, table.c.connector_id)
    return connection.execute(found.where(table.c.id == account_connector_id)).one()


def find(connection: Connection, account_id: str, account_connector_id: int) -> Row[Any]:
    """One account connector of this account. Raises 404."""
    if account_connector_id > tables.LAST_ID:
        raise missing("Account connector")
    row: Row[Any] | None = _FIND.first(connection, account=account_id, id=account_connector_id)
    if row is None:
        raise missing("Account connector")
    return row


def find_all(connection: Connection, account_id: str) -> list[Row[Any]]:
    """Every account connector of this account, oldest first."""
    return list(connection.execute(_of_account(account_id).order_by(tables.account_connector.c.id)))


def add(
    connection: Connection, account_id: str, connector_id: int, name: str, description: str | None
) -> int:
    """Install; the new id. Raises 400 when the account has one of this name."""
    values = {
        "account_id": account_id,
        "connector_id": connector_id,
        "name": name,
        "description": description,
        "authenticated": False,
    }
    try:
        added = insert(tables.account_connector).values(values).returning(tables.account_connector.c.id)
        return int(connection.execute(added).scalar_one())
    except IntegrityError:
        raise ApiError(400, f"Account connector name '{name}' is in use.") from None


def refuse_draft(item: CatalogueConnector, status: int) -> None:
    """Raises ``status`` for a connector that nobody may install yet."""
    if item.status == "Draft":
        raise ApiError(status, f"Connector {item.id} is a draft and cannot be installed.")


def find_or_add(connection: Connection, account_id: str, item: CatalogueConnector) -> Row[Any]:
    """The account's copy of a connector, installed under the connector's name if there is none.

    Of several the one in use, else the oldest. Raises 409 for a draft, and when another connector's copy has
    the name.
    """
    if (found := _in_use(connection, account_id, item.id)) is not None:
        return found
    refuse_draft(item, 409)
    try:
        with connection.begin_nested():
            return find(connection, account_id, add(connection, account_id, item.id, item.name, None))
    except ApiError as error:
        # Somebody may have installed it at the same moment.
        if (found := _in_use(connection, account_id, item.id)) is not None:
            return found
        raise ApiError(409, error.message) from None


def count(connection: Connection, account_id: str, connector_id: int) -> int:
    """How often the account has installed a connector."""
    return int(_COUNT.first(connection, account=account_id, connector=connector_id).count)


def told(service: Embedded, connection: Connection, row: Row[Any]) -> dict[str, Any]:
    """An account connector as the API tells it."""
    item = service.catalogue.by_id(row.connector_id)
    auth_value = row.auth_value and service.vault.open(row.auth_value, sealed_in(row, "auth_value"))
    document = {
        "Id": row.id,
        "Name": row.name,
        "Description": row.description,
        "AuthValue": auth_value,
        "Authenticated": row.authenticated,
        # A connector that has left the catalogue keeps its id: the client must not lose what it installed.
        "Connector": told_connector(item) if item else {"Id": row.connector_id, "Name": row.name},
        "IsPartnerIntegrationConnector": False,
        "Properties": told_properties(service, connection, row.id),
        "CustomFields": [],
    }
    if service.settings.tell_sign_ins:
        recent, found = sign_ins.recent(connection, row.id), credentials_of(service, row)
        granted = scopes_of(found)
        document["Hitchpost"] = {
            "AuthenticatedAtUtc": clock.dot_net(row.authenticated_at),
            "Scopes": granted,
            "Grant": state.health_of(row, item, found, granted).told(),
            "LastSignIn": recent[0] if recent else None,
            "RecentSignIns": recent,
        }
    return document


def credentials_of(service: Embedded, row: Row[Any]) -> Credentials | None:
    """What is sealed in an account connector; None where nothing is, or its key is missing."""
    if row.credentials is None:
        return None
    try:
        return unseal(service.vault, row.credentials, sealed_in(row, "credentials"))
    except CannotOpen:
        return None


def scopes_of(found: Credentials | None) -> list[str] | None:
    """What the third party granted, which may be less than was asked for; None where nobody knows.

    Only what is a scope (RFC 6749, section 3.3), and not more than fits beside the rest: a long text would
    make the list of an account's connectors one that nobody reads.
    """
    if found is None or found.scope is None:
        return None
    return [scope for scope in found.scope[:MOST_SCOPES].split() if _SCOPE.fullmatch(scope)]


def told_properties(
    service: Embedded, connection: Connection, account_connector_id: int
) -> list[dict[str, Any]]:
    """The properties of an account connector, as the API tells them."""
    rows = _PROPERTIES.all(connection, installed=account_connector_id)
    if not rows:
        return []
    owner = owner_of(connection, account_connector_id)
    return [
        {
            "Name": row.name,
            "Value": service.vault.open(row.value, property_in(owner, row.name)),
            "Id": row.id,
            "AccountConnectorId": account_connector_id,
        }
        for row in rows
    ]


def _in_use(connection: Connection, account_id: str, connector_id: int) -> Row[Any] | None:
    found: Row[Any] | None = _IN_USE.first(connection, account=account_id, connector=connector_id)
    return found


def _of_account(account_id: str) -> Select[Any]:
    return select(tables.account_connector).where(tables.account_connector.c.account_id == account_id)
