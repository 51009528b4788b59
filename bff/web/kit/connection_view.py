"""The JSON of connections, for a page or a host's server."""

from __future__ import annotations

from typing import Any

from bff.connections.connection import EXISTING, State, as_json, moment
from bff.connections.overview import Connection, ConnectorState
from bff.content.product import DisconnectPolicy, Product
from bff.content.words import Words
from bff.identity.principal import Principal


def connection_json(
    connection: Connection, product: Product, principal: Principal | None, words: Words
) -> dict[str, Any]:
    """A connection for ``principal``, or for the host's server if None. ``words``: in the user's language."""
    row, is_unknown = connection.row, connection.state is State.UNKNOWN
    reason = None if is_unknown else row.reason
    return as_json(row) | {
        "name": connection.connector.name,
        "state": connection.state.value,
        "reason": reason,
        "reason_text": words.reason(reason) if reason else None,
        "authenticated": connection.authenticated,
        "may_disconnect": may_disconnect(connection, product, principal),
        "last_state": row.state.value if is_unknown else None,
        "last_seen_at": moment(row.seen_at),
    }


def connector_json(
    connector_state: ConnectorState, product: Product, principal: Principal, words: Words
) -> dict[str, Any]:
    """A connector with its state for this account and all its connections."""
    connector, last = connector_state.connector, connector_state.last_state
    return {
        "key": connector.key,
        "name": connector.name,
        "logo": connector.logo,
        "multiple": connector.multiple,
        "state": connector_state.state.value,
        "last_state": last.value if last else None,
        "last_seen_at": moment(connector_state.last_seen_at),
        "connections": [
            connection_json(each, product, principal, words) for each in connector_state.connections
        ],
    }


def may_disconnect(connection: Connection, product: Product, principal: Principal | None) -> bool:
    """Whether this caller may disconnect the connection now."""
    if connection.row.state not in EXISTING:
        return False
    return may_end(product, principal, connection.row.owned_by)


def may_end(product: Product, principal: Principal | None, owner: str | None) -> bool:
    """Whether the product's ``disconnect`` policy permits this caller; the host's server always may."""
    if principal is None or product.disconnect is DisconnectPolicy.ACCOUNT:
        return True
    return product.disconnect is DisconnectPolicy.OWNER and owner == principal.user.id
