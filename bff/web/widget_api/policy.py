"""The product's ``disconnect`` policy: who may end a connection, or replace its third-party account."""

from __future__ import annotations

from bff.common.errors import NotAllowed
from bff.connect.attempt import Attempt
from bff.connections.connection import EXISTING, Stored
from bff.content.product import DisconnectPolicy, Product, is_draft
from bff.identity.principal import Principal
from bff.web.kit.connection_view import may_end
from bff.web.kit.services import services


def require_may_end(product: Product, principal: Principal | None, row: Stored, verb: str = "end") -> None:
    """Raise ``NotAllowed`` if this caller may not end the connection. ``verb``: what the caller wants."""
    if not may_end(product, principal, row.owned_by):
        owner = product.disconnect is DisconnectPolicy.OWNER
        who = "the user who connected it" if owner else "the host's server"
        raise NotAllowed(f"only {who} may {verb} this connection (disconnect in the product's file)")


def require_may_accept(product: Product, principal: Principal, attempt: Attempt) -> None:
    """Raise ``NotAllowed`` if this user may not replace the connected account by the one that signed in.

    Its grant ends with that, so who may not end a connection may not replace its account, either. Raises
    ``PartnerProblem``.
    """
    anyone_may = product.disconnect is DisconnectPolicy.ACCOUNT or is_draft(product.key)
    if anyone_may or attempt.account_connector_id is None:
        return
    name = str(attempt.account_connector_id)
    # Another connector with the same reference may have made the connection.
    offered = [attempt.connector, *product.connectors]
    found = services().connections.service.find(principal.account, offered, name)
    if found.row.state in EXISTING:
        require_may_end(product, principal, found.row, "replace the account of")
