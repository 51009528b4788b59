"""A sign-in that counts only once whoever asked for it says that the right browser finished it.

What the third party answered could be anybody's: a sign-in link may have been passed on to somebody who then
signs in to an account of their own (cross-user OAuth session fixation; the update of RFC 9700). So the
browser is first sent to the URL that was named when the token was minted, with a code that nobody else knows.
Whoever answers there knows the browser that it began with. Until then the third party's code is not used:
there is nothing yet that could be misused, or would have to be revoked.
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
    """The code that the browser brought to the completion URL."""

    Code: shapes.Filled


class Completed(BaseModel):
    """Where the browser goes on, once: ``/connectorauth/finished/{FinishId}``."""

    FinishId: str


def go_on(
    service: Embedded, item: CatalogueConnector, client: Client, wanted: Wanted, code: Code | None
) -> AnyResponse:
    """Connect; but where the right browser has to be proved first, send this one there."""
    with service.database.reading() as connection:
        url = tokens.completion_url(connection, wanted.token_sha256)
    if url is not None:
        return ask(service, wanted, url, code)
    return connecting.show(service, wanted, connecting.connect(service, item, client, wanted, code))


def ask(service: Embedded, wanted: Wanted, url: str, given: Code | None) -> AnyResponse:
    """Put the sign-in aside, and send the browser to ``url`` with a code for it."""
    code = secrets.token_urlsafe(32)
    kept = given and [given.code, given.verifier, dict(given.values), dict(given.kept)]
    sealed = service.vault.seal(json.dumps(kept), sealed_in(sha256(code), wanted)) if kept else None
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
    """The right browser brought this ``Code``: the answer's ``FinishId`` is where it goes on, once.

    Repeated, another ``FinishId`` takes the place of the first, until one was used; then 410.
    """
    account_id, finish = account_level(), secrets.token_urlsafe(32)
    with embedded().database.writing() as connection:
        row = store.find(connection, account_id, account_connector_id)
        chosen = update(tables.completion).where(_waiting(row.id, token_sha256))
        if connection.execute(chosen.values(finish_sha256=sha256(finish))).rowcount != 1:
            raise _too_late()
    response = answer({"FinishId": finish})
    response.headers["Cache-Control"] = "no-store"
    return response


@routes.put(f"{_SIGN_IN}/refuse")
@describe.operation(shapes.Message, 404, 410, access=Access.ACCOUNT, body=CompletionCode)
def refuse(account_connector_id: int, token_sha256: str) -> Response:
    """Another browser brought this ``Code``: what it would have connected is forgotten. 410 for any other."""
    account_id, table = account_level(), tables.completion
    with embedded().database.writing() as connection:
        row = store.find(connection, account_id, account_connector_id)
        ours = _waiting(row.id, token_sha256) & table.c.finish_sha256.is_(None)
        if connection.execute(delete(table).where(ours)).rowcount != 1:
            raise _too_late()
        sign_ins.finish(connection, token_sha256, "failed", error=ELSEWHERE)
    return answer({"Message": "The sign-in was refused."})


@routes.route("/connectorauth/finished/<finish_id>", methods=["GET"])
@describe.page(200, 302, 400, 410)
def finish(finish_id: str) -> AnyResponse:
    """Connect what was put aside, and end as any sign-in does. Good once."""
    if not visits.is_visit(request):
        return visits.not_a_visit(request)
    service, table = embedded(), tables.completion
    service.limits.page("finish", service.settings.limit_address, needed=False)
    ours = (table.c.finish_sha256 == sha256(finish_id)) & (table.c.expires_at > clock.now())
    with service.database.writing() as connection:
        row = connection.execute(select(table).where(ours)).one_or_none()
        if row is None or not _use_up(connection, row, finish_id):
            raise _brought_again(service, connection, finish_id)
    wanted = Wanted(row.account_connector_id, row.token_sha256, row.target_origin, row.callback_message)
    with flows.ending(service, wanted):
        with service.database.reading() as connection:
            item, client = flows.registration(service, connection, row.account_connector_id)
        given = _code(service, row)
    return connecting.show(service, wanted, connecting.connect(service, item, client, wanted, given))


def _code(service: Embedded, row: Row[Any]) -> Code | None:
    if row.answer is None:
        return None
    kept = json.loads(service.vault.open(row.answer, sealed_in(row.code_sha256, row)))
    # Two values: put aside by an older release.
    code, verifier, values, from_callback = kept if len(kept) > 2 else (*kept, {}, {})
    return Code(code, verifier, service.settings.redirect_uri, values, from_callback)


def _use_up(connection: Connection, row: Row[Any], finish_id: str) -> bool:
    """Use a completion up; of any number at once one does. What it held goes, whom it concerned stays."""
    table, mark = tables.completion, _used(finish_id)
    ours = (table.c.code_sha256 == row.code_sha256) & (table.c.finish_sha256 == row.finish_sha256)
    used = update(table).where(ours).values(code_sha256=mark, finish_sha256=mark, answer=None)
    return connection.execute(used).rowcount == 1


def _brought_again(service: Embedded, connection: Connection, finish_id: str) -> FlowError:
    """Whoever has the id came by the BFF, which knows the browser that launched."""
    table = tables.completion
    row = connection.execute(select(table).where(table.c.finish_sha256 == _used(finish_id))).one_or_none()
    if row is None:
        return FlowError(400, "stale_flow")
    return stale.again(service, row, since=row.expires_at - LIFE, proved=True)


def _used(finish_id: str) -> str:
    """What stands in the place of both codes of a completion that was used."""
    return sha256(f"used {finish_id}")


def _waiting(account_connector_id: int, token_sha256: str) -> ColumnElement[bool]:
    table, code = tables.completion, text(body(), "Code") or ""
    return (
        (table.c.code_sha256 == sha256(code))
        & (table.c.token_sha256 == token_sha256)
        & (table.c.account_connector_id == account_connector_id)
        & (table.c.expires_at > clock.now())
    )


def _too_late() -> ApiError:
    return ApiError(410, "There is no such code, or it was used, or its time is over.")


def sealed_in(code_sha256: str, whose: flows.ForWhom) -> str:
    """The table, row and column that an answer is bound to, and whose sign-in it is."""
    return f"completion:{code_sha256}:answer:{whose.account_connector_id}:{whose.token_sha256}"
