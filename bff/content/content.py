"""Builds the product that users see from its registration and its team's content."""

from __future__ import annotations

from bff.content import messages
from bff.content.entries import DEFAULT_TEXT, Content, connectors_of, look_of, message_of, texts_of_messages
from bff.content.faults import faults
from bff.content.product import Message, MessageKind, Product, Registration
from bff.content.wording import ANY, Place


def product_of(registration: Registration, content: Content, version: int = 0) -> Product:
    """Build a product. Faulty entries are left out, so that users see the defaults instead."""
    sound = without_faults(content, registration)
    callback_messages = {
        messages.DEFAULT_MESSAGE: Message(MessageKind.SEALED, {(ANY, ANY): DEFAULT_TEXT}),
        **{name: message_of(sound, name, texts) for name, texts in texts_of_messages(sound).items()},
    }
    own: dict[str, dict[Place, str]] = {}
    for path, text in sound.items():
        parts = path.split("/")
        if parts[0] == "words":
            own.setdefault(parts[3], {})[parts[1], parts[2]] = text
    return Product(
        key=registration.key,
        name=registration.name,
        origins=registration.origins,
        connectors=tuple(connectors_of(registration, sound)),
        messages=callback_messages,
        words=own,
        look=look_of(sound),
        version=version,
        disconnect=registration.disconnect,
    )


def without_faults(content: Content, registration: Registration) -> dict[str, str]:
    """The content without its faulty entries.

    One faulty entry removes its whole message, or the whole look, whose colours are chosen for each other.
    """
    removed = {_unit(path) for path in faults(content, registration)}
    return {path: text for path, text in content.items() if _unit(path) not in removed}


def _unit(path: str) -> str:
    """The path of what stands or falls together with an entry."""
    match path.split("/"):
        case ["messages", name, *_]:
            return f"messages/{name}"
        case ["look", *_]:
            return "look"
    return path
