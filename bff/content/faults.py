"""Checks a product team's content. Each fault says what to write instead."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final

from bff.common.legible import visible_name
from bff.content import look, messages, words
from bff.content.entries import (
    MESSAGE_NAME,
    Content,
    Faults,
    connectors_of,
    languages_of,
    look_of,
    message_of,
    names_of_messages,
    path_of_text,
    texts_of_messages,
)
from bff.content.language_names import tag_fault
from bff.content.minted_url import length_fault, longest_of
from bff.content.product import MessageFormat, MessageKind, MessageTemplate, Registration
from bff.content.wording import ANY, Place, canonical

MOST_NAME: Final = 200
MOST_ENTRIES: Final = 5000
MOST_MESSAGES: Final = 200
MOST_VARIANTS: Final = 200
"""Texts of one message. The Studio shows each of them for each connector."""
MOST_LANGUAGES: Final = 200
"""Languages of all texts. The Studio's pages list each of them, and a search looks at every word in each."""
MOST_BYTES: Final = 1024 * 1024
"""Bytes of all paths and texts in UTF-8. Each page of the Studio reads the whole content."""
MOST_PATH: Final = 300
MOST_TEXT: Final = 4000
"""Characters of one text in a draft. Valid texts are shorter: a sign-in URL has 2,000, other texts 500."""
MOST_REPORTED: Final = 10
"""Faults of one entry that are reported."""
_KINDS: Final = {kind.value for kind in MessageKind}
_FORMATS: Final = {kind.value for kind in MessageFormat}


def faults(content: Content, registration: Registration) -> Faults:
    """All faults of a content, by path. Those of the whole content are at the empty path."""
    found: Faults = {}

    def report(path: str, *reasons: str) -> None:
        if reasons:
            found.setdefault(path, []).extend(reasons)

    report("", *size_faults(content))
    connectors = {offered.key for offered in registration.connectors}
    for path, text in content.items():
        report(path, *path_faults(path, connectors), *_text_faults(path, text, connectors))
    named = {item.key: item.name or item.key for item in connectors_of(registration, content)}
    longest = longest_of(named.items())
    for name, texts in texts_of_messages(content).items():
        for path, reasons in _message_faults(content, name, texts, registration, named, longest):
            report(path, *reasons)
    for path, reason in _ambiguous_texts(content):
        report(path, reason)
    for field, reasons in look.faults(look_of(content)).items():
        report(f"look/{field}", *reasons)
    return found


def size_faults(content: Content) -> list[str]:
    """Faults of the content as a whole: too many entries, messages, texts or bytes."""
    found = []
    if len(content) > MOST_ENTRIES:
        found.append(f"there are {len(content)} entries; at most {MOST_ENTRIES} are kept")
    if (messages := len(names_of_messages(content))) > MOST_MESSAGES:
        found.append(f"there are {messages} messages; at most {MOST_MESSAGES} are kept, so remove some")
    if (languages := len(languages_of(content))) > MOST_LANGUAGES:
        found.append(f"there are texts in {languages} languages; at most {MOST_LANGUAGES} are kept")
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


def path_faults(path: str, connectors: set[str]) -> list[str]:
    """Faults of a path, whatever its text. ``connectors`` are the keys that the product offers."""
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
            return connector_name_faults(text)
    return []  # ``faults`` checks all fields of the look together, as contrast depends on two colours.


def _name_faults(name: str) -> list[str]:
    if MESSAGE_NAME.fullmatch(name):
        return []
    return [f"{name!r} is no name of a message; use up to 63 of a-z, 0-9, _ and -"]


def _place_faults(connector: str, locale: str, connectors: set[str]) -> list[str]:
    found = []
    if connector != ANY and connector not in connectors:
        found.append(f"there is no connector {connector!r}; offered: {', '.join(sorted(connectors))}")
    if locale != ANY and (fault := tag_fault(locale)):
        found.append(fault)
    elif locale != ANY and canonical(locale) != locale:
        found.append(f"{locale!r} is no language tag in its usual form; write {canonical(locale)}")
    return found


def _one_of(text: str, allowed: set[str]) -> list[str]:
    return [] if text in allowed else [f"{text!r} is none of {', '.join(sorted(allowed))}"]


def _order_faults(text: str, connectors: set[str]) -> list[str]:
    keys = text.split()
    found = [f"there is no connector {key!r}" for key in keys if key not in connectors]
    found += [f"{key!r} stands twice; leave one" for key, times in Counter(keys).items() if times > 1]
    return found[:MOST_REPORTED]


def name_faults(text: str) -> list[str]:
    """Faults of a name that users see."""
    if visible_name(text) is None or len(text) > MOST_NAME or not text.isprintable():
        return [f"a name has 1 to {MOST_NAME} characters that can be seen, and no line breaks"]
    return []


def connector_name_faults(text: str) -> list[str]:
    """Faults of a connector's name. Texts are filled with it, so it has no placeholder itself."""
    return name_faults(text) or words.unfillable(words.names_in(text), ())


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
        message = message_of(content, name, texts)
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


def _ambiguous_texts(content: Content) -> Iterator[tuple[str, str]]:
    """Faults of plain messages with the same text: a page that receives it cannot tell them apart."""
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
