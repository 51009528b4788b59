"""Describes content for the Studio: names of entries, and which users get which text, and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from bff.content import messages
from bff.content.entries import Content, languages_of, variants_of
from bff.content.language_names import language
from bff.content.look_fields import FIELDS
from bff.content.minted_url import MOST, longest_origin, url_length
from bff.content.product import MessageFormat, MessageKind, MessageTemplate, Registration
from bff.content.wording import ANY, Place, closest
from bff.content.words import CATALOGUE

ABOUT_VARIABLES: Final = {
    "attempt": "the id of this one click, for looking it up later",
    "connector": "the connector's key, such as hubspot",
    "connector_name": "the connector's name, such as HubSpot",
    "account": "the id of the account (your customer), as your server sent it",
    "user": "the id of the person who clicked, as your server sent it",
    "locale": "the language that they read, such as de",
}

Names = Mapping[str, str]
"""Connector names by key."""


@dataclass(frozen=True)
class MessagePreview:
    """A callback message for one connector and language (``*``: any other), with sample values.

    ``place`` is the key of the text that was chosen, and ``why`` explains the choice. ``message`` is the
    team's message, ``callback_message`` the text that is posted; both are None if the text has a fault.
    ``length`` is that of the sign-in URL which carries it.
    """

    connector: str
    locale: str
    place: Place
    why: str
    message: str | None
    callback_message: str | None
    length: int

    @property
    def fits(self) -> bool:
        """Whether the URL is short enough for every browser."""
        return self.length <= MOST


def previews(content: Content, registration: Registration, names: Names, name: str) -> list[MessagePreview]:
    """Previews of a message: for each connector, in each language that has a text and in any other."""
    texts = variants_of(content, name)
    languages = sorted({locale for _, locale in texts} - {ANY})
    rows = []
    for key in names:
        for locale in (*languages, ANY):
            chosen = closest(texts, key, locale)
            if chosen is not None:
                place, text = chosen
                why = explanation(place, key, locale, names)
                rows.append(_preview(content, registration, names, name, (key, locale), place, text, why))
    return rows


def explanation(place: Place, connector: str, locale: str, names: Names) -> str:
    """Name the text at ``place``, and the more specific text that is missing for this user."""
    whose = f"for {names.get(connector, connector)}"
    which = f"in {language(locale)}" if locale not in {place[1], ANY} else ""
    if place[0] == ANY:
        missing = f"{whose} or {which}" if which else whose
    else:
        missing = f"{whose} {which}" if which else ""
    reason = f", as there is none {missing}" if missing else ""
    return f"{text_for(place, names)}{reason}"


def text_for(place: Place, names: Names) -> str:
    """The name of a text, by its connector and language."""
    connector, locale = place
    if place == (ANY, ANY):
        return "the text for everybody"
    whose = f"the {names.get(connector, connector)} text" if connector != ANY else "the text"
    return whose if locale == ANY else f"{whose} in {language(locale)}"


def audience(place: Place, names: Names) -> str:
    """The users that a text is for."""
    connector, locale = place
    who = "For everybody" if connector == ANY else f"For {names.get(connector, connector)} users"
    return who if locale == ANY else f"{who} in {language(locale)}"


def label(path: str, names: Names) -> str:  # noqa: PLR0911
    """The name of an entry."""
    match path.split("/"):
        case ["messages", name, "text", connector, locale]:
            return f"Message “{name}”: {text_for((connector, locale), names)}"
        case ["messages", name, part]:
            return f"Message “{name}”: {part}"
        case ["words", connector, locale, key]:
            whose = "" if connector == ANY else f" for {names.get(connector, connector)}"
            return f"Words: {title(key)}, {language(locale)}{whose}"
        case ["look", field]:
            known = FIELDS.get(field)
            return f"Look: {known.label.lower() if known else field}"
        case ["connectors", "order"]:
            return "Connectors: their order"
        case ["connectors", key, "name"]:
            return f"Connectors: name of {key}"
    return path or "The whole content"


def title(key: str) -> str:
    """A key as words: ``open_again`` becomes "Open again"."""
    return key.replace("_", " ").capitalize()


_ENDINGS: Final = frozenset(
    {
        "connected",
        "declined",
        "failed",
        "expired",
        "cancelled",
        "account_mismatch",
        "use_account",
        "try_again",
    }
)


_CONNECTIONS: Final = frozenset(
    {
        "account",
        "accounts",
        "needs_reconnect",
        "disconnect",
        "connections",
        "connections_none",
        "connections_failed",
    }
)
"""Scenes of the connections list."""
_STARTS: Final = {
    "error_": "errors",
    "page_form_": "form",
    "page_": "window",
    "mail_": "mail",
    "reason_": "connections",
}


def section_of(key: str) -> str:
    """The section of the Studio's page of words that shows a text: ``button``, ``errors`` and so on."""
    for start, section in _STARTS.items():
        if key.startswith(start):
            return section
    known = CATALOGUE.get(key)
    if known and known.scene in _CONNECTIONS:
        return "connections"
    return "endings" if key in _ENDINGS else "button"


def page_of(path: str) -> str:
    """The Studio's page that edits an entry, as a path and query below ``/studio``."""
    match path.split("/"):
        case ["messages", name, *_]:
            return f"messages/{name}"
        case ["words", connector, locale, key]:
            return f"words?locale={locale}&connector={connector}&open={section_of(key)}"
        case ["look", _]:
            return "look"
        case ["connectors", *_]:
            return "connectors"
    return "changes"


def field_id(path: str) -> str:
    """The HTML id of an entry's form field."""
    return "f-" + path.replace("*", "any").replace("/", "-")


def languages_in_use(content: Content, more: Iterable[str] = ()) -> list[str]:
    """``more``, then the other languages that have a text, sorted."""
    return list(dict.fromkeys([*more, *sorted(languages_of(content))]))


def _preview(
    content: Content,
    registration: Registration,
    names: Names,
    name: str,
    wanted: Place,
    place: Place,
    text: str,
    why: str,
) -> MessagePreview:
    template = template_of(content, name, text)
    if template is None or messages.faults(template):
        return MessagePreview(*wanted, place, why, None, None, 0)
    key, locale = wanted
    sample = {**messages.SAMPLE, "connector": key, "connector_name": names[key]}
    if locale != ANY:
        sample["locale"] = locale
    message = messages.render(template, sample)
    callback_message = messages.callback_message_of(
        template.kind, message, attempt=sample["attempt"], nonce=messages.SAMPLE_NONCE
    )
    length = url_length(registration.service_url, longest_origin(registration.origins), callback_message)
    return MessagePreview(key, locale, place, why, message, callback_message, length)


def template_of(content: Content, name: str, text: str) -> MessageTemplate | None:
    """A text of a message as a template. None if the message's kind or format is invalid."""
    kind = content.get(f"messages/{name}/kind", MessageKind.SEALED.value)
    form = content.get(f"messages/{name}/format", MessageFormat.TEXT.value)
    try:
        return MessageTemplate(MessageKind(kind), text, MessageFormat(form))
    except ValueError:
        return None
