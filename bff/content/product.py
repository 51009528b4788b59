"""Products: host applications with their connectors, callback messages, words and look."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Final

from bff.content.wording import ANY, Place, closest
from bff.identity.sessions import AssertionRule


class MessageKind(StrEnum):
    """``sealed`` wraps the team's text with a secret nonce. ``plain`` is exactly the team's text."""

    SEALED = "sealed"
    PLAIN = "plain"


class MessageFormat(StrEnum):
    """``text`` is any text. ``json`` is a JSON object, whose names and strings may contain variables."""

    TEXT = "text"
    JSON = "json"


@dataclass(frozen=True)
class MessageTemplate:
    """One text of a callback message, with its variables not filled."""

    kind: MessageKind
    text: str
    format: MessageFormat = MessageFormat.TEXT


@dataclass(frozen=True)
class Message:
    """A callback message: a general text, and variants for connectors or languages."""

    kind: MessageKind
    texts: Mapping[Place, str]
    format: MessageFormat = MessageFormat.TEXT

    def languages(self, connector: str) -> Set[str]:
        """The languages that have a text of their own for this connector."""
        return {locale for one, locale in self.texts if one in (connector, ANY) and locale != ANY}

    def template(self, connector: str, locale: str) -> MessageTemplate | None:
        """The most specific text for a connector and language. None if there is no text."""
        match = closest(self.texts, connector, locale)
        return MessageTemplate(self.kind, match[1], self.format) if match else None


class DisconnectPolicy(StrEnum):
    """Who may end a connection, besides the host's server.

    ``account``: every user of its account; ``owner``: the user who connected it; ``server``: nobody else.
    """

    ACCOUNT = "account"
    OWNER = "owner"
    SERVER = "server"


@dataclass(frozen=True)
class OfferedConnector:
    """A connector that a product offers.

    ``reference`` is its id, key or name at the partner service. If ``name`` is empty, the partner service's
    name is shown. ``multiple`` allows several connected accounts.
    """

    key: str
    name: str
    reference: str
    logo: str | None = None
    multiple: bool = False


@dataclass(frozen=True)
class Product:
    """A host application. ``version`` is the number of its published content (messages, words, look).

    ``disconnect`` says who may end a connection.
    """

    key: str
    name: str
    origins: tuple[str, ...]
    connectors: tuple[OfferedConnector, ...]
    messages: Mapping[str, Message]
    words: Mapping[str, Mapping[Place, str]] = field(default_factory=dict)
    look: Mapping[str, str] = field(default_factory=dict)
    version: int = 0
    disconnect: DisconnectPolicy = DisconnectPolicy.ACCOUNT

    def connector(self, key: str) -> OfferedConnector | None:
        """The offered connector with this key. None if there is none."""
        return next((offered for offered in self.connectors if offered.key == key), None)

    @cached_property
    def languages(self) -> Counter[str]:
        """The number of own words in each language. Those for any language are left out."""
        return Counter(locale for texts in self.words.values() for _, locale in texts if locale != ANY)


@dataclass(frozen=True)
class Registration:
    """The part of a product that only operators change, by the product file.

    The team may override the names and the order of ``connectors``. ``service_url`` is the partner service's,
    for the length of minted URLs. ``assertion`` is the rule for the host's assertions, if it uses any.
    Products with the same ``account_namespace`` share their accounts. ``account_prefix`` is prepended to
    account ids at the partner service. ``disconnect`` says who may end a connection.
    """

    key: str
    name: str
    origins: tuple[str, ...]
    connectors: tuple[OfferedConnector, ...]
    service_url: str = "https://your-company-h.cyclr.com"
    assertion: AssertionRule | None = None
    account_namespace: str | None = None
    account_prefix: str = ""
    disconnect: DisconnectPolicy = DisconnectPolicy.ACCOUNT


DRAFT: Final = "~draft"
"""Suffix of a product key that stands for the product's draft. No registered key contains a ``~``."""


def is_draft(key: str) -> bool:
    """Whether the key stands for a draft, which only the Studio shows."""
    return key.endswith(DRAFT)
