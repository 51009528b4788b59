"""Sign-ins with credentials that a user typed into a form of the BFF: checked, stored and recorded."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import Response
from sqlalchemy import Connection, Row, select

from bff.partner.access import answer, text
from bff.partner.account_connectors import properties, sign_ins, store
from bff.partner.account_connectors.credentials import seal
from bff.partner.audit import audit
from bff.partner.context import Embedded
from bff.partner.errors import ApiError, missing
from bff.partner.grants import held as grants
from bff.partner.grants import noting, revocation, typed
from bff.partner.grants.typed import Typed
from bff.partner.providers.catalogue import CatalogueConnector
from bff.partner.providers.provider import Identified
from bff.partner.sign_in import naming, tokens, trying
from bff.partner.sign_in.connecting import ENDED
from bff.partner.sign_in.trying import NotTaken, Tried
from bff.partner.storage import tables


def take(service: Embedded, account_id: str, row: Row[Any], document: dict[str, Any]) -> Response:
    """Connect with the ``AuthValue`` and ``Properties`` of ``document``, or return the wrong fields.

    For a connector of the OAuth code flow only the properties are set, and a sign-in follows. For others,
    ``Hitchpost.SignIn`` must be the SHA-256 of an unused sign-in token, whose result is recorded. Raises
    ``ApiError``.
    """
    item = service.catalogue.by_id(row.connector_id)
    if item is None:
        raise ApiError(400, "This connector is not in the catalogue any more.")
    typed_values = Typed(_properties(document), text(document, "AuthValue", 16_000))
    provider = service.provider.in_a_hurry()
    try:
        with service.database.reading() as connection:
            stored = properties.readable_values_of(service, connection, row.id)
        typed_values = _without_secrets_of_another_host(item, stored, typed_values)
        values = trying.values_of(item, {**stored, **typed_values.properties}, typed_values.auth_value)
        trying.require_complete(item, values)
        if not item.needs_no_user and item.auth == "oauth2":
            revocation_id = None
            with service.database.writing() as connection:
                properties.put(service, connection, row.id, row.connector_id, typed_values.as_properties)
        else:
            token, owner = _token(document), noting.Owner(row.id, row.connector_id, row.account_id)
            tried = trying.attempt(service, provider, owner, item, values)
            owner = replace(owner, external_account=tried.account)
            with revocation.revoked_on_error(service, owner, tried.credentials):
                naming.name_stored(service, item, row.id, provider)
                with service.database.writing() as connection:
                    revocation_id = _keep(service, connection, row.id, item, token, typed_values, tried)
    except NotTaken as refusal:
        # Without the message, which may quote what the user typed.
        about = {"account": account_id, "account_connector": row.id}
        audit("credentials not taken", **about, error=", ".join(sorted(set(refusal.fields.values()))))
        return answer({"Message": refusal.message, "Hitchpost": {"Fields": refusal.fields}}, refusal.status)
    revocation.revoke_now(service, revocation_id, provider)
    with service.database.reading() as connection:
        return answer(store.as_json(service, connection, store.find(connection, account_id, row.id)))


def _keep(
    service: Embedded,
    connection: Connection,
    account_connector_id: int,
    item: CatalogueConnector,
    token: str,
    typed_values: Typed,
    tried: Tried,
) -> str | None:
    """Store the credentials, or hold them while another account is connected.

    If the account connector was disconnected while they were checked, they are neither stored nor held. A
    grant that was obtained with them is then revoked, and also if the sign-in has already ended.
    Returns the id of a pending revocation, or None. Raises ``ApiError``: 404, 409.
    """
    # Locked, so that the second of two concurrent sign-ins sees the account that the first connected.
    wanted = select(tables.account_connector).where(tables.account_connector.c.id == account_connector_id)
    row = connection.execute(wanted.with_for_update()).one_or_none()
    if row is None:
        raise missing("Account connector")
    if not tokens.redeem_for(connection, row.account_id, token):
        raise ApiError(409, "There is no such sign-in token, or it was used, or its time is over.")
    sign_ins.start(connection, row.id, token)
    if not sign_ins.is_open(connection, token):
        raise ApiError(409, "This sign-in has already ended.")
    grant, account = tried.credentials, tried.account
    ended = tokens.is_older(connection, token, row.ended_at)
    if error := ENDED if ended else grants.doubt(row, item, account):
        sealed = seal(service.vault, grant, store.held_in(row, token)) if grant else None
        held = None if ended else typed.hold(service, row, token, typed_values, sealed)
        recorded = sign_ins.finish(
            connection, token, "failed", error=error, external_account=account, held=held
        )
        if grant is None or (held and recorded):
            return None
        owner = replace(noting.owner_of(row), external_account=account)
        return noting.throw_away(service, connection, owner, grant, new=True)
    if grant is not None:
        properties.put(service, connection, row.id, row.connector_id, typed_values.as_properties)
        return grants.keep(service, connection, row, token, Identified(account, grant)).revocation_id
    noted = typed.keep(service, connection, row, typed_values, account)
    sign_ins.finish(connection, token, "connected", external_account=account)
    return noted


def _properties(document: dict[str, Any]) -> dict[str, str]:
    submitted = document.get("Properties")
    entries = [one for one in submitted if isinstance(one, dict)] if isinstance(submitted, list) else []
    if len(entries) > properties.MOST_AT_ONCE:
        raise ApiError(400, f"At most {properties.MOST_AT_ONCE} properties are set at once.")
    return {text(one, "Name") or "": text(one, "Value", 4000) or "" for one in entries}


def _without_secrets_of_another_host(item: CatalogueConnector, stored: dict[str, str], typed: Typed) -> Typed:
    """Empty the stored secrets of another host than the typed one. They count as missing."""
    secrets = properties.secrets_of_another_host(item, stored, typed.properties)
    return replace(typed, properties={**typed.properties, **dict.fromkeys(secrets, "")})


def _token(document: dict[str, Any]) -> str:
    value = document["Hitchpost"].get("SignIn")
    if not isinstance(value, str) or len(value) != 64:
        raise ApiError(400, "Hitchpost.SignIn must be the SHA-256 of a sign-in token, in hexadecimal.")
    return value


def is_typed(document: dict[str, Any]) -> bool:
    """Whether a change of an account connector contains typed credentials."""
    return isinstance(document.get("Hitchpost"), dict)
