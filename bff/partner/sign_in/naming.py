"""Names the account of a stored grant that has no name, so that a new grant can be compared with it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from sqlalchemy import Row, select, update

from bff.partner.account_connectors import properties, state, store
from bff.partner.account_connectors.credentials import unseal
from bff.partner.context import Embedded
from bff.partner.crypto import CannotOpen
from bff.partner.errors import ApiError
from bff.partner.grants import held as grants
from bff.partner.grants import refresh
from bff.partner.providers import dead_credentials
from bff.partner.providers.catalogue import CatalogueConnector
from bff.partner.providers.credentials import Credentials
from bff.partner.providers.provider import Provider
from bff.partner.sign_in import trying
from bff.partner.sign_in.trying import NotTaken
from bff.partner.storage import tables

REFRESH_WAIT: Final = 5.0
"""Seconds that a sign-in waits for another process that refreshes the stored grant."""


def name_stored(
    service: Embedded,
    item: CatalogueConnector,
    account_connector_id: int,
    hurried: Provider | None = None,
) -> None:
    """Ask the third party once more whose the connected grant is, if it named no account when it connected.

    An access token that has expired is refreshed first. ``hurried``: its time limits hold for both calls.
    Without it, the refresh may take as long as any: where refresh tokens rotate, an answer that is not waited
    for loses the grant. Without an answer the grant stays unnamed, and a new one is held (``grants.doubt``).
    """
    table, sign_in = tables.account_connector, tables.sign_in
    with service.database.reading() as connection:
        row = connection.execute(select(table).where(table.c.id == account_connector_id)).first()
    if row is None or row.external_account or row.authenticated_at is None or not grants.names_accounts(item):
        return
    account = _account_of(service, item, row, hurried)
    if account is None:
        return
    # The time of the sign-in identifies it: the grant may have been refreshed or replaced meanwhile.
    same = (table.c.id == row.id) & (table.c.authenticated_at == row.authenticated_at)
    its_sign_in = (sign_in.c.account_connector_id == row.id) & (sign_in.c.at >= row.authenticated_at)
    connected = its_sign_in & (sign_in.c.result == "connected")
    with service.database.writing() as connection:
        if connection.execute(update(table).where(same).values(external_account=account)).rowcount:
            connection.execute(update(sign_in).where(connected).values(external_account=account))


def _account_of(
    service: Embedded, item: CatalogueConnector, row: Row[Any], hurried: Provider | None
) -> str | None:
    """The account of the stored grant or key; None if the third party does not name it now either."""
    try:
        with service.database.reading() as connection:
            stored = properties.values_of(service, connection, row.id)
        auth_value = row.auth_value and service.vault.open(row.auth_value, store.sealed_in(row, "auth_value"))
        values = trying.values_of(item, stored, auth_value)
        if row.credentials is not None:
            credentials, account = _ask_with_grant(service, item, row, hurried)
            values["access_token"] = credentials.access_token
            if account:
                return account
        provider = hurried or service.provider.in_a_hurry()
        return trying.check(provider, item, values) if item.check else None
    except (CannotOpen, NotTaken):
        return None


def _ask_with_grant(
    service: Embedded, item: CatalogueConnector, row: Row[Any], hurried: Provider | None
) -> tuple[Credentials, str | None]:
    """The credentials, refreshed if their access token has expired, and the account that they name.

    A token of untold life counts as expired if the third party rejects it.
    """
    credentials = _usable(service, row, hurried)
    identified = (hurried or service.provider.in_a_hurry()).identify(item, credentials, None)
    is_rejected = identified.said is not None and dead_credentials.is_dead(item, identified.said)
    if is_rejected and credentials.expires_at is None and state.is_renewable(item, credentials):
        credentials = _usable(service, row, hurried, rejected=True)
        identified = (hurried or service.provider.in_a_hurry()).identify(item, credentials, None)
    return credentials, identified.account


def _usable(
    service: Embedded, row: Row[Any], hurried: Provider | None, *, rejected: bool = False
) -> Credentials:
    """The credentials with a valid access token; as they are stored if there is none now."""
    if hurried is not None:
        service = replace(service, provider=hurried)
    try:
        return refresh.usable(service, row.account_id, row.id, force=rejected, wait=REFRESH_WAIT)
    except (refresh.NeedsSignIn, refresh.Unavailable, ApiError):
        return unseal(service.vault, row.credentials, store.sealed_in(row, "credentials"))
