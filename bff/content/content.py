"""A product as its users meet it, from what its team wrote."""

from __future__ import annotations

from bff.content import messages
from bff.content.entries import DEFAULT_TEXT, Content, connectors_of, look_of, message_of, texts_of_messages
from bff.content.faults import faults
from bff.content.product import Message, MessageKind, Product, Registration
from bff.content.wording import ANY, Place


def product_of(registration: Registration, content: Content, version: int = 0) -> Product:
    """The product as its users meet it. Faulty entries are left out: nothing half-right is shown."""
    sound = without_faults(content, registration)
    found = {
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
        messages=found,
        words=own,
        look=look_of(sound),
        version=version,
        account_prefix=registration.account_prefix,
        disconnect=registration.disconnect,
    )


def without_faults(content: Content, registration: Registration) -> dict[str, str]:
    """The entries that nothing is wrong with.

    A message goes whole or not at all, and so does the look: the ink of one colour is made for another.
    """
    bad = faults(content, registration)
    lost = {_whole(path) for path in bad}
    return {path: text for path, text in content.items() if _whole(path) not in lost}


def _whole(path: str) -> str:
    match path.split("/"):
        case ["messages", name, *_]:
            return f"messages/{name}"
        case ["look", *_]:
            return "look"
    return path
