"""Lists and ends an account's connections, for its page or the host's server."""

from __future__ import annotations

from flask import Blueprint, Response, request

from bff.common import actors
from bff.common.errors import ConnectionNotFound, NotSignedIn
from bff.connect.offered_connectors import offered_connectors
from bff.connections.disconnect_keys import DisconnectKey
from bff.connections.service import Found, no_such_connection
from bff.content.product import OfferedConnector, Product, is_draft
from bff.content.words import Words
from bff.identity.principal import Principal
from bff.openapi.operation import Answer
from bff.web.kit import audit, cors
from bff.web.kit.accounts import account_of
from bff.web.kit.authenticate import bearer, host_server, signed_in, signed_in_or_host_server
from bff.web.kit.connection_view import connection_json
from bff.web.kit.guards import CUSTOM_HEADER, ORIGIN
from bff.web.kit.idempotency import idempotency_key
from bff.web.kit.limits import Limit, Purpose
from bff.web.kit.locales import browser_languages, user_languages
from bff.web.kit.responses import API_HEADERS, answer
from bff.web.kit.services import services
from bff.web.openapi import describe, parameters, shapes
from bff.web.openapi.describe import Access
from bff.web.widget_api.policy import require_may_end

routes = Blueprint("hitchpost_connections", __name__)
routes.after_request(cors.grant)


@routes.get("/v1/connections")
@describe.operation(
    Answer(200, "The account's connections.", shapes.Connections),
    access=Access.PAGE_OR_SERVER,
    parameters=(parameters.ACCOUNT_OF_SERVER, parameters.LOCALE),
    refusals=["partner_unavailable"],
)
def connections() -> Response:
    """List what an account has connected.

    The host's server names an account, and the partner service is asked. A page gets the connections of its
    session's account, from a cache of a few seconds. Creates neither an account nor an account connector.
    """
    product, principal = _caller()
    account, offered = account_of(product, principal), _offered(product, principal)
    words = Words(product, _languages(principal))
    overview, is_server = services().connections.overview, principal is None
    found = [] if is_draft(product.key) else overview.connections(account, offered, fresh=is_server)
    return answer({"connections": [connection_json(item, product, principal, words) for item in found]})


@routes.delete("/v1/connections/<connection_id>")
@describe.operation(
    Answer(204, "The connection has ended."),
    access=Access.PAGE_OR_SERVER,
    limit=Limit((Purpose.DISCONNECT,)),
    parameters=(parameters.CONNECTION, parameters.ACCOUNT_OF_SERVER, parameters.IDEMPOTENCY_OF_END),
    refusals=("connection_not_found", "not_allowed", "partner_unavailable"),
)
def disconnect(connection_id: str) -> Response:
    """End a connection at the partner service, and revoke its grant at the third party where it can.

    Cancels running attempts for it. ``disconnect`` in the product's file says which users may do this.
    """
    product, principal = _caller()
    account = account_of(product, principal)
    actor = _actor(principal)
    text, connections = idempotency_key(), services().connections
    key = None if text is None else connections.disconnect_keys.of(account, connection_id, actor, text)
    services().limits.spend(Purpose.DISCONNECT, product.key, account.id, actor)
    # A repeated call, whose first answer was lost, must not end what was connected since. So it ends nothing
    # if the first call has finished (`is_done`), or if the connection that it was to end no longer stands:
    # what is there now was connected later (`is_target_gone`).
    if key is not None and key.is_done:
        return Response(status=204, headers=API_HEADERS)
    try:
        found = connections.service.find(account, _offered(product, principal), connection_id)
        if not found.exists:
            raise no_such_connection(found.row.account_connector_id)
        if key is None or not key.is_target_gone(found.row.connected_at):
            _end(product, principal, found, key)
    except ConnectionNotFound:
        if key is None or not key.has_begun:
            raise
    if key is not None:
        key.finish()
    return Response(status=204, headers=API_HEADERS)


def _end(product: Product, principal: Principal | None, found: Found, key: DisconnectKey | None) -> None:
    require_may_end(product, principal, found.row)
    actor = _actor(principal)
    services().connections.ending.end(found, actor, key.begin if key else lambda _: None)
    audit.disconnected(
        actor, product.key, found.account.id, found.offered.key, found.row.account_connector_id
    )


def _actor(principal: Principal | None) -> str:
    return actors.user(principal.user.id) if principal else actors.SERVER


def _caller() -> tuple[Product, Principal | None]:
    """The caller's product, and its principal if it is a page.

    A bearer token is a session or a secret key. If it is neither, a call with a page's headers is refused as
    not signed in, and any other call as one with a wrong key.
    """
    if ORIGIN in request.headers or CUSTOM_HEADER in request.headers:
        return signed_in_or_host_server()
    try:
        return signed_in()
    except NotSignedIn:
        if bearer() is None:
            raise
        return host_server(), None


def _offered(product: Product, principal: Principal | None) -> list[OfferedConnector]:
    return offered_connectors(product, principal) if principal else list(product.connectors)


def _languages(principal: Principal | None) -> list[str]:
    tag = request.args.get("locale")
    return user_languages(principal, tag) if principal else [*filter(None, [tag]), *browser_languages()]
