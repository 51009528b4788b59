"""The end of a sign-in: the third party's answer becomes credentials, which are kept; and how it is told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode, urlsplit

import structlog
from flask import redirect
from sqlalchemy import select
from werkzeug.wrappers import Response as AnyResponse

from bff.partner.api import sign_in_tokens
from bff.partner.context import Embedded
from bff.partner.errors import FlowError, Reason
from bff.partner.grants import held as grants
from bff.partner.grants import noting, revocation
from bff.partner.providers.catalogue import CatalogueConnector
from bff.partner.providers.provider import Client, Credentials, ProviderFailed, legible
from bff.partner.sign_in import pages, sign_ins
from bff.partner.sign_in.flows import Wanted
from bff.partner.storage import tables
from bff.serving.logs import about

PRIVATE: Final = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
"""Headers of every redirect to or from a URL that holds something secret."""
ENDED: Final = "disconnected"
"""The connection was ended after this sign-in had begun."""
UNNAMED: Final = "third_party_named_no_error"
log = structlog.get_logger("hitchpost.embedded")


@dataclass(frozen=True)
class Answer:
    """What the third party sent back with the browser, and the verifier without which it is worth nothing."""

    code: str
    verifier: str


@dataclass(frozen=True)
class End:
    """How a sign-in ended, and why."""

    result: sign_ins.Result
    reason: Reason
    error: str = ""


def connect(
    service: Embedded, item: CatalogueConnector, client: Client, wanted: Wanted, answer: Answer | None
) -> End:
    """Change the answer for credentials and keep them; without an answer no user's consent is needed."""
    owner, credentials = _owner(service, item, wanted), None
    try:
        credentials = _obtain(service, item, client, answer)
        kept = _keep(service, item, wanted, credentials)
    except ProviderFailed as failure:
        if failure.refused is not None:
            revocation.let_go(service, owner, failure.refused, now=False)
        return fail(service, wanted, "failed", failure.error)
    except Exception as error:
        # One place for whatever nobody foresaw: a grant that cannot be kept is not left at the third party.
        if credentials is not None:
            revocation.let_go(service, owner, credentials, now=True)
        if isinstance(error, FlowError):
            raise
        log.error("unforeseen error", **about(error))  # noqa: TRY400  # a trace would hold the grant
        return fail(service, wanted, "failed", revocation.UNFORESEEN)
    revocation.revoke_now(service, kept.noted, service.provider.in_a_hurry())
    return End("connected", "finished") if kept.connected else End("failed", "other_account", grants.MISMATCH)


def fail(service: Embedded, wanted: Wanted, result: sign_ins.Result, error: str) -> End:
    """Record an end that brought nothing. ``error`` may be any text of a third party's."""
    error = legible(error) or (error and UNNAMED)
    with service.database.writing() as connection:
        sign_ins.finish(connection, wanted.token_sha256, result, error=error)
    return End(result, "declined" if result == "declined" else "failed", error)


def show(service: Embedded, wanted: Wanted, end: End) -> AnyResponse:
    """The last page, or the way back where no message was asked for."""
    if end.result == "connected" and wanted.message is not None:
        return pages.finished(wanted.target, wanted.message)
    goes_back = end.result == "connected" or service.settings.denial == "redirect"
    if goes_back and wanted.message is None:
        return _back(service, wanted.target, end.result)
    return pages.trouble(FlowError(400, end.reason, error=end.error).concerns(wanted.target, wanted.message))


def _obtain(
    service: Embedded, item: CatalogueConnector, client: Client, answer: Answer | None
) -> Credentials:
    if answer is None:
        return service.provider.client_credentials(item, client)
    return service.provider.exchange_code(
        item, client, code=answer.code, verifier=answer.verifier, redirect_uri=service.settings.redirect_uri
    )


def _owner(service: Embedded, item: CatalogueConnector, wanted: Wanted) -> noting.Owner:
    table = tables.account_connector
    found = select(table.c.account_id).where(table.c.id == wanted.account_connector_id)
    with service.database.reading() as connection:
        account_id = connection.execute(found).scalar_one_or_none()
    return noting.Owner(wanted.account_connector_id, item.id, account_id or "")


def _keep(
    service: Embedded, item: CatalogueConnector, wanted: Wanted, credentials: Credentials
) -> grants.Kept:
    account = service.provider.account_name(item, credentials)
    table = tables.account_connector
    with service.database.writing() as connection:
        if service.settings.consume_token == "completion":  # noqa: S105  # nosec B105  # the name of a mode
            sign_in_tokens.redeem(connection, wanted.token_sha256)
        # Locked: of two sign-ins that end at once the second one sees whom the first one connected.
        installed = select(table).where(table.c.id == wanted.account_connector_id).with_for_update()
        row = connection.execute(installed).first()
        if row is None:
            raise FlowError(410, "removed").concerns(wanted.target, wanted.message)
        if sign_in_tokens.is_older(connection, wanted.token_sha256, row.ended_at):
            raise ProviderFailed(ENDED, refused=credentials)
        return grants.keep(service, connection, row, wanted.token_sha256, credentials, account)


def _back(service: Embedded, target: str, result: sign_ins.Result) -> AnyResponse:
    if service.settings.redirect_query == "result":
        target += ("&" if urlsplit(target).query else "?") + urlencode({"result": result})
    response = redirect(target, 302)
    response.headers.update(PRIVATE)
    return response
