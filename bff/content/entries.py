"""The content that a product team edits: callback messages, words, look, the connectors' order and names.

It is a flat map of path to text, so that drafts, differences and conflicts are comparisons of entries:

``messages/{name}/kind``                                sealed or plain
``messages/{name}/format``                              text or json
``messages/{name}/text/{connector or *}/{locale or *}`` the general text (``*/*``) and its variants
``words/{connector or *}/{locale or *}/{key}``          replaces a text of ``words.CATALOGUE``
``look/{field}``                                        see ``bff/content/look.py``
``connectors/order``                                    keys, separated by spaces
``connectors/{key}/name``                               the name that users see
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from bff.content.product import Message, MessageFormat, MessageKind, OfferedConnector, Registration
from bff.content.wording import ANY, Place

Content = Mapping[str, str]
"""Texts by path."""

Faults = dict[str, list[str]]
"""Faults by path. Each says what to write instead."""

DEFAULT_TEXT: Final = "connected:{connector}"

MESSAGE_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")


def path_of_text(name: str, connector: str = ANY, locale: str = ANY) -> str:
    """The path of a message's text."""
    return f"messages/{name}/text/{connector}/{locale}"


def path_of_word(key: str, connector: str = ANY, locale: str = ANY) -> str:
    """The path of a product's own text for ``key``."""
    return f"words/{connector}/{locale}/{key}"


def languages_of(content: Content) -> set[str]:
    """The languages in which there are messages or words."""
    found = set()
    for path in content:
        match path.split("/"):
            case ["messages", _, "text", _, locale] | ["words", _, locale, _] if locale != ANY:
                found.add(locale)
    return found


def look_of(content: Content) -> dict[str, str]:
    """The fields of the look, by name."""
    return {path[5:]: text for path, text in content.items() if path.startswith("look/")}


def names_of_messages(content: Content) -> list[str]:
    """The valid names of messages, each once, in the order of the content."""
    names = dict.fromkeys(path.split("/")[1] for path in content if path.startswith("messages/"))
    return [name for name in names if MESSAGE_NAME.fullmatch(name)]


def variants_of(content: Content, name: str) -> dict[Place, str]:
    """The texts of a message, by connector and language."""
    return texts_of_messages(content).get(name, {})


def texts_of_messages(content: Content) -> dict[str, dict[Place, str]]:
    """The texts of all messages of ``names_of_messages``, by name."""
    texts: dict[str, dict[Place, str]] = {name: {} for name in names_of_messages(content)}
    for path, text in content.items():
        match path.split("/"):
            case ["messages", name, "text", connector, locale] if name in texts:
                texts[name][connector, locale] = text
    return texts


def message_of(content: Content, name: str, texts: Mapping[Place, str]) -> Message:
    """Build a message. Raises ``ValueError`` for an unknown kind or format."""
    return Message(
        kind=MessageKind(content.get(f"messages/{name}/kind", MessageKind.SEALED)),
        texts=dict(texts),
        format=MessageFormat(content.get(f"messages/{name}/format", MessageFormat.TEXT)),
    )


def connectors_of(registration: Registration, content: Content) -> Iterator[OfferedConnector]:
    """The product's connectors in the team's order, with the team's names."""
    order = content.get("connectors/order", "").split()
    place = {key: number for number, key in enumerate(order)}
    for offered in sorted(registration.connectors, key=lambda item: place.get(item.key, len(order))):
        name = content.get(f"connectors/{offered.key}/name")
        yield replace(offered, name=name) if name else offered
