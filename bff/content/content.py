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
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from bff.common.legible import visible_name
from bff.content import look, messages, words
from bff.content.minted_url import length_fault, longest_of
from bff.content.product import (
    Message,
    MessageFormat,
    MessageKind,
    MessageTemplate,
    OfferedConnector,
    Product,
    Registration,
)
from bff.content.wording import ANY, Place, canonical, is_tag

Content = Mapping[str, str]
"""By path, as above."""

Faults = dict[str, list[str]]
"""What is wrong, by path; each fault says what to write instead."""

DEFAULT_TEXT: Final = "connected:{connector}"
MOST_NAME: Final = 200
MOST_ENTRIES: Final = 5000
MOST_MESSAGES: Final = 200
MOST_VARIANTS: Final = 200
"""Texts of one message: each is shown for each connector."""
MOST_BYTES: Final = 1024 * 1024
"""Of all paths and texts together, in UTF-8: what a team writes is read anew for each page that shows it."""
MOST_PATH: Final = 300
MOST_TEXT: Final = 4000
"""Characters of one text. None that is sound has as many: a sign-in URL takes 2,000, a page 500."""
MOST_SAID: Final = 10
"""Faults of one entry that are told."""
_KEY: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
_KINDS: Final = {kind.value for kind in MessageKind}
_FORMATS: Final = {kind.value for kind in MessageFormat}


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
        **{name: _message(sound, name, texts) for name, texts in texts_of_messages(sound).items()},
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


def faults(content: Content, registration: Registration) -> Faults:
    """Everything that is wrong, by path."""
    found: Faults = {}

    def say(path: str, *said: str) -> None:
        if said:
            found.setdefault(path, []).extend(said)

    say("", *size_faults(content))
    connectors = {offered.key for offered in registration.connectors}
    for path, text in content.items():
        say(path, *path_faults(path, connectors), *_text_faults(path, text, connectors))
    named = {item.key: item.name or item.key for item in _connectors(registration, content)}
    longest = longest_of(named.items())
    for name, texts in texts_of_messages(content).items():
        for path, said in _message_faults(content, name, texts, registration, named, longest):
            say(path, *said)
    for path, alike in _lookalikes(content):
        say(path, alike)
    for field, said in look.faults(look_of(content)).items():
        say(f"look/{field}", *said)
    return found


def size_faults(content: Content) -> list[str]:
    """What there is too much of, however sound each entry is."""
    found = []
    if len(content) > MOST_ENTRIES:
        found.append(f"there are {len(content)} entries; at most {MOST_ENTRIES} are kept")
    if (messages := len(names_of_messages(content))) > MOST_MESSAGES:
        found.append(f"there are {messages} messages; at most {MOST_MESSAGES} are kept, so remove some")
    for name, texts in texts_of_messages(content).items():
        if len(texts) > MOST_VARIANTS:
            found.append(f"message {name!r} has {len(texts)} texts; at most {MOST_VARIANTS} are kept")
    size = sum(len(path.encode()) + len(text.encode()) for path, text in content.items())
    if size > MOST_BYTES:
        found.append(
            f"all texts together have {size // 1024} KiB; at most {MOST_BYTES // 1024} KiB are kept, so"
            " shorten or remove some"
        )
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
    return texts_of_messages(content).get(name, {})


def texts_of_messages(content: Content) -> dict[str, dict[Place, str]]:
    """Every message's texts, by its name: the names as ``names_of_messages`` has them."""
    found: dict[str, dict[Place, str]] = {name: {} for name in names_of_messages(content)}
    for path, text in content.items():
        match path.split("/"):
            case ["messages", name, "text", connector, locale] if name in found:
                found[name][connector, locale] = text
    return found


def _message(content: Content, name: str, texts: Mapping[Place, str]) -> Message:
    return Message(
        kind=MessageKind(content.get(f"messages/{name}/kind", MessageKind.SEALED)),
        texts=dict(texts),
        format=MessageFormat(content.get(f"messages/{name}/format", MessageFormat.TEXT)),
    )


def _connectors(registration: Registration, content: Content) -> Iterator[OfferedConnector]:
    order = content.get("connectors/order", "").split()
    place = {key: number for number, key in enumerate(order)}
    for offered in sorted(registration.connectors, key=lambda item: place.get(item.key, len(order))):
        name = content.get(f"connectors/{offered.key}/name")
        yield replace(offered, name=name) if name else offered


def path_faults(path: str, connectors: set[str]) -> list[str]:
    """What is wrong with where an entry stands, whatever stands there. ``connectors`` are keys."""
    match path.split("/"):
        case ["messages", name, "kind" | "format"]:
            return _name_faults(name)
        case ["messages", name, "text", connector, locale]:
            return [*_name_faults(name), *_place_faults(connector, locale, connectors)]
        case ["words", connector, locale, _]:
            return _place_faults(connector, locale, connectors)
        case ["connectors", key, "name"] if key not in connectors:
            return [f"there is no connector {key!r}"]
        case ["look", _] | ["connectors", "order"] | ["connectors", _, "name"]:
            return []
    return ["this key is not known here; remove it"]


def _text_faults(path: str, text: str, connectors: set[str]) -> list[str]:
    match path.split("/"):
        case ["messages", _, "kind"]:
            return _one_of(text, _KINDS)
        case ["messages", _, "format"]:
            return _one_of(text, _FORMATS)
        case ["words", _, _, key]:
            return words.faults(key, text)
        case ["connectors", "order"]:
            return _order_faults(text, connectors)
        case ["connectors", key, "name"] if key in connectors:
            return _connector_faults(text)
    return []  # The look's fields are looked at together: a colour is right or wrong beside another.


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
    found += [f"{key!r} stands twice; leave one" for key, times in Counter(keys).items() if times > 1]
    return found[:MOST_SAID]


def _connector_faults(text: str) -> list[str]:
    if visible_name(text) is None or len(text) > MOST_NAME or not text.isprintable():
        return [f"a name has 1 to {MOST_NAME} characters that can be seen, and no line breaks"]
    return []


def _message_faults(
    content: Content,
    name: str,
    texts: Mapping[Place, str],
    registration: Registration,
    named: Mapping[str, str],
    longest: list[tuple[str, str]],
) -> Iterator[tuple[str, list[str]]]:
    if (ANY, ANY) not in texts:
        yield path_of_text(name), ["the text for all connectors and languages is missing; write it first"]
    try:
        message = _message(content, name, texts)
    except ValueError:
        return  # Of a kind or format that there is not: that is said at its own entry.
    for (connector, locale), text in message.texts.items():
        template = MessageTemplate(message.kind, text, message.format)
        names = longest if connector == ANY else [(connector, named.get(connector, connector))]
        yield (
            path_of_text(name, connector, locale),
            messages.faults(template)
            or length_fault(template, registration.service_url, registration.origins, names),
        )


def _lookalikes(content: Content) -> Iterator[tuple[str, str]]:
    # A page that hears a plain text could not tell which of the two was meant.
    seen: dict[str, tuple[str, str]] = {}
    for name, texts in texts_of_messages(content).items():
        if content.get(f"messages/{name}/kind") != MessageKind.PLAIN.value:
            continue
        for (connector, locale), text in texts.items():
            path = path_of_text(name, connector, locale)
            other, other_path = seen.setdefault(text, (name, path))
            if other != name:
                yield path, f"message {other!r} says the same; a page could not tell the two apart"
                yield other_path, f"message {name!r} says the same; a page could not tell the two apart"
