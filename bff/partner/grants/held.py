"""What a finished sign-in brought: kept at once, or held while another third-party account is connected."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

from flask import Blueprint, Response
from sqlalchemy import Connection, Row, select, update

from bff.partner import clock
from bff.partner.access import account_level, answer
from bff.partner.account_connectors import properties, sign_ins, state, store
from bff.partner.account_connectors.credentials import seal, unseal
from bff.partner.account_names import is_same
from bff.partner.context import Embedded, embedded
from bff.partner.crypto import CannotOpen
from bff.partner.errors import ApiError, missing
from bff.partner.grants import noting, revocation, standing, typed
from bff.partner.openapi import describe, shapes
from bff.partner.openapi.describe import Access
from bff.partner.providers.credentials import Credentials
from bff.partner.providers.entries import CatalogueConnector
from bff.partner.providers.provider import Identified
from bff.partner.providers.said import Said
from bff.partner.storage import tables

routes = Blueprint("grants", __name__)

HELD_FOR: Final = revocation.HELD_FOR
MISMATCH: Final = "account_mismatch"
UNNAMED: Final = "account_unknown"
"""The third party did not say whose account it is, as it did before."""


@dataclass(frozen=True)
class Kept:
    """What became of a grant: connected, or not; and the note of another one that is to be revoked for it."""

    connected: bool
    noted: str | None
    error: str = ""
    said: Said | None = None


def keep(
    service: Embedded,
    connection: Connection,
    row: Row[Any],
    token_sha256: str,
    found: Identified,
) -> Kept:
    """Connect with the credentials that were found; or hold them, since another account is connected.

    Where the third party is not expected to name accounts, the newest grant wins: nobody could tell them
    apart. Where it is, and does not this time, the grant is held as well: it may be anybody's.
    """
    account, credentials, item = found.account, found.credentials, service.catalogue.by_id(row.connector_id)
    if error := doubt(row, item, account):
        held = seal(service.vault, credentials, store.held_in(row, token_sha256))
        told = sign_ins.finish(
            connection,
            token_sha256,
            "failed",
            error=error,
            external_account=account,
            held=held,
            said=found.said,
        )
        owner = replace(noting.owner_of(row), external_account=account)
        # A sign-in that had ended before holds nothing more.
        noted = None if told else noting.throw_away(service, connection, owner, credentials)
        return Kept(False, noted, error, found.said)
    noted = _connect(service, connection, row, credentials, account)
    sign_ins.finish(connection, token_sha256, "connected", external_account=account)
    return Kept(True, noted)


def names_accounts(item: CatalogueConnector) -> bool:
    """Whether the catalogue says where the third party tells whose account was connected."""
    return item.userinfo_url is not None or "account_claim" in item.model_fields_set


def doubt(row: Row[Any], item: CatalogueConnector | None, account: str | None) -> str:
    """Why a grant may not simply take the place of the one before; an empty text where it may.

    Also of one that has ended: its data is the host's still, and another account's would be added to it.
    """
    if not row.external_account or not (row.authenticated or row.grant_reason):
        return ""
    if account is None:
        return UNNAMED if item is not None and names_accounts(item) else ""
    return "" if is_same(account, row.external_account) else MISMATCH


@routes.put("/v1.0/account/connectors/<int:account_connector_id>/signins/<token_sha256>/accept")
@describe.operation(shapes.AccountConnector, 404, 410, access=Access.ACCOUNT)
def accept(account_connector_id: int, token_sha256: str) -> Response:
    """Take the held grant of a sign-in (told by its token's SHA-256) in place of the connected one.

    Hitchpost's own call. Repeated, it answers the same; 410 when the grant is held no longer.
    """
    account_id, service = account_level(), embedded()
    with service.database.writing() as connection:
        row = store.find(connection, account_id, account_connector_id)
        noted = _accept(service, connection, row.id, token_sha256)
        response = answer(store.told(service, connection, store.find(connection, account_id, row.id)))
    revocation.revoke_now(service, noted, service.provider.in_a_hurry())
    return response


def _accept(
    service: Embedded, connection: Connection, account_connector_id: int, token_sha256: str
) -> str | None:
    """Make the choice, once: of any number of callers the first one makes it, and the others find it made."""
    table, installed = tables.sign_in, tables.account_connector
    # Locked in the order in which a sign-in ends: account connector, sign-in.
    ours_installed = select(installed).where(installed.c.id == account_connector_id)
    row = connection.execute(ours_installed.with_for_update()).one_or_none()
    ours = (table.c.token_sha256 == token_sha256) & (table.c.account_connector_id == account_connector_id)
    found = connection.execute(select(table).where(ours).with_for_update()).first()
    if row is None or found is None:
        raise missing("Sign-in")
    if found.result == "connected":
        return None
    if found.held is None or found.at < clock.now() - HELD_FOR:
        raise ApiError(410, "This sign-in can no longer be accepted.")
    noted = _take_held(service, connection, row, found)
    values = {"result": "connected", "error": None, "held": None, "at": clock.now()}
    connection.execute(update(table).where(ours).values(values))
    return noted


def _take_held(service: Embedded, connection: Connection, row: Row[Any], found: Row[Any]) -> str | None:
    given = typed.held(service, row, found.token_sha256, found.held)
    if given is not None and not typed.has_grant(given):
        return typed.keep(service, connection, row, given, found.external_account)
    credentials = unseal(service.vault, found.held, store.held_in(row, found.token_sha256))
    if given is not None:
        properties.put(service, connection, row.id, row.connector_id, given.as_properties)
    return _connect(service, connection, row, credentials, found.external_account)


def _connect(
    service: Embedded, connection: Connection, row: Row[Any], new: Credentials, account: str | None
) -> str | None:
    """Connect with ``new``, and note the grant that it replaces, if it is another one."""
    noted = None
    if row.credentials is not None:
        old, context = _opened(service, row), store.sealed_in(row, "credentials")
        same = account is not None and row.external_account and is_same(account, row.external_account)
        if old is not None and same and not new.refresh_token:
            # Some third parties give one with a user's first consent only: it goes on being good.
            new = replace(new, refresh_token=old.refresh_token)
        if old is None or standing.token_of(old) != standing.token_of(new):
            noted = noting.throw_away_sealed(
                service, connection, noting.owner_of(row), row.credentials, context
            )
    table, item = tables.account_connector, service.catalogue.by_id(row.connector_id)
    values = {
        "credentials": seal(service.vault, new, store.sealed_in(row, "credentials")),
        "grant_sha256": standing.fingerprint(new),
        "refresh_not_before": None,
        "refresh_failures": 0,
        "grant_reason": None,
        "next_refresh_at": state.next_look(item, new),
        "authenticated": True,
        "authenticated_at": clock.now(),
        "external_account": account,
    }
    connection.execute(update(table).where(table.c.id == row.id).values(values))
    return noted


def _opened(service: Embedded, row: Row[Any]) -> Credentials | None:
    try:
        return unseal(service.vault, row.credentials, store.sealed_in(row, "credentials"))
    except CannotOpen:
        return None
