"""The browser's part: a sign-in token starts the third party's OAuth flow, and its callback finishes it."""

from __future__ import annotations

import contextlib
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from flask import Blueprint, Response, redirect, request
from sqlalchemy import Connection, Row, select
from werkzeug.wrappers import Response as AnyResponse

from bff.partner import account_connector_store as store
from bff.partner import flows, grants, pages, properties, sign_in_tokens, sign_ins, tables
from bff.partner.catalogue import CatalogueConnector
from bff.partner.context import Embedded, embedded
from bff.partner.errors import ApiError, FlowError, Reason
from bff.partner.provider import Client, Credentials, ProviderFailed

routes = Blueprint("oauth_flow", __name__)

MAX_TARGET: Final = 2000
MAX_MESSAGE: Final = 4000


@routes.route("/connectorauth/updateaccountconnectoroauth", methods=["GET"])
def start() -> AnyResponse:
    """Redeem the sign-in token once and send the browser to the third party."""
    if request.method != "GET":
        # HEAD comes from link scanners: it must not use the token up.
        return Response(status=405, headers={"Allow": "GET"})
    service = embedded()
    target, message = _target(), request.args.get("callbackMessage") or None
    try:
        return _start(service, target, message)
    except _Refused as refused:
        with service.database.writing() as connection:
            _record_expiry(connection)
        return pages.trouble(refused, target, message)


class _Refused(FlowError):
    """The sign-in token is unknown, used or past its time."""


def _start(service: Embedded, target: str, message: str | None) -> AnyResponse:
    with service.database.writing() as connection:
        token = _redeem(service, connection)
        row, item = _connector(service, connection, token)
        wanted = flows.Wanted(row.id, token.sha256, target, message)
        client = flows.client_of(service, connection, row.id, item)
        sign_ins.start(connection, row.id, token.sha256)
        if item.grant == "authorization_code":
            url, binding = flows.begin(service, connection, item, client, wanted)
    if item.grant == "client_credentials":
        return _without_consent(service, item, client, wanted)
    response = redirect(url, 302)
    binding.set_on(response)
    response.headers.update({"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"})
    return response


@routes.get("/connector/callback")
def finish() -> AnyResponse:
    """The third party's answer: exchange the code, keep the credentials, tell the host page."""
    service, state = embedded(), request.args.get("state", "")
    flow, item, client = flows.take_up(service, state, request.cookies)
    _check_issuer(service, flow, item)
    if (error := request.args.get("error")) is not None:
        result: sign_ins.Result = "declined" if error == "access_denied" else "failed"
        return _ended_badly(service, flow.wanted, result, error[:100])
    if not (code := request.args.get("code")):
        return _ended_badly(service, flow.wanted, "failed", "no_code")
    try:
        credentials = service.provider.exchange_code(
            item, client, code=code, verifier=flow.verifier, redirect_uri=service.settings.redirect_uri
        )
    except ProviderFailed as failure:
        return _ended_badly(service, flow.wanted, "failed", failure.error)
    response = _kept(service, item, flow.wanted, credentials)
    flows.forget(response, state)
    return response


def _target() -> str:
    target = request.args.get("targetOrigin", "")
    parts = urlsplit(target)
    usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and not parts.username
    missing = [name for name in ("id", "token", "targetOrigin") if not request.args.get(name)]
    too_long = len(target) > MAX_TARGET or len(request.args.get("callbackMessage", "")) > MAX_MESSAGE
    if missing or not usable or too_long or not target.isprintable():
        # A target without a scheme would make postMessage throw in the end, after all the user's work.
        raise FlowError(400, "bad_link", names=missing or ["targetOrigin"])
    return target


def _redeem(service: Embedded, connection: Connection) -> Row[Any]:
    token = sign_in_tokens.find(connection, request.args["token"])
    first_visit = service.settings.consume_token == "first-visit"  # noqa: S105
    if token is None or (first_visit and not sign_in_tokens.redeem(connection, token.sha256)):
        raise _Refused(service.settings.used_token_status, "used_link")
    return token


def _record_expiry(connection: Connection) -> None:
    """A token that nobody used in its time: nothing can come of this sign-in any more, and that is told.

    Of a used one it cannot be said: the browser that used it may still be signing in.
    """
    token = sign_in_tokens.find_expired(connection, request.args["token"])
    given = request.args["id"]
    if token is None or not given.isascii() or not given.isdigit():
        return
    with contextlib.suppress(ApiError):  # no connector of this account: nothing began here
        row = store.find(connection, token.account_id, int(given[:15]))
        sign_ins.start(connection, row.id, token.sha256)
        sign_ins.finish(connection, token.sha256, "failed", error="token_expired")


def _connector(
    service: Embedded, connection: Connection, token: Row[Any]
) -> tuple[Row[Any], CatalogueConnector]:
    given = request.args["id"]
    try:
        number = int(given) if given.isascii() and given.isdigit() and len(given) < 16 else -1
        row = store.find(connection, token.account_id, number)
    except ApiError:
        raise FlowError(service.settings.wrong_id_status, "unknown_connector") from None
    item = service.catalogue.by_id(row.connector_id)
    if item is None or item.auth != "oauth2":
        raise FlowError(400, "not_in_browser")
    values = properties.values_of(service, connection, row.id)
    if lacking := properties.unset(item, values):
        raise FlowError(400, "unset_properties", names=lacking)
    return row, item


def _check_issuer(service: Embedded, flow: flows.Flow, item: CatalogueConnector) -> None:
    # Once an issuer is configured, an answer without one is as wrong as an answer with another (RFC 9207).
    if item.issuer is None or request.args.get("iss") == item.issuer:
        return
    _record(service, flow.wanted, "failed", "wrong_issuer")
    raise FlowError(400, "wrong_issuer", error="wrong_issuer")


def _without_consent(
    service: Embedded, item: CatalogueConnector, client: Client, wanted: flows.Wanted
) -> AnyResponse:
    try:
        credentials = service.provider.client_credentials(item, client)
    except ProviderFailed as failure:
        return _ended_badly(service, wanted, "failed", failure.error)
    return _kept(service, item, wanted, credentials)


def _kept(
    service: Embedded, item: CatalogueConnector, wanted: flows.Wanted, credentials: Credentials
) -> AnyResponse:
    if _keep(service, item, wanted, credentials):
        return _told(service, wanted)
    return _bad_end(service, wanted, "failed", "other_account", grants.MISMATCH)


def _keep(
    service: Embedded, item: CatalogueConnector, wanted: flows.Wanted, credentials: Credentials
) -> bool:
    account = service.provider.account_name(item, credentials)
    table = tables.account_connector
    with service.database.writing() as connection:
        if service.settings.consume_token == "completion":  # noqa: S105
            sign_in_tokens.redeem(connection, wanted.token_sha256)
        row = connection.execute(select(table).where(table.c.id == wanted.account_connector_id)).first()
        if row is None:
            raise FlowError(410, "removed")
        return grants.keep(service, connection, row, wanted.token_sha256, credentials, account)


def _record(service: Embedded, wanted: flows.Wanted, result: sign_ins.Result, error: str) -> None:
    with service.database.writing() as connection:
        sign_ins.finish(connection, wanted.token_sha256, result, error=error)


def _ended_badly(service: Embedded, wanted: flows.Wanted, result: sign_ins.Result, error: str) -> AnyResponse:
    _record(service, wanted, result, error)
    return _bad_end(service, wanted, result, "declined" if result == "declined" else "failed", error)


def _bad_end(
    service: Embedded, wanted: flows.Wanted, result: sign_ins.Result, reason: Reason, error: str
) -> AnyResponse:
    if service.settings.denial == "redirect" and wanted.message is None:
        return _back(service, wanted.target, result)
    return pages.trouble(FlowError(400, reason, error=error), wanted.target, wanted.message)


def _told(service: Embedded, wanted: flows.Wanted) -> AnyResponse:
    if wanted.message is None:
        return _back(service, wanted.target, "connected")
    return pages.finished(wanted.target, wanted.message)


def _back(service: Embedded, target: str, result: sign_ins.Result) -> AnyResponse:
    if service.settings.redirect_query == "result":
        target += ("&" if urlsplit(target).query else "?") + urlencode({"result": result})
    response = redirect(target, 302)
    response.headers.update({"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"})
    return response
