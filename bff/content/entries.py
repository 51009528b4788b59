"""What a product team owns: callback messages, words, look, and the connectors' order and names.

It is kept flat, as a map of path to text, so that a draft, a difference, a conflict and a history are each a
matter of comparing entries:

``messages/{name}/kind``                                sealed or plain
``messages/{name}/format``                              text or json
``messages/{name}/text/{connector or *}/{locale or *}`` the text, for all (``*/*``) and its variants
``words/{connector or *}/{locale or *}/{key}``          a text in place of the catalogue's
``look/{field}``                                        see ``bff/content/look.py``
``connectors/order``                                    keys, separated by spaces
``connectors/{key}/name``                               as users know it
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from bff.content.product import Message, MessageFormat, MessageKind, OfferedConnector, Registration
from bff.content.wording import ANY, Place

Content = Mapping[str, str]
"""By path, as above."""

Faults = dict[str, list[str]]
"""What is wrong, by path; each fault says what to write instead."""

DEFAULT_TEXT: Final = "connected:{connector}"

MESSAGE_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")


def path_of_text(name: str, connector: str = ANY, locale: str = ANY) -> str:
    """Where a message's text stands."""
    return f"messages/{name}/text/{connector}/{locale}"


def path_of_word(key: str, connector: str = ANY, locale: str = ANY) -> str:
    """Where a product's own word stands."""
    return f"words/{connector}/{locale}/{key}"


def look_of(content: Content) -> dict[str, str]:
    """The look's fields."""
    return {path[5:]: text for path, text in content.items() if path.startswith("look/")}


def names_of_messages(content: Content) -> list[str]:
    """The messages' names, each once, in the order in which they stand; one that is no name is left out."""
    found = dict.fromkeys(path.split("/")[1] for path in content if path.startswith("messages/"))
    return [name for name in found if MESSAGE_NAME.fullmatch(name)]


def variants_of(content: Content, name: str) -> dict[Place, str]:
    """A message's texts, by connector and language."""
    return texts_of_messages(content).get(name, {})


def texts_of_messages(content: Content) -> dict[str, dict[Place, str]]:
    """Every message's texts, by its name: the names as ``names_of_messages`` has them."""
    found: dict[str, dict[Place, str]] = {name: {} for name in names_of_messages(content)}
    for path, text in content.items():
        match path.split("/"):
            case ["messages", name, "text", connector, locale] if name in found:
                found[name][connector, locale] = text
    return found


def message_of(content: Content, name: str, texts: Mapping[Place, str]) -> Message:
    """A message with its texts. Raises ``ValueError`` for a kind or format that there is not."""
    return Message(
        kind=MessageKind(content.get(f"messages/{name}/kind", MessageKind.SEALED)),
        texts=dict(texts),
        format=MessageFormat(content.get(f"messages/{name}/format", MessageFormat.TEXT)),
    )


def connectors_of(registration: Registration, content: Content) -> Iterator[OfferedConnector]:
    """A product's connectors in its team's order, with the names that it gives them."""
    order = content.get("connectors/order", "").split()
    place = {key: number for number, key in enumerate(order)}
    for offered in sorted(registration.connectors, key=lambda item: place.get(item.key, len(order))):
        name = content.get(f"connectors/{offered.key}/name")
        yield replace(offered, name=name) if name else offered
