"""Reads and adds account connectors in the database, and converts them to the form of the API."""

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
from bff.partner.providers.api_json import connector as connector_json
from bff.partner.providers.catalogue import CatalogueConnector
from bff.partner.providers.credentials import Credentials
from bff.partner.storage import tables
from bff.serving.statements import Within

MOST_SCOPES: Final = 8000
"""Characters of the granted scopes that the API reports."""
_SCOPE: Final = re.compile(r"[!#-\[\]-~]+")
_TABLE: Final = tables.account_connector
_IN_ACCOUNT: Final = select(_TABLE).where(_TABLE.c.account_id == bindparam("account"))
_FIND: Final = Within(_IN_ACCOUNT.where(_TABLE.c.id == bindparam("id")))
_SAME: Final = _TABLE.c.connector_id == bindparam("connector")
_PREFERRED: Final = Within(
    _IN_ACCOUNT.where(_SAME).order_by(_TABLE.c.authenticated.desc(), _TABLE.c.id).limit(1)
)
_COUNT: Final = Within(
    select(func.count().label("count")).where(_TABLE.c.account_id == bindparam("account"), _SAME)
)
_PROPERTIES: Final = Within(
    select(tables.property_value)
    .where(tables.property_value.c.account_connector_id == bindparam("installed"))
    .order_by(tables.property_value.c.id)
)


class Owner(Protocol):
    """The owner of an encrypted value: a row of ``account_connector``, or its columns in a joined row."""

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
    """An owner by its ids. Its account connector may be deleted."""

    id: int
    account_id: str
    connector_id: int


OWNER: Final = (tables.account_connector.c.account_id, tables.account_connector.c.connector_id)


@dataclass(frozen=True)
class BesideOwner:
    """The owner of a row of another table, which is joined with the columns ``OWNER``."""

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
    """The context that a value of an account connector is encrypted for: table, row, column and owner.

    Write access to the database alone is therefore not enough to move it to another account, or to send it
    to another third party.
    """
    return f"account_connector:{owner.id}:{column}:{_owner_suffix(owner)}"


def property_in(owner: Owner, name: str) -> str:
    """The context of a property, whose row is identified by its name."""
    return f"property_value:{owner.id}:{len(name)}:{name}:value:{_owner_suffix(owner)}"


def held_in(owner: Owner, token_sha256: str) -> str:
    """The context of the held grant of a sign-in."""
    return f"sign_in:{token_sha256}:held:{owner.id}:{_owner_suffix(owner)}"


def _owner_suffix(owner: Owner) -> str:
    # The account id comes last, because it may contain any character.
    return f"{owner.connector_id}:{owner.account_id}"


def owner_of(connection: Connection, account_connector_id: int) -> Owner:
    """The owner of the encrypted values of an existing account connector."""
    table = tables.account_connector
    wanted = select(table.c.id, table.c.account_id, table.c.connector_id)
    return connection.execute(wanted.where(table.c.id == account_connector_id)).one()


def find(connection: Connection, account_id: str, account_connector_id: int) -> Row[Any]:
    """One account connector of this account. Raises ``ApiError`` (404)."""
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
    """Install a connector. Returns its new id. Raises ``ApiError`` (400) if the name is in use."""
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
    """Raise ``ApiError`` with this status if the connector is a draft."""
    if item.status == "Draft":
        raise ApiError(status, f"Connector {item.id} is a draft and cannot be installed.")


def find_or_add(connection: Connection, account_id: str, item: CatalogueConnector) -> Row[Any]:
    """The account connector of this connector, installed under the connector's name if there is none.

    Of several, an authenticated one is returned, else the oldest. Raises ``ApiError`` (409) for a draft, and
    if another account connector has the name.
    """
    if (existing := _find_preferred(connection, account_id, item.id)) is not None:
        return existing
    refuse_draft(item, 409)
    try:
        with connection.begin_nested():
            return find(connection, account_id, add(connection, account_id, item.id, item.name, None))
    except ApiError as error:
        # A concurrent request may have installed it.
        if (existing := _find_preferred(connection, account_id, item.id)) is not None:
            return existing
        raise ApiError(409, error.message) from None


def count(connection: Connection, account_id: str, connector_id: int) -> int:
    """How many times the account has installed a connector."""
    return int(_COUNT.first(connection, account=account_id, connector=connector_id).count)


def as_json(service: Embedded, connection: Connection, row: Row[Any]) -> dict[str, Any]:
    """An account connector in the form of the API.

    One with a value that cannot be decrypted needs a new sign-in: it is not authenticated.
    """
    item = service.catalogue.by_id(row.connector_id)
    auth_value = row.auth_value and _open(service, row.auth_value, sealed_in(row, "auth_value"))
    credentials = credentials_of(service, row)
    properties = property_documents(service, connection, row.id)
    opens = (auth_value is None) == (row.auth_value is None) and (credentials is None) == (
        row.credentials is None
    )
    opens = opens and all(each["Value"] is not None for each in properties)
    document = {
        "Id": row.id,
        "Name": row.name,
        "Description": row.description,
        "AuthValue": auth_value,
        "Authenticated": row.authenticated and opens,
        # A connector that was removed from the catalogue is still reported, with its id.
        "Connector": connector_json(item) if item else {"Id": row.connector_id, "Name": row.name},
        "IsPartnerIntegrationConnector": False,
        "Properties": properties,
        "CustomFields": [],
    }
    if service.settings.tell_sign_ins:
        recent, granted = sign_ins.recent(connection, row.id), scopes_of(credentials)
        document["Hitchpost"] = {
            "AuthenticatedAtUtc": clock.dot_net(row.authenticated_at),
            "Scopes": granted,
            "Grant": state.health_of(row, item, credentials, granted, opens=opens).as_json(),
            "LastSignIn": recent[0] if recent else None,
            "RecentSignIns": recent,
        }
    return document


def credentials_of(service: Embedded, row: Row[Any]) -> Credentials | None:
    """Decrypt the credentials; None if there are none, or if they cannot be decrypted."""
    if row.credentials is None:
        return None
    try:
        return unseal(service.vault, row.credentials, sealed_in(row, "credentials"))
    except CannotOpen:
        return None


def _open(service: Embedded, sealed: str, context: str) -> str | None:
    """Decrypt a value; None if it cannot be decrypted."""
    try:
        return service.vault.open(sealed, context)
    except CannotOpen:
        return None


def scopes_of(credentials: Credentials | None) -> list[str] | None:
    """The granted scopes, which may be fewer than requested; None if they are not known.

    Texts that are no valid scope (RFC 6749, section 3.3) are left out. The total is limited to
    ``MOST_SCOPES`` characters, which keeps the list of account connectors small.
    """
    if credentials is None or credentials.scope is None:
        return None
    return [scope for scope in credentials.scope[:MOST_SCOPES].split() if _SCOPE.fullmatch(scope)]


def property_documents(
    service: Embedded, connection: Connection, account_connector_id: int
) -> list[dict[str, Any]]:
    """The properties of an account connector in the form of the API.

    The ``Value`` of one that cannot be decrypted is None.
    """
    rows = _PROPERTIES.all(connection, installed=account_connector_id)
    if not rows:
        return []
    owner = owner_of(connection, account_connector_id)
    return [
        {
            "Name": row.name,
            "Value": _open(service, row.value, property_in(owner, row.name)),
            "Id": row.id,
            "AccountConnectorId": account_connector_id,
        }
        for row in rows
    ]


def _find_preferred(connection: Connection, account_id: str, connector_id: int) -> Row[Any] | None:
    row: Row[Any] | None = _PREFERRED.first(connection, account=account_id, connector=connector_id)
    return row


def _of_account(account_id: str) -> Select[Any]:
    return select(tables.account_connector).where(tables.account_connector.c.account_id == account_id)
