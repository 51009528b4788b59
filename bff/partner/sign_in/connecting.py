"""Ends a sign-in: obtains and stores credentials, records the result, and builds the last response."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

import structlog
from flask import redirect
from sqlalchemy import select
from werkzeug.wrappers import Response as AnyResponse

from bff.partner.account_connectors import properties, sign_ins
from bff.partner.account_connectors.client import values_for
from bff.partner.context import Embedded
from bff.partner.errors import FlowError, Reason
from bff.partner.grants import held as grants
from bff.partner.grants import noting, revocation
from bff.partner.providers.catalogue import CatalogueConnector
from bff.partner.providers.credentials import Client, Credentials
from bff.partner.providers.provider import Code, Identified, ProviderFailed
from bff.partner.providers.said import Said, legible
from bff.partner.sign_in import naming, pages, tokens
from bff.partner.sign_in.flow_cookies import Binding
from bff.partner.sign_in.flows import Wanted
from bff.partner.storage import tables
from bff.serving.logs import about

PRIVATE: Final = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
"""Headers of every redirect to or from a URL that contains a secret."""
ENDED: Final = "disconnected"
"""Error code: the account connector was disconnected after this sign-in had begun."""
UNNAMED: Final = "third_party_named_no_error"
"""Error code: the third party's own code has no printable characters."""
log = structlog.get_logger("hitchpost.embedded")


@dataclass(frozen=True)
class End:
    """The result of a sign-in. ``said`` is the third party's answer."""

    result: sign_ins.Result
    reason: Reason
    error: str = ""
    said: Said | None = None


def connect(
    service: Embedded, item: CatalogueConnector, client: Client, wanted: Wanted, code: Code | None
) -> End:
    """Exchange ``code`` for credentials and store them. None: use the client credentials grant.

    Credentials that cannot be stored are revoked. Raises ``FlowError``.
    """
    owner, credentials = _owner(service, item, wanted), None
    try:
        credentials, document = _obtain(service, item, client, wanted, code)
        identified = _identify(service, item, credentials, document)
        # So that its revocation ends no other connection of the same account.
        owner = replace(owner, external_account=identified.account)
        outcome = _keep(service, item, wanted, identified)
    except ProviderFailed as failure:
        if failure.refused is not None:
            revocation.let_go(service, owner, failure.refused, now=False)
        return fail(service, wanted, "failed", failure.error, failure.said)
    except Exception as error:
        # A grant that cannot be stored must not stay valid at the third party, whatever the error is.
        if credentials is not None:
            revocation.let_go(service, owner, credentials, now=True)
        if isinstance(error, FlowError):
            raise
        log.error("unforeseen error", **about(error))  # noqa: TRY400  # a trace would hold the grant
        return fail(service, wanted, "failed", revocation.UNFORESEEN)
    revocation.revoke_now(service, outcome.revocation_id)
    if outcome.connected:
        return End("connected", "finished")
    reason: Reason = "failed" if outcome.error == grants.ENDED_BEFORE else "other_account"
    return End("failed", reason, outcome.error, outcome.said)


def fail(
    service: Embedded, wanted: Wanted, result: sign_ins.Result, error: str, said: Said | None = None
) -> End:
    """Record a sign-in that did not connect. ``error`` may be any text from a third party."""
    error = legible(error) or (error and UNNAMED)
    with service.database.writing() as connection:
        sign_ins.finish(connection, wanted.token_sha256, result, error=error, said=said)
    return End(result, "declined" if result == "declined" else "failed", error, said)


def show(service: Embedded, wanted: Wanted, end: End) -> AnyResponse:
    """The last page of a sign-in; without a callback message, the redirect to the target."""
    if end.result == "connected" and wanted.message is not None:
        return pages.finished(wanted.target, wanted.message)
    goes_back = end.result == "connected" or service.settings.denial == "redirect"
    if goes_back and wanted.message is None:
        return _back(service, wanted.target, end.result)
    error = FlowError(400, end.reason, error=end.error, said=end.said)
    return pages.trouble(error.concerns(wanted.target, wanted.message))


def onward(url: str, binding: Binding, cookies: Mapping[str, str]) -> AnyResponse:
    """Redirect the browser to the third party, and set the cookie that binds it to the flow."""
    response = redirect(url)
    binding.set_on(response, cookies)
    response.headers.update(PRIVATE)
    return response


def _obtain(
    service: Embedded, item: CatalogueConnector, client: Client, wanted: Wanted, code: Code | None
) -> tuple[Credentials, Any]:
    if code is not None:
        return service.provider.exchange_code(item, client, code)
    with service.database.reading() as connection:
        values = properties.values_of(service, connection, wanted.account_connector_id)
    return service.provider.client_credentials(item, client, values_for(item, values))


def _owner(service: Embedded, item: CatalogueConnector, wanted: Wanted) -> noting.Owner:
    table = tables.account_connector
    wanted_row = select(table.c.account_id).where(table.c.id == wanted.account_connector_id)
    with service.database.reading() as connection:
        account_id = connection.execute(wanted_row).scalar_one_or_none()
    return noting.Owner(wanted.account_connector_id, item.id, account_id or "")


def _identify(
    service: Embedded, item: CatalogueConnector, credentials: Credentials, document: Any
) -> Identified:
    identified = service.provider.identify(item, credentials, document)
    if identified.account is None and grants.names_accounts(item):
        # Try again once: without the account name, the grant could not replace another one.
        identified = service.provider.identify(item, credentials, document)
    return identified


def _keep(service: Embedded, item: CatalogueConnector, wanted: Wanted, identified: Identified) -> grants.Kept:
    naming.name_stored(service, item, wanted.account_connector_id)
    table = tables.account_connector
    with service.database.writing() as connection:
        by_completion = service.settings.consume_token == "completion"  # noqa: S105  # the name of a mode
        if by_completion and not tokens.redeem(connection, wanted.token_sha256):
            # Two browsers began with one link, and the other has connected.
            raise ProviderFailed(grants.ENDED_BEFORE, refused=identified.credentials)
        # Locked, so that the second of two concurrent sign-ins sees the account that the first connected.
        installed = select(table).where(table.c.id == wanted.account_connector_id).with_for_update()
        row = connection.execute(installed).first()
        if row is None:
            raise FlowError(410, "removed").concerns(wanted.target, wanted.message)
        if tokens.is_older(connection, wanted.token_sha256, row.ended_at):
            raise ProviderFailed(ENDED, refused=identified.credentials)
        return grants.keep(service, connection, row, wanted.token_sha256, identified)


def _back(service: Embedded, target: str, result: sign_ins.Result) -> AnyResponse:
    if service.settings.redirect_query == "result":
        target += ("&" if urlsplit(target).query else "?") + urlencode({"result": result})
    response = redirect(target, 302)
    response.headers.update(PRIVATE)
    return response
