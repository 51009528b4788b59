"""The end of a sign-in: the third party's answer becomes credentials, which are kept; and how it is told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode, urlsplit

from flask import redirect
from sqlalchemy import select
from werkzeug.wrappers import Response as AnyResponse

from bff.partner import grants, pages, sign_in_tokens, sign_ins, tables
from bff.partner.catalogue import CatalogueConnector
from bff.partner.context import Embedded
from bff.partner.errors import FlowError, Reason
from bff.partner.flows import Wanted
from bff.partner.provider import Client, Credentials, ProviderFailed

PRIVATE: Final = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
"""Headers of every redirect to or from a URL that holds something secret."""


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
    try:
        credentials = _obtain(service, item, client, answer)
    except ProviderFailed as failure:
        return fail(service, wanted, "failed", failure.error)
    if _keep(service, item, wanted, credentials):
        return End("connected", "finished")
    return End("failed", "other_account", grants.MISMATCH)


def fail(service: Embedded, wanted: Wanted, result: sign_ins.Result, error: str) -> End:
    """Record an end that brought nothing."""
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


def _keep(service: Embedded, item: CatalogueConnector, wanted: Wanted, credentials: Credentials) -> bool:
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
        return grants.keep(service, connection, row, wanted.token_sha256, credentials, account)


def _back(service: Embedded, target: str, result: sign_ins.Result) -> AnyResponse:
    if service.settings.redirect_query == "result":
        target += ("&" if urlsplit(target).query else "?") + urlencode({"result": result})
    response = redirect(target, 302)
    response.headers.update(PRIVATE)
    return response
