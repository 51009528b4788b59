"""What a product team owns: callback messages, words, look, and the connectors' order and names.

It is kept flat, as a map of path to text, so that a draft, a difference, a conflict and a history are each a
matter of comparing entries:

``messages/{name}/kind``                                sealed or plain
``messages/{name}/format``                              text or json
``messages/{name}/text/{connector or *}/{locale or *}`` the text, for all (``*/*``) and its variants
``words/{connector or *}/{locale or *}/{key}``          a text in place of the catalogue's
``look/{field}``                                        see ``bff/core/look.py``
``connectors/order``                                    keys, separated by spaces
``connectors/{key}/name``                               as users know it
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from bff.core import look, messages, words
from bff.core.legible import visible_name
from bff.core.minted_url import length_fault
from bff.core.model import (
    Message,
    MessageFormat,
    MessageKind,
    MessageTemplate,
    OfferedConnector,
    Product,
)
from bff.core.sessions import AssertionRule
from bff.core.wording import ANY, Place, canonical, is_tag

Content = Mapping[str, str]
"""By path, as above."""

Faults = dict[str, list[str]]
"""What is wrong, by path; each fault says what to write instead."""

DEFAULT_TEXT: Final = "connected:{connector}"
MOST_NAME: Final = 200
MOST_ENTRIES: Final = 5000
_KEY: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
_KINDS: Final = {kind.value for kind in MessageKind}
_FORMATS: Final = {kind.value for kind in MessageFormat}


@dataclass(frozen=True)
class Registration:
    """What operators say of a product: it is not the team's to change.

    ``service_url`` is where minted URLs lead (for their length); ``connectors`` have the names and the order
    that hold where the team says nothing; ``assertion`` is how the host asserts who is signed in, if it does.
    Products of one ``account_namespace`` share their accounts (none: nobody shares this one's), whose ids at
    the partner service begin with ``account_prefix``.
    """

    key: str
    name: str
    origins: tuple[str, ...]
    connectors: tuple[OfferedConnector, ...]
    service_url: str = "https://your-company-h.cyclr.com"
    assertion: AssertionRule | None = None
    account_namespace: str | None = None
    account_prefix: str = ""


def path_of_text(name: str, connector: str = ANY, locale: str = ANY) -> str:
    """Where a message's text stands."""
    return f"messages/{name}/text/{connector}/{locale}"


def path_of_word(key: str, connector: str = ANY, locale: str = ANY) -> str:
    """Where a product's own word stands."""
    return f"words/{connector}/{locale}/{key}"


def product_of(registration: Registration, content: Content, version: int = 0) -> Product:
    """The product as its users meet it. Faulty entries are left out: nothing half-right is shown."""
    sound = without_faults(content, registration)
    found = {
        messages.DEFAULT_MESSAGE: Message(MessageKind.SEALED, {(ANY, ANY): DEFAULT_TEXT}),
        **{name: _message(sound, name) for name in names_of_messages(sound)},
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
        connectors=tuple(_connectors(registration, sound)),
        messages=found,
        words=own,
        look=look_of(sound),
        version=version,
        account_prefix=registration.account_prefix,
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


def faults(content: Content, registration: Registration) -> Faults:
    """Everything that is wrong, by path."""
    found: Faults = {}

    def say(path: str, *said: str) -> None:
        if said:
            found.setdefault(path, []).extend(said)

    if len(content) > MOST_ENTRIES:
        say("", f"there are {len(content)} entries; at most {MOST_ENTRIES} are kept")
    for path, text in content.items():
        say(path, *_path_faults(path, text, registration))
    for name in names_of_messages(content):
        for path, said in _message_faults(content, name, registration):
            say(path, *said)
    for path, alike in _lookalikes(content):
        say(path, alike)
    for field, said in look.faults(look_of(content)).items():
        say(f"look/{field}", *said)
    return found


def look_of(content: Content) -> dict[str, str]:
    """The look's fields."""
    return {path[5:]: text for path, text in content.items() if path.startswith("look/")}


def names_of_messages(content: Content) -> list[str]:
    """The messages' names, each once, in the order in which they stand; one that is no name is left out."""
    found = dict.fromkeys(path.split("/")[1] for path in content if path.startswith("messages/"))
    return [name for name in found if _KEY.fullmatch(name)]


def variants_of(content: Content, name: str) -> dict[Place, str]:
    """A message's texts, by connector and language."""
    start = f"messages/{name}/text/"
    return {
        (parts[0], parts[1]): text
        for path, text in content.items()
        if path.startswith(start) and len(parts := path[len(start) :].split("/")) == 2
    }


def _message(content: Content, name: str) -> Message:
    return Message(
        kind=MessageKind(content.get(f"messages/{name}/kind", MessageKind.SEALED)),
        texts=variants_of(content, name),
        format=MessageFormat(content.get(f"messages/{name}/format", MessageFormat.TEXT)),
    )


def _connectors(registration: Registration, content: Content) -> Iterator[OfferedConnector]:
    order = content.get("connectors/order", "").split()
    place = {key: number for number, key in enumerate(order)}
    for offered in sorted(registration.connectors, key=lambda item: place.get(item.key, len(order))):
        name = content.get(f"connectors/{offered.key}/name")
        yield replace(offered, name=name) if name else offered


def _path_faults(path: str, text: str, registration: Registration) -> list[str]:  # noqa: PLR0911
    connectors = {offered.key for offered in registration.connectors}
    match path.split("/"):
        case ["messages", name, "kind"]:
            return [*_name_faults(name), *_one_of(text, _KINDS)]
        case ["messages", name, "format"]:
            return [*_name_faults(name), *_one_of(text, _FORMATS)]
        case ["messages", name, "text", connector, locale]:
            return [*_name_faults(name), *_place_faults(connector, locale, connectors)]
        case ["words", connector, locale, key]:
            return [*_place_faults(connector, locale, connectors), *words.faults(key, text)]
        case ["look", _]:
            return []  # The fields are looked at together: a colour is right or wrong beside another.
        case ["connectors", "order"]:
            return _order_faults(text, connectors)
        case ["connectors", key, "name"]:
            return _connector_faults(key, text, connectors)
    return ["this key is not known here; remove it"]


def _name_faults(name: str) -> list[str]:
    if _KEY.fullmatch(name):
        return []
    return [f"{name!r} is no name of a message; use up to 63 of a-z, 0-9, _ and -"]


def _place_faults(connector: str, locale: str, connectors: set[str]) -> list[str]:
    found = []
    if connector != ANY and connector not in connectors:
        found.append(f"there is no connector {connector!r}; offered: {', '.join(sorted(connectors))}")
    if locale != ANY and (not is_tag(locale) or canonical(locale) != locale):
        found.append(f"{locale!r} is no language tag such as de or pt-BR")
    return found


def _one_of(text: str, allowed: set[str]) -> list[str]:
    return [] if text in allowed else [f"{text!r} is none of {', '.join(sorted(allowed))}"]


def _order_faults(text: str, connectors: set[str]) -> list[str]:
    keys = text.split()
    found = [f"there is no connector {key!r}" for key in keys if key not in connectors]
    found += [f"{key!r} stands twice; leave one" for key in dict.fromkeys(keys) if keys.count(key) > 1]
    return found


def _connector_faults(key: str, text: str, connectors: set[str]) -> list[str]:
    if key not in connectors:
        return [f"there is no connector {key!r}"]
    if visible_name(text) is None or len(text) > MOST_NAME or not text.isprintable():
        return [f"a name has 1 to {MOST_NAME} characters that can be seen, and no line breaks"]
    return []


def _message_faults(
    content: Content, name: str, registration: Registration
) -> Iterator[tuple[str, list[str]]]:
    if (ANY, ANY) not in variants_of(content, name):
        yield path_of_text(name), ["the text for all connectors and languages is missing; write it first"]
    try:
        message = _message(content, name)
    except ValueError:
        return  # Of a kind or format that there is not: that is said at its own entry.
    for (connector, locale), text in message.texts.items():
        template = MessageTemplate(message.kind, text, message.format)
        names = _names(registration, content, connector)
        yield (
            path_of_text(name, connector, locale),
            messages.faults(template)
            or length_fault(template, registration.service_url, registration.origins, names),
        )


def _names(registration: Registration, content: Content, connector: str) -> list[tuple[str, str]]:
    offered = _connectors(registration, content)
    found = [(item.key, item.name or item.key) for item in offered if connector in {ANY, item.key}]
    return found or [(connector, connector)]


def _lookalikes(content: Content) -> Iterator[tuple[str, str]]:
    # A page that hears a plain text could not tell which of the two was meant.
    seen: dict[str, tuple[str, str]] = {}
    for name in names_of_messages(content):
        if content.get(f"messages/{name}/kind") != MessageKind.PLAIN.value:
            continue
        for (connector, locale), text in variants_of(content, name).items():
            path = path_of_text(name, connector, locale)
            other, other_path = seen.setdefault(text, (name, path))
            if other != name:
                yield path, f"message {other!r} says the same; a page could not tell the two apart"
                yield other_path, f"message {name!r} says the same; a page could not tell the two apart"
