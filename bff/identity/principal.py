"""The principal: the user, account and product of a request."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class User:
    """A user of the host application. ``id`` is the host's; ``locale`` is a BCP 47 language tag."""

    id: str
    name: str | None = None
    email: str | None = None
    locale: str | None = None


@dataclass(frozen=True)
class Principal:
    """Who is signed in. ``connectors`` restricts the session to these connector keys; None means all."""

    product: str
    account: AccountRef
    user: User
    connectors: frozenset[str] | None = None


@dataclass(frozen=True)
class AccountRef:
    """An account of a product. ``id`` is any string that the host chose; without a name it is called by that.

    ``product`` is the product's key: accounts of two products may have the same id. Host code may leave it
    out, as its ``Principal`` names the product.
    """

    id: str
    name: str = ""
    product: str = field(default="", compare=False)
