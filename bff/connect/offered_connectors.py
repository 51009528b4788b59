"""The connectors and callback messages that a product offers to a principal."""

from __future__ import annotations

from bff.common.errors import UnknownConnector, UnknownMessage
from bff.content.messages import DEFAULT_MESSAGE
from bff.content.product import MessageTemplate, OfferedConnector, Product
from bff.identity.principal import Principal


def offered_connectors(product: Product, principal: Principal) -> list[OfferedConnector]:
    """The connectors that this session may connect, in the product's order."""
    allowed = principal.connectors
    return [offered for offered in product.connectors if allowed is None or offered.key in allowed]


def offered_connector(product: Product, principal: Principal, key: str) -> OfferedConnector:
    """The connector with this key. Raises ``UnknownConnector``, which lists the keys offered."""
    offered = offered_connectors(product, principal)
    found = next((connector for connector in offered if connector.key == key), None)
    if found is None:
        known = ", ".join(connector.key for connector in offered) or "none"
        raise UnknownConnector(f"connector {key!r} is not offered here; offered: {known}")
    return found


def chosen_message(product: Product, name: str | None, connector: str, locale: str) -> MessageTemplate:
    """The callback message with this name, for this connector and language; the default message for None.

    Raises ``UnknownMessage``.
    """
    chosen = DEFAULT_MESSAGE if name is None else name
    message = product.messages.get(chosen)
    if message is None:
        known = ", ".join(sorted(product.messages)) or "none"
        raise UnknownMessage(f"message {chosen!r} is not among the product's messages: {known}")
    template = message.template(connector, locale)
    if template is None:
        raise UnknownMessage(
            f"message {chosen!r} has no text for connector {connector!r} and language {locale!r}"
        )
    return template
