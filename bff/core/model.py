"""The nouns: who is signed in, what a product offers, and one attempt to connect."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final, TypedDict

from bff.core.ports import AccountRef
from bff.core.wording import Place, closest


class Status(StrEnum):
    """Where an attempt stands. The last five are final, and a final status never changes."""

    CREATED = "created"
    LAUNCHED = "launched"
    CONNECTED = "connected"
    DECLINED = "declined"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


LIVE: Final = frozenset({Status.CREATED, Status.LAUNCHED})
GIVEN_UP: Final = frozenset({Status.CANCELLED, Status.EXPIRED})
"""Ended here: the partner service may not know, and let the sign-in succeed."""


class Delivery(StrEnum):
    """How the partner service tells that it is done: by a window message, or by returning to the BFF."""

    MESSAGE = "message"
    RETURN = "return"


class Hint(StrEnum):
    """The signal that made a page look. It decides nothing: it only says that there may be news."""

    MESSAGE = "message"
    RETURNED = "returned"
    TROUBLE = "trouble"
    CLOSED = "closed"
    FOCUS = "focus"
    CANCEL = "cancel"


class MessageKind(StrEnum):
    """``sealed`` carries an unguessable nonce; ``plain`` is exactly the product team's text."""

    SEALED = "sealed"
    PLAIN = "plain"


class MessageFormat(StrEnum):
    """``text`` is any text; ``json`` is a JSON object, whose strings may hold variables."""

    TEXT = "text"
    JSON = "json"


@dataclass(frozen=True)
class User:
    """Who clicks: the host's own id, what to call them, and the language (a tag) that they read."""

    id: str
    name: str | None = None
    email: str | None = None
    locale: str | None = None


@dataclass(frozen=True)
class Principal:
    """Who is signed in. ``connectors`` narrows what this session may connect; None means all."""

    product: str
    account: AccountRef
    user: User
    connectors: frozenset[str] | None = None


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


@dataclass(frozen=True)
class OfferedConnector:
    """A connector that a product offers.

    ``reference`` is its id, key or name at the partner service; an empty ``name`` means: as it is called
    there.
    """

    key: str
    name: str
    reference: str
    logo: str | None = None


@dataclass(frozen=True)
class Product:
    """One host application. ``version`` counts what its team has published (messages, words, look).

    ``account_prefix`` stands before its accounts' ids at the partner service.
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

    def connector(self, key: str) -> OfferedConnector | None:
        """The offered connector of this key."""
        return next((offered for offered in self.connectors if offered.key == key), None)


@dataclass(frozen=True)
class Attempt:
    """One click on Connect, from its preparation to its end. Times are in UTC.

    ``return_error`` is the error with which the browser came back, ``confirmed_at`` when the user said there
    that the sign-in was finished. ``attributed``: the connection is known to be this user's own doing.
    ``seemed_over_at``: a page was woken by what comes at the end of a sign-in.
    """

    id: str
    support_code: str
    status: Status
    product: str
    account: AccountRef
    user: User
    connector: OfferedConnector
    message: str
    callback_message: str
    delivery: Delivery
    locale: str
    origin: str
    return_url: str | None
    launch_token_sha256: str
    created_at: datetime
    expires_at: datetime
    launched_at: datetime | None = None
    minted_at: datetime | None = None
    sign_in_token_sha256: str | None = None
    account_connector_id: int | None = None
    authenticated_before: bool | None = None
    return_secret_sha256: str | None = None
    browser_sha256: str | None = None
    returned_at: datetime | None = None
    return_error: str | None = None
    confirmed_at: datetime | None = None
    attributed: bool | None = None
    seemed_over_at: datetime | None = None
    hinted_at: datetime | None = None
    checked_at: datetime | None = None
    checks: int = 0
    settled_at: datetime | None = None
    error_code: str | None = None
    external_account: str | None = None
    late_success_at: datetime | None = None
    idempotency_sha256: str | None = None
    request_sha256: str | None = None


class AttemptChanges(TypedDict, total=False):
    """The fields of an attempt that a transition may set."""

    status: Status
    delivery: Delivery
    launch_token_sha256: str
    expires_at: datetime
    launched_at: datetime
    minted_at: datetime
    sign_in_token_sha256: str
    account_connector_id: int
    authenticated_before: bool
    return_secret_sha256: str
    browser_sha256: str
    returned_at: datetime
    return_error: str | None
    confirmed_at: datetime
    attributed: bool
    settled_at: datetime
    error_code: str
    external_account: str | None
    late_success_at: datetime
