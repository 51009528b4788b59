"""Checks the principals that a host's ``identify`` returns, by the rules for ids and names over HTTP."""

from __future__ import annotations

from collections.abc import Iterator, Set
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

from bff.common.text import id_fault, text_fault
from bff.identity.principal import AccountRef, Principal, User

LONGEST: Final = 255
"""Characters of an id or a name: the size of the database columns."""


RETURN: Final = "return a Principal, or None if nobody is signed in"


def shape_fault(given: object) -> str | None:
    """Say why what ``identify`` returned is no ``Principal`` of the right parts. None if it is one.

    The host's code may be untyped.
    """
    if not isinstance(given, Principal):
        return f"identify returned {_kind(given)}; {RETURN}"
    return next(_wrong_parts(given), None)


def _wrong_parts(given: Any) -> Iterator[str]:
    for field, kind in (("account", AccountRef), ("user", User)):
        if not isinstance(part := getattr(given, field), kind):
            yield f"{field}: write {kind.__name__}(id, name), not {_kind(part)}"
            return
    account, user = given.account, given.user
    texts: dict[str, Any] = {"account.name": account.name, "user.name": user.name}
    for field, text in (texts | {"user.email": user.email, "user.locale": user.locale}).items():
        if text is not None and not isinstance(text, str):
            yield f"{field}: write a text, not {_kind(text)}"
    if not isinstance(given.product, str):
        yield f"product: write a text, not {_kind(given.product)}"
    if given.connectors is not None and not isinstance(given.connectors, Set | list | tuple):
        yield f"connectors: write a set of connector keys, or None for all, not {_kind(given.connectors)}"


def _kind(value: object) -> str:
    return "None" if value is None else type(value).__name__


def with_text_ids(principal: Principal) -> Principal:
    """Convert the ids to text. A host may pass the integers or UUIDs of its own database.

    An account without a name is called by its id.
    """
    account, user = principal.account, principal.user
    name: str | None = account.name
    return replace(
        principal,
        account=replace(account, id=_as_text(account.id), name=name or _as_text(account.id)),
        user=replace(user, id=_as_text(user.id)),
    )


def principal_fault(principal: Principal) -> str | None:
    """Say which field of a principal is invalid, and why. None for a valid one."""
    account, user = principal.account, principal.user
    for field, value in (("account.id", account.id), ("user.id", user.id)):
        if fault := id_fault(value) or _length_fault(value, least=1):
            return f"{field}: {fault}"
    names = {"account.name": account.name, "user.name": user.name, "user.email": user.email}
    for field, name in names.items():
        if name is not None and (fault := text_fault(name) or _length_fault(name)):
            return f"{field}: {fault}"
    return None


def _as_text(value: object) -> str:
    # The host's code may be untyped: any other value becomes "", which ``principal_fault`` refuses.
    return str(value) if isinstance(value, str | int | UUID) and not isinstance(value, bool) else ""


def _length_fault(text: str, least: int = 0) -> str | None:
    if least <= len(text) <= LONGEST:
        return None
    return f"it has {len(text)} characters; write {least} to {LONGEST}"
