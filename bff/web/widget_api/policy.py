"""The product's ``disconnect`` policy: who may end a connection, or replace its third-party account."""

from __future__ import annotations

from bff.common.errors import NotAllowed
from bff.connect import outcome
from bff.connect.attempt import Attempt
from bff.connections.connection import EXISTING, Stored
from bff.content.product import DisconnectPolicy, Product, is_draft
from bff.identity.principal import Principal
from bff.web.kit.connection_view import may_end
from bff.web.kit.services import services


def require_may_end(product: Product, principal: Principal | None, row: Stored) -> None:
    """Raise ``NotAllowed`` if this caller may not end the connection."""
    if not may_end(product, principal, row.owned_by):
        raise _not_allowed(product, "end")


def require_may_accept(product: Product, principal: Principal, attempt: Attempt) -> None:
    """Raise ``NotAllowed`` if this user may not replace the connected third-party account.

    The grant of the connected one ends with that, so whoever may not end a connection may not replace its
    third-party account, either. Raises ``PartnerProblem``.
    """
    if attempt.account_connector_id is None or _anyone_may_accept(product):
        return
    name = str(attempt.account_connector_id)
    # Another connector with the same reference may have made the connection.
    offered = [attempt.connector, *product.connectors]
    found = services().connections.service.find(principal.account, offered, name)
    if not _may_replace(product, principal, found.row):
        raise _not_allowed(product, "replace the account of")


def seems_to_allow_accept(product: Product, principal: Principal, attempt: Attempt) -> bool | None:
    """What ``require_may_accept`` decides if the stored connection is up to date; None if it does not apply.

    For pages that read the attempt, which must not make a call to the partner service for it. It only says
    whether the page offers the choice.
    """
    if attempt.error_code != outcome.MISMATCH or attempt.account_connector_id is None:
        return None
    if _anyone_may_accept(product):
        return True
    row = services().connections.service.stored(principal.account, attempt.account_connector_id)
    return row is None or _may_replace(product, principal, row)


def _anyone_may_accept(product: Product) -> bool:
    return product.disconnect is DisconnectPolicy.ACCOUNT or is_draft(product.key)


def _may_replace(product: Product, principal: Principal, row: Stored) -> bool:
    return row.state not in EXISTING or may_end(product, principal, row.owned_by)


def _not_allowed(product: Product, verb: str) -> NotAllowed:
    owner = product.disconnect is DisconnectPolicy.OWNER
    who = "the user who connected it" if owner else "the host's server"
    return NotAllowed(f"only {who} may {verb} this connection (disconnect in the product's file)")
