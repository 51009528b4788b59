"""Who is signed in: a user of an account of the host application."""

from __future__ import annotations

from dataclasses import dataclass, field


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
class AccountRef:
    """An account of a product, by the id that the host chose (any string).

    ``product`` is the key of the product whose account it is: two of one id are not the same. A host's own
    code need not name it; whoever is signed in belongs to a product anyway.
    """

    id: str
    name: str
    product: str = field(default="", compare=False)
