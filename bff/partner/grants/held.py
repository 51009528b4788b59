"""Stores the grant of a finished sign-in, or holds it while another third-party account is connected."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from flask import Blueprint, Response
from sqlalchemy import Connection, Row, select, update

from bff.partner import clock
from bff.partner.access import account_level, answer
from bff.partner.account_connectors import properties, sign_ins, state, store
from bff.partner.account_connectors.client import may_be_same
from bff.partner.account_connectors.credentials import seal, unseal
from bff.partner.account_names import is_same
from bff.partner.context import Embedded, embedded
from bff.partner.crypto import CannotOpen
from bff.partner.errors import ApiError, missing
from bff.partner.grants import grants_in_use, noting, revocation, typed
from bff.partner.openapi import describe, shapes
from bff.partner.openapi.describe import Access
from bff.partner.providers.credentials import Credentials
from bff.partner.providers.entries import CatalogueConnector
from bff.partner.providers.provider import Identified
from bff.partner.providers.said import Said
from bff.partner.storage import tables

routes = Blueprint("grants", __name__)

HELD_FOR: Final = noting.HELD_FOR
MISMATCH: Final = "account_mismatch"
UNNAMED: Final = "account_unknown"
"""Error code: the third party named no account, although its catalogue entry says that it does."""
ENDED_BEFORE: Final = "sign_in_ended_before"
"""Error code: the sign-in had already ended, in another window or because its time was over."""


@dataclass(frozen=True)
class Kept:
    """The result of ``keep``.

    ``revocation_id`` is the id of a pending revocation, for ``revocation.revoke_now``. It revokes the old
    grant, or the new one if it cannot be used. ``error`` and ``said`` (the third party's answer) say why the
    grant was not connected.
    """

    connected: bool
    revocation_id: str | None
    error: str = ""
    said: Said | None = None


def keep(
    service: Embedded,
    connection: Connection,
    row: Row[Any],
    token_sha256: str,
    identified: Identified,
) -> Kept:
    """Connect with the new credentials, or hold them if they may belong to another account.

    Does neither if the sign-in has already ended: the new grant is then revoked.
    Without account names in the catalogue entry, the new grant always replaces the old one, because
    accounts cannot be compared. If the entry promises a name and none is returned, the grant is held.
    """
    account, credentials, item = (
        identified.account,
        identified.credentials,
        service.catalogue.by_id(row.connector_id),
    )
    if error := doubt(row, item, account):
        sealed = seal(service.vault, credentials, store.held_in(row, token_sha256))
        recorded = sign_ins.finish(
            connection,
            token_sha256,
            "failed",
            error=error,
            external_account=account,
            held=sealed,
            said=identified.said,
        )
        owner = replace(noting.owner_of(row), external_account=account)
        # If the sign-in has already ended, its grant is not held but revoked.
        revocation_id = None if recorded else noting.throw_away(service, connection, owner, credentials)
        return Kept(False, revocation_id, error, identified.said)
    if not sign_ins.is_open(connection, token_sha256):
        owner = replace(noting.owner_of(row), external_account=account)
        revocation_id = noting.throw_away(service, connection, owner, credentials, new=True)
        return Kept(False, revocation_id, ENDED_BEFORE)
    revocation_id = _connect(service, connection, row, credentials, account)
    # Not before the grant is connected: ``naming`` finds the sign-in of a grant by its time.
    sign_ins.finish(connection, token_sha256, "connected", external_account=account)
    return Kept(True, revocation_id)


def names_accounts(item: CatalogueConnector) -> bool:
    """Whether the catalogue entry says where the third party returns the name of the account."""
    return item.userinfo_url is not None or "account_claim" in item.model_fields_set


def doubt(row: Row[Any], item: CatalogueConnector | None, account: str | None) -> str:
    """The error code that prevents a grant from replacing the previous one; "" if it may.

    The accounts are compared even if the previous grant has ended. The host still has that account's data,
    and would mix another account's into it. If either has no name although the entry promises one, they
    cannot be compared.
    """
    if not (row.authenticated or row.grant_reason):
        return ""
    if account is None or not row.external_account:
        return UNNAMED if item is not None and names_accounts(item) else ""
    return "" if is_same(account, row.external_account) else MISMATCH


@routes.put("/v1.0/account/connectors/<int:account_connector_id>/signins/<token_sha256>/accept")
@describe.operation(shapes.AccountConnector, 404, 410, access=Access.ACCOUNT)
def accept(account_connector_id: int, token_sha256: str) -> Response:
    """Replace the connected grant with the held grant of a sign-in.

    The SHA-256 of the sign-in token names the sign-in. A repeated call returns the same answer. Status 410:
    the grant is no longer held. Hitchpost's own call; Cyclr has none.
    """
    account_id, service = account_level(), embedded()
    with service.database.writing() as connection:
        row = store.find(connection, account_id, account_connector_id)
        revocation_id = _accept(service, connection, row.id, token_sha256)
        response = answer(store.as_json(service, connection, store.find(connection, account_id, row.id)))
    revocation.revoke_now(service, revocation_id)
    return response


def _accept(
    service: Embedded, connection: Connection, account_connector_id: int, token_sha256: str
) -> str | None:
    """Accept the held grant. Of concurrent calls only the first has an effect.

    Returns the id of the pending revocation of the replaced grant, or None. Raises ``ApiError``: 404, 410.
    """
    table, installed = tables.sign_in, tables.account_connector
    # The end of a sign-in locks in the same order, which avoids deadlocks: account connector, sign-in.
    wanted = select(installed).where(installed.c.id == account_connector_id)
    row = connection.execute(wanted.with_for_update()).one_or_none()
    condition = (table.c.token_sha256 == token_sha256) & (
        table.c.account_connector_id == account_connector_id
    )
    sign_in = connection.execute(select(table).where(condition).with_for_update()).first()
    if row is None or sign_in is None:
        raise missing("Sign-in")
    if sign_in.result == "connected":
        return None
    if sign_in.held is None or sign_in.at < clock.now() - HELD_FOR:
        raise ApiError(410, "This sign-in can no longer be accepted.")
    revocation_id = _take_held(service, connection, row, sign_in)
    values = {"result": "connected", "error": None, "held": None, "at": clock.now()}
    connection.execute(update(table).where(condition).values(values))
    return revocation_id


def _take_held(service: Embedded, connection: Connection, row: Row[Any], sign_in: Row[Any]) -> str | None:
    typed_credentials = typed.held(service, row, sign_in.token_sha256, sign_in.held)
    if typed_credentials is not None and not typed.has_grant(typed_credentials):
        return typed.keep(service, connection, row, typed_credentials, sign_in.external_account)
    credentials = unseal(service.vault, sign_in.held, store.held_in(row, sign_in.token_sha256))
    if typed_credentials is not None:
        properties.put(service, connection, row.id, row.connector_id, typed_credentials.as_properties)
    return _connect(service, connection, row, credentials, sign_in.external_account)


def _connect(
    service: Embedded, connection: Connection, row: Row[Any], new: Credentials, account: str | None
) -> str | None:
    """Connect with ``new``. Returns the id of the pending revocation of a different grant it replaces."""
    revocation_id, item = None, service.catalogue.by_id(row.connector_id)
    lease_ends: datetime | None = None
    if row.credentials is not None:
        old, context = _decrypt(service, row), store.sealed_in(row, "credentials")
        needs_old = old is not None and not new.refresh_token and may_be_same(old.client, new.client)
        if old is not None and needs_old and _is_same_consent(row, item, old, new, account):
            # Some third parties return a refresh token only with the first consent. It remains valid.
            new = replace(new, refresh_token=old.refresh_token)
        if old is None or grants_in_use.token_of(old) != grants_in_use.token_of(new):
            revocation_id = noting.throw_away_sealed(
                service, connection, noting.owner_of(row), row.credentials, context
            )
        elif new.refresh_token:
            # A refresh in progress may invalidate the refresh token. The next one needs its result.
            lease_ends = row.refresh_lease_ends
    table = tables.account_connector
    values = {
        "credentials": seal(service.vault, new, store.sealed_in(row, "credentials")),
        "grant_sha256": grants_in_use.fingerprint(new),
        "refresh_not_before": None,
        "refresh_failures": 0,
        "refresh_lease_ends": lease_ends,
        "grant_reason": None,
        "next_refresh_at": state.next_look(item, new),
        "authenticated": True,
        "authenticated_at": clock.now(),
        "external_account": account,
    }
    connection.execute(update(table).where(table.c.id == row.id).values(values))
    return revocation_id


def _is_same_consent(
    row: Row[Any],
    item: CatalogueConnector | None,
    old: Credentials,
    new: Credentials,
    account: str | None,
) -> bool:
    """Whether ``old`` and ``new`` are of the same account, as far as the third party says.

    Called if their clients do not differ. Without account names, a consent without a refresh token is not
    this account's first. All else has to be known and to agree: the client, and the values typed and kept.
    """
    if account is not None and row.external_account:
        return is_same(account, row.external_account)
    if item is None or names_accounts(item):
        return False
    shared = old.extra.keys() & new.extra.keys()
    kept_agree = all(old.extra[name] == new.extra[name] for name in shared)
    clients_known = old.client is not None and new.client is not None
    return clients_known and kept_agree and old.values == new.values


def _decrypt(service: Embedded, row: Row[Any]) -> Credentials | None:
    try:
        return unseal(service.vault, row.credentials, store.sealed_in(row, "credentials"))
    except CannotOpen:
        return None
