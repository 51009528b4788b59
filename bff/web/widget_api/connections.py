"""An account's connections, for its page or its host's server: what there is, and its end."""

from __future__ import annotations

from flask import Blueprint, Response, request

from bff.common import actors
from bff.common.errors import NotAllowed, NotSignedIn
from bff.connect.offered_connectors import offered_connectors
from bff.content.product import OfferedConnector, Product, is_draft
from bff.content.words import Words
from bff.identity.principal import Principal
from bff.web.kit import audit, cors
from bff.web.kit.accounts import account_of
from bff.web.kit.authenticate import bearer, host_server, signed_in, signed_in_or_host_server
from bff.web.kit.connection_view import may_end, told_connection
from bff.web.kit.guards import CUSTOM_HEADER, ORIGIN
from bff.web.kit.limits import Purpose
from bff.web.kit.locales import browsers, wanted
from bff.web.kit.responses import API_HEADERS, answer
from bff.web.kit.services import services

routes = Blueprint("hitchpost_connections", __name__)
routes.after_request(cors.grant)


@routes.get("/v1/connections")
def connections() -> Response:
    """What an account has connected: for a host's server, asked of the partner service now.

    A page is told of its own account, as it was heard within the last seconds: however often it asks, the
    partner service is not. A host's server names an account. Nothing is made anywhere.
    """
    product, principal = _caller()
    account, offered = account_of(product, principal), _offered(product, principal)
    words = Words(product, _languages(principal))
    overview, now = services().connections.overview, principal is None
    found = [] if is_draft(product.key) else overview.connections(account, offered, now=now)
    return answer({"connections": [told_connection(each, product, principal, words) for each in found]})


@routes.delete("/v1/connections/<connection_id>")
def disconnect(connection_id: str) -> Response:
    """End a connection: at the partner service, and at the third party where that can be done.

    Sign-ins that are under way for it end. A page may, unless the product's file leaves it to others.
    """
    product, principal = _caller()
    account = account_of(product, principal)
    actor = actors.user(principal.user.id) if principal else actors.SERVER
    services().limits.spend(Purpose.DISCONNECT, product.key, account.id, actor)
    found = services().connections.service.find(account, _offered(product, principal), connection_id)
    if not may_end(product, principal, found.row.owned_by):
        whose = "who connected it" if product.disconnect == "owner" else "the host's server"
        raise NotAllowed(f"this connection is ended by {whose} only (disconnect in the product's file)")
    services().connections.service.end(found, actor)
    audit.disconnected(actor, product.key, account.id, found.offered.key, found.row.number)
    return Response(status=204, headers=API_HEADERS)


def _caller() -> tuple[Product, Principal | None]:
    """Who calls. A wrong secret key counts as one, unless the call says that it comes from a page."""
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
    return wanted(principal, tag) if principal else [*filter(None, [tag]), *browsers()]
