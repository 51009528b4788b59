"""What a page needs before anybody presses a button: connectors, words, look."""

from __future__ import annotations

from flask import Blueprint, Response, request

from bff.common.errors import ConnectorUnavailable
from bff.connect.attempt import Delivery
from bff.connect.offered_connectors import offered_connectors
from bff.connections.connection import State
from bff.connections.overview import ConnectorState
from bff.content import look
from bff.content.product import OfferedConnector, Product, is_draft
from bff.content.words import Words, widget_words
from bff.identity.principal import Principal
from bff.openapi.operation import Answer
from bff.web.kit import cors
from bff.web.kit.authenticate import signed_in
from bff.web.kit.connection_view import connector_json
from bff.web.kit.in_app import is_in_app
from bff.web.kit.locales import user_languages
from bff.web.kit.responses import answer
from bff.web.kit.services import services
from bff.web.openapi import describe, parameters, shapes
from bff.web.openapi.describe import Access

routes = Blueprint("hitchpost_config", __name__)
routes.after_request(cors.grant)


@routes.get("/v1/config")
@describe.operation(
    Answer(200, "The product, its connectors and its words.", shapes.Config),
    access=Access.PAGE,
    parameters=(parameters.LOCALE,),
)
def config() -> Response:
    """Return what a page needs to draw its buttons: connectors with their state, words, look, delivery."""
    product, principal = signed_in()
    states = _states(product, principal)
    names = {connector_state.connector.key: connector_state.connector.name for connector_state in states}
    accounts = {
        connector_state.connector.key: connector_state.external_account or "" for connector_state in states
    }
    languages = user_languages(principal, request.args.get("locale"))
    words, widget_texts = widget_words(product, languages, names, accounts)
    return answer(
        {
            "product": {"key": product.key, "name": product.name},
            "connectors": [
                connector_json(connector_state, product, principal, words)
                | {"error": _unavailable(product, connector_state.connector, words)}
                for connector_state in states
            ],
            "words": widget_texts | {"lang": words.lang, "dir": words.dir},
            "lang": words.lang,
            "dir": words.dir,
            "style": look.widget_style(product.look),
            "theme": dict(product.look),
            "delivery": (Delivery.RETURN if _is_in_app() else Delivery.MESSAGE).value,
        }
    )


def _states(product: Product, principal: Principal) -> list[ConnectorState]:
    offered = offered_connectors(product, principal)
    if is_draft(product.key):
        # A preview shows every button as not connected, and does not call the partner service.
        named = map(services().catalogue.named, offered)
        return [ConnectorState(connector, State.DISCONNECTED, ()) for connector in named]
    return services().connections.overview.states(principal.account, offered)


def _unavailable(product: Product, connector: OfferedConnector, words: Words) -> dict[str, str] | None:
    """The error of a connector that is known not to be connectable, in words; None for any other."""
    try:
        services().catalogue.require_connectable(connector)
    except ConnectorUnavailable as error:
        names = {"connector_name": connector.name, "product_name": product.name}
        title, next_step = Words(product, [words.lang], connector.key).error(error.page_code, **names)
        return {"code": error.page_code, "title": title, "next_step": next_step}
    return None


def _is_in_app() -> bool:
    return is_in_app(request.headers.get("User-Agent", ""))
