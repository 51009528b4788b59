"""The sign-in link: redeems the token once and redirects the browser to the third party."""

from __future__ import annotations

import contextlib
import re
from typing import Any, Final
from urllib.parse import urlsplit

import structlog
from flask import Blueprint, request
from sqlalchemy import Connection, Row
from werkzeug.wrappers import Response as AnyResponse

from bff.partner.account_connectors import properties, sign_ins, store
from bff.partner.account_connectors.client import client_of
from bff.partner.audit import audit
from bff.partner.context import Embedded, embedded
from bff.partner.crypto import CannotOpen, sha256
from bff.partner.errors import ApiError, FlowError
from bff.partner.openapi import describe
from bff.partner.providers.catalogue import CatalogueConnector
from bff.partner.sign_in import completion, connecting, flows, tokens, visits

routes = Blueprint("oauth_flow", __name__)

MAX_TARGET: Final = 2000
MAX_MESSAGE: Final = 4000
NEEDED: Final = ("id", "token", "targetOrigin")
_NUMBER: Final = re.compile("[0-9]{1,10}")
log = structlog.get_logger("hitchpost.embedded")


@routes.route("/connectorauth/updateaccountconnectoroauth", methods=["GET"])
@describe.page(
    *(200, 302, 400, 403, 404, 410),
    query={
        "id": "The account connector's id.",
        "token": "The sign-in token.",
        "targetOrigin": "The origin that receives the message, or the page to return to.",
        "callbackMessage": "The message to post at the end. Without it, the browser is redirected.",
    },
)
def start() -> AnyResponse:
    """Redeem the sign-in token once and send the browser to the third party."""
    service = embedded()
    redeems_all = service.settings.speculative_fetches == "redeem" and request.method == "GET"
    if not redeems_all and not visits.is_visit(request):
        return visits.not_a_visit(request)
    target, message = _target(), request.args.get("callbackMessage") or None
    service.limits.page("redeem", service.settings.limit_address, needed=True)
    try:
        return _start(service, target, message)
    except _Refused as refused:
        with service.database.writing() as connection:
            known_targets = _known_targets(connection)
        if message is not None and target in known_targets:
            refused.concerns(target, message)
        raise


class _Refused(FlowError):
    """The sign-in token is unknown, used or expired.

    The link may come from anybody, so its error page has no link back and posts no message to the link's
    target. It posts one only to a target that is on record for this token. Without a link back, the pages
    of all invalid tokens look the same.
    """


def _start(service: Embedded, target: str, message: str | None) -> AnyResponse:
    with service.database.writing() as connection:
        token = _redeem(service, connection, target)
        try:
            row, item = _connector(service, connection, token)
            values = _values(service, connection, row, item)
        except FlowError as error:
            raise error.concerns(target, message) from None
        wanted = flows.Wanted(row.id, token.sha256, target, message)
        sign_ins.start(connection, row.id, token.sha256)
        begun, client = None, client_of(item, values or {})
        if values is not None and not item.needs_no_user:
            begun = flows.begin(service, connection, item, client, wanted, values)
    # After the transaction, which redeems the token.
    with flows.ending(service, wanted):
        if values is None:
            raise CannotOpen(f"a property of account connector {row.id} does not open")
    if begun is None:
        return completion.go_on(service, item, client, wanted, None)
    return connecting.onward(*begun, request.cookies)


def _target() -> str:
    faults = [name for name in NEEDED if not request.args.get(name)]
    if not faults and not _is_target(request.args["targetOrigin"]):
        faults = ["targetOrigin"]
    message = request.args.get("callbackMessage", "")
    if len(message) > MAX_MESSAGE or "\x00" in message:
        faults.append("callbackMessage")
    if faults:
        raise FlowError(400, "bad_link", names=faults)
    return request.args["targetOrigin"]


def _is_target(target: str) -> bool:
    # postMessage throws for a target without a scheme, but only at the end of the sign-in.
    try:
        parts = urlsplit(target)
        reachable = bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    sound = len(target) <= MAX_TARGET and target.isprintable() and "@" not in parts.netloc
    return parts.scheme in {"http", "https"} and reachable and sound


def _redeem(service: Embedded, connection: Connection, target: str) -> Row[Any]:
    token = tokens.find(connection, request.args["token"])
    first_visit = service.settings.consume_token == "first-visit"  # noqa: S105  # the name of a mode
    if token is None or (first_visit and not tokens.redeem(connection, token.sha256)):
        raise _Refused(service.settings.used_token_status, "used_link")
    if token.target_origin not in {None, target}:
        # A changed link could send its user to any site. The rollback leaves the token valid.
        raise FlowError(400, "bad_link", names=["targetOrigin"])
    if not first_visit:
        sign_ins.begin_again(connection, token.sha256)
    audit("redeemed", account=token.account_id, user=token.username)
    return token


def _known_targets(connection: Connection) -> set[str]:
    """The targets that the error page of an invalid token may notify: those on record for the token.

    The sign-in of an expired, unused token is recorded as failed. That of a token which is used, or whose
    flow runs, is not, because the browser that began with it may still be signing in.
    """
    token = tokens.find_expired(connection, request.args["token"])
    if token is None or flows.is_running(connection, token.sha256):
        return flows.targets_of(connection, sha256(request.args["token"]))
    with contextlib.suppress(ApiError):  # no such account connector, so no sign-in began
        row = store.find(connection, token.account_id, _account_connector_id())
        sign_ins.start(connection, row.id, token.sha256)
        sign_ins.finish(connection, token.sha256, "failed", error="token_expired")
        # The issuer of the token either set its target, or left it to the bearer.
        return {token.target_origin or request.args["targetOrigin"]}
    return set()


def _account_connector_id() -> int:
    """The account connector id of the link; 0, which is never an id, if it is not a number."""
    number = request.args["id"]
    return int(number) if _NUMBER.fullmatch(number) else 0


def _connector(
    service: Embedded, connection: Connection, token: Row[Any]
) -> tuple[Row[Any], CatalogueConnector]:
    try:
        row = store.find(connection, token.account_id, _account_connector_id())
    except ApiError:
        raise FlowError(service.settings.wrong_id_status, "unknown_connector") from None
    item = service.catalogue.by_id(row.connector_id)
    if item is None or item.auth != "oauth2":
        raise FlowError(400, "not_in_browser")
    return row, item


def _values(
    service: Embedded, connection: Connection, row: Row[Any], item: CatalogueConnector
) -> dict[str, str] | None:
    """The properties; None if one cannot be decrypted. Raises ``FlowError`` if one has to be set."""
    try:
        values = properties.values_of(service, connection, row.id)
    except CannotOpen:
        return None
    if unset := properties.unset(item, values):
        raise FlowError(400, "unset_properties", names=unset)
    return values
