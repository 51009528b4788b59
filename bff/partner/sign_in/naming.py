"""Names the account of a stored grant that has no name, so that a new grant can be compared with it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, select, update

from bff.partner.account_connectors import properties, store
from bff.partner.account_connectors.credentials import unseal
from bff.partner.context import Embedded
from bff.partner.crypto import CannotOpen
from bff.partner.grants import held as grants
from bff.partner.providers.catalogue import CatalogueConnector
from bff.partner.providers.provider import Provider
from bff.partner.sign_in import trying
from bff.partner.sign_in.trying import NotTaken
from bff.partner.storage import tables


def name_stored(
    service: Embedded, provider: Provider, item: CatalogueConnector, account_connector_id: int
) -> None:
    """Ask the third party once more whose the connected grant is, if it named no account when it connected.

    Without an answer the grant stays unnamed, and a new one is held (``grants.doubt``).
    """
    table, sign_in = tables.account_connector, tables.sign_in
    with service.database.reading() as connection:
        row = connection.execute(select(table).where(table.c.id == account_connector_id)).first()
    if row is None or row.external_account or row.authenticated_at is None or not grants.names_accounts(item):
        return
    account = _account_of(service, provider, item, row)
    if account is None:
        return
    # The time of the sign-in identifies it: the grant may have been refreshed or replaced meanwhile.
    same = (table.c.id == row.id) & (table.c.authenticated_at == row.authenticated_at)
    its_sign_in = (sign_in.c.account_connector_id == row.id) & (sign_in.c.at >= row.authenticated_at)
    connected = its_sign_in & (sign_in.c.result == "connected")
    with service.database.writing() as connection:
        if connection.execute(update(table).where(same).values(external_account=account)).rowcount:
            connection.execute(update(sign_in).where(connected).values(external_account=account))


def _account_of(service: Embedded, provider: Provider, item: CatalogueConnector, row: Row[Any]) -> str | None:
    """The account of the stored grant or key; None if the third party does not name it now either."""
    try:
        with service.database.reading() as connection:
            stored = properties.values_of(service, connection, row.id)
        auth_value = row.auth_value and service.vault.open(row.auth_value, store.sealed_in(row, "auth_value"))
        values = trying.values_of(item, stored, auth_value)
        if row.credentials is not None:
            credentials = unseal(service.vault, row.credentials, store.sealed_in(row, "credentials"))
            values["access_token"] = credentials.access_token
            if account := provider.identify(item, credentials, None).account:
                return account
        return trying.check(provider, item, values) if item.check else None
    except (CannotOpen, NotTaken):
        return None
