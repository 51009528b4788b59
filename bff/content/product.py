"""What one host application offers its users: connectors, callback messages, words and look."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from bff.content.wording import Place, closest
from bff.identity.sessions import AssertionRule


class MessageKind(StrEnum):
    """``sealed`` carries an unguessable nonce; ``plain`` is exactly the product team's text."""

    SEALED = "sealed"
    PLAIN = "plain"


class MessageFormat(StrEnum):
    """``text`` is any text; ``json`` is a JSON object, whose strings may hold variables."""

    TEXT = "text"
    JSON = "json"


@dataclass(frozen=True)
class MessageTemplate:
    """A callback message as the product team wrote it, for one connector and language."""

    kind: MessageKind
    text: str
    format: MessageFormat = MessageFormat.TEXT


@dataclass(frozen=True)
class Message:
    """A named callback message: one text for all, and others for some connectors or languages."""

    kind: MessageKind
    texts: Mapping[Place, str]
    format: MessageFormat = MessageFormat.TEXT

    def template(self, connector: str, locale: str) -> MessageTemplate | None:
        """What a user of this connector gets who reads this language; None where nothing was written."""
        found = closest(self.texts, connector, locale)
        return MessageTemplate(self.kind, found[1], self.format) if found else None


class DisconnectPolicy(StrEnum):
    """Who may end a connection, beside the host's server: each user of its account, who made it, nobody."""

    ACCOUNT = "account"
    OWNER = "owner"
    SERVER = "server"


@dataclass(frozen=True)
class OfferedConnector:
    """A connector that a product offers.

    ``reference`` is its id, key or name at the partner service; an empty ``name`` means: as it is called
    there. ``multiple``: users may connect several accounts of it.
    """

    key: str
    name: str
    reference: str
    logo: str | None = None
    multiple: bool = False


@dataclass(frozen=True)
class Product:
    """One host application. ``version`` counts what its team has published (messages, words, look).

    ``account_prefix`` stands before its accounts' ids at the partner service. ``disconnect``: whose page may
    end a connection.
    """

    key: str
    name: str
    origins: tuple[str, ...]
    connectors: tuple[OfferedConnector, ...]
    messages: Mapping[str, Message]
    words: Mapping[str, Mapping[Place, str]] = field(default_factory=dict)
    look: Mapping[str, str] = field(default_factory=dict)
    version: int = 0
    account_prefix: str = ""
    disconnect: DisconnectPolicy = DisconnectPolicy.ACCOUNT

    def connector(self, key: str) -> OfferedConnector | None:
        """The offered connector of this key."""
        return next((offered for offered in self.connectors if offered.key == key), None)


@dataclass(frozen=True)
class Registration:
    """What operators say of a product: it is not the team's to change.

    ``service_url`` is where minted URLs lead (for their length); ``connectors`` have the names and the order
    that hold where the team says nothing; ``assertion`` is how the host asserts who is signed in, if it does.
    Products of one ``account_namespace`` share their accounts (none: nobody shares this one's), whose ids at
    the partner service begin with ``account_prefix``. ``disconnect``: whose page may end a connection.
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
"""After a product's key: the product as its draft has it. No registered key can hold a ``~``."""


def is_draft(key: str) -> bool:
    """Whether the product of this key is a draft, which the Studio alone shows."""
    return key.endswith(DRAFT)
