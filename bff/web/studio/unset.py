"""Default values of entries that a team has not set, as shown in fields and changes."""

from __future__ import annotations

from bff.content import look
from bff.content.entries import DEFAULT_TEXT
from bff.content.messages import DEFAULT_MESSAGE
from bff.content.product import MessageFormat, MessageKind, Product
from bff.content.wording import ANY, Place, closest
from bff.content.words import Words
from bff.web.kit.services import services
from bff.web.studio.page_context import Desk


def unset(at: Desk, path: str, product: Product) -> str:  # noqa: PLR0911
    """The value that ``product`` uses if this entry is not set; empty if there is none."""
    match path.split("/"):
        case ["words", connector, locale, key]:
            return word(product, key, (connector, locale))
        case ["look", field] if field in look.FIELDS:
            return look.fallback(product.look, field)
        case ["messages", name, "kind" | "format" as part] if name in product.messages:
            return (MessageKind.SEALED if part == "kind" else MessageFormat.TEXT).value
        case ["messages", name, "text", connector, locale]:
            return _text(product, name, (connector, locale))
        case ["connectors", "order"]:
            return " ".join(offered.key for offered in at.registration.connectors)
        case ["connectors", key, "name"]:
            named = services().catalogue.named
            return next((named(item).name for item in at.registration.connectors if item.key == key), "")
    return ""


def word(product: Product, key: str, place: Place) -> str:
    """The text of this key that users read if none is set for exactly this place."""
    connector, locale = place
    languages = set(product.languages)
    if product.languages[locale] == 1 and place in product.words.get(key, {}):
        languages.remove(locale)
    wanted = [] if locale == ANY else [locale]
    words = Words(product, wanted, None if connector == ANY else connector, languages)
    return words.template(key, unlike=place)


def _text(product: Product, name: str, place: Place) -> str:
    message = product.messages.get(name)
    others = {there: text for there, text in message.texts.items() if there != place} if message else {}
    if fallback := closest(others, *place):
        return fallback[1]
    return DEFAULT_TEXT if name == DEFAULT_MESSAGE else ""
