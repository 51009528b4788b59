"""Completes a sign-in only after the API client has confirmed that the right browser finished it.

A sign-in link may be passed on to another person, who then signs in to an account of their own (cross-user
OAuth session fixation; see the update of RFC 9700). So the browser is first redirected, with a secret code,
to the completion URL that was given when the token was issued. The API client there recognises the browser
that it began with. The third party's authorization code is not used until then, so that there is no grant
to misuse or to revoke.
"""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlencode

from flask import Blueprint, Response, json, redirect, request
from pydantic import BaseModel
from sqlalchemy import ColumnElement, Connection, Row, delete, insert, select, update
from werkzeug.wrappers import Response as AnyResponse

from bff.partner import clock
from bff.partner.access import account_level, answer, body, text
from bff.partner.account_connectors import sign_ins, store
from bff.partner.context import Embedded, embedded
from bff.partner.crypto import sha256
from bff.partner.errors import ApiError, FlowError
from bff.partner.openapi import describe, shapes
from bff.partner.openapi.describe import Access
from bff.partner.providers.catalogue import CatalogueConnector
from bff.partner.providers.credentials import Client
from bff.partner.providers.provider import Code
from bff.partner.sign_in import connecting, flows, stale, tokens, visits
from bff.partner.sign_in.flows import Wanted
from bff.partner.storage import tables

routes = Blueprint("completion", __name__)

LIFE: Final = timedelta(minutes=5)
ELSEWHERE: Final = "completed_elsewhere"
_SIGN_IN: Final = "/v1.0/account/connectors/<int:account_connector_id>/signins/<token_sha256>"


class CompletionCode(BaseModel):
    """The code from the query of the completion URL."""

    Code: shapes.Filled


class Completed(BaseModel):
    """The id of ``/connectorauth/finished/{FinishId}``, to which the browser is sent. Valid once."""

    FinishId: str


def go_on(
    service: Embedded, item: CatalogueConnector, client: Client, wanted: Wanted, code: Code | None
) -> AnyResponse:
    """Connect, or redirect the browser to the completion URL if the token has one."""
    with service.database.reading() as connection:
        url = tokens.completion_url(connection, wanted.token_sha256)
    if url is not None:
        return ask(service, wanted, url, code)
    return connecting.show(service, wanted, connecting.connect(service, item, client, wanted, code))


def ask(service: Embedded, wanted: Wanted, url: str, authorization: Code | None) -> AnyResponse:
    """Store the response of the third party, and redirect the browser to ``url`` with a code for it."""
    code = secrets.token_urlsafe(32)
    document = authorization and [
        authorization.code,
        authorization.verifier,
        dict(authorization.values),
        dict(authorization.kept),
    ]
    sealed = service.vault.seal(json.dumps(document), sealed_in(sha256(code), wanted)) if document else None
    row = {
        "code_sha256": sha256(code),
        "account_connector_id": wanted.account_connector_id,
        "token_sha256": wanted.token_sha256,
        "answer": sealed,
        "target_origin": wanted.target,
        "callback_message": wanted.message,
        "expires_at": clock.now() + LIFE,
    }
    with service.database.writing() as connection:
        connection.execute(insert(tables.completion).values(row))
    response = redirect(f"{url}?{urlencode({'code': code})}", 302)
    response.headers.update(connecting.PRIVATE)
    return response


@routes.put(f"{_SIGN_IN}/complete")
@describe.operation(Completed, 404, 410, access=Access.ACCOUNT, body=CompletionCode)
def complete(account_connector_id: int, token_sha256: str) -> Response:
    """Confirm that the right browser brought this ``Code``, and return the ``FinishId`` to send it to.

    A repeated call replaces the ``FinishId`` until one has been used. Status 410: the code is unknown, used
    or expired.
    """
    account_id, finish = account_level(), secrets.token_urlsafe(32)
    with embedded().database.writing() as connection:
        row = store.find(connection, account_id, account_connector_id)
        confirmed = update(tables.completion).where(_waiting(row.id, token_sha256))
        if connection.execute(confirmed.values(finish_sha256=sha256(finish))).rowcount != 1:
            raise _gone()
    response = answer({"FinishId": finish})
    response.headers["Cache-Control"] = "no-store"
    return response


@routes.put(f"{_SIGN_IN}/refuse")
@describe.operation(shapes.Message, 404, 410, access=Access.ACCOUNT, body=CompletionCode)
def refuse(account_connector_id: int, token_sha256: str) -> Response:
    """Fail the sign-in because another browser brought this ``Code``, and delete its response.

    Status 410: the code is unknown, confirmed or expired.
    """
    account_id, table = account_level(), tables.completion
    with embedded().database.writing() as connection:
        row = store.find(connection, account_id, account_connector_id)
        condition = _waiting(row.id, token_sha256) & table.c.finish_sha256.is_(None)
        if connection.execute(delete(table).where(condition)).rowcount != 1:
            raise _gone()
        sign_ins.finish(connection, token_sha256, "failed", error=ELSEWHERE)
    return answer({"Message": "The sign-in was refused."})


@routes.route("/connectorauth/finished/<finish_id>", methods=["GET"])
@describe.page(200, 302, 400, 410)
def finish(finish_id: str) -> AnyResponse:
    """Connect with the stored response and end the sign-in.

    Each ``FinishId`` is valid once.
    """
    if not visits.is_visit(request):
        return visits.not_a_visit(request)
    service, table = embedded(), tables.completion
    service.limits.page("finish", service.settings.limit_address, needed=False)
    condition = (table.c.finish_sha256 == sha256(finish_id)) & (table.c.expires_at > clock.now())
    with service.database.writing() as connection:
        row = connection.execute(select(table).where(condition)).one_or_none()
        if row is None or not _use_up(connection, row, finish_id):
            raise _used_before(service, connection, finish_id)
    wanted = Wanted(row.account_connector_id, row.token_sha256, row.target_origin, row.callback_message)
    with flows.ending(service, wanted):
        with service.database.reading() as connection:
            item, client = flows.registration(service, connection, row.account_connector_id)
        code = _code(service, row)
    return connecting.show(service, wanted, connecting.connect(service, item, client, wanted, code))


def _code(service: Embedded, row: Row[Any]) -> Code | None:
    if row.answer is None:
        return None
    document = json.loads(service.vault.open(row.answer, sealed_in(row.code_sha256, row)))
    code, verifier, values, from_callback = document
    return Code(code, verifier, service.settings.redirect_uri, values, from_callback)


def _use_up(connection: Connection, row: Row[Any], finish_id: str) -> bool:
    """Mark a completion as used and delete its response. True for one of concurrent callers."""
    table, replacement = tables.completion, _used(finish_id)
    condition = (table.c.code_sha256 == row.code_sha256) & (table.c.finish_sha256 == row.finish_sha256)
    used = (
        update(table).where(condition).values(code_sha256=replacement, finish_sha256=replacement, answer=None)
    )
    return connection.execute(used).rowcount == 1


def _used_before(service: Embedded, connection: Connection, finish_id: str) -> FlowError:
    """The page for a used ``FinishId``. Only the right browser was given the id, so it counts as proof."""
    table = tables.completion
    row = connection.execute(select(table).where(table.c.finish_sha256 == _used(finish_id))).one_or_none()
    if row is None:
        return FlowError(400, "stale_flow")
    return stale.again(service, row, since=row.expires_at - LIFE, proved=True)


def _used(finish_id: str) -> str:
    """Replaces the hashes of both codes after use, so that a repeated ``FinishId`` is recognised."""
    return sha256(f"used {finish_id}")


def _waiting(account_connector_id: int, token_sha256: str) -> ColumnElement[bool]:
    table, code = tables.completion, text(body(), "Code") or ""
    return (
        (table.c.code_sha256 == sha256(code))
        & (table.c.token_sha256 == token_sha256)
        & (table.c.account_connector_id == account_connector_id)
        & (table.c.expires_at > clock.now())
    )


def _gone() -> ApiError:
    return ApiError(410, "There is no such code, or it was used, or its time is over.")


def sealed_in(code_sha256: str, whose: flows.ForWhom) -> str:
    """The context that a stored response is encrypted for: table, row, column and sign-in."""
    return f"completion:{code_sha256}:answer:{whose.account_connector_id}:{whose.token_sha256}"
