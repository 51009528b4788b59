"""Whom a host's own app names: their ids and names are looked at like those that come over HTTP."""

from __future__ import annotations

from dataclasses import replace
from typing import Final
from uuid import UUID

from bff.common.text import id_fault, text_fault
from bff.identity.principal import Principal

LONGEST: Final = 255
"""Characters of an id or a name: what the columns have room for."""


def with_text_ids(principal: Principal) -> Principal:
    """The same with ids as text, where the host's are whole numbers or UUIDs, as its database has them."""
    account, user = principal.account, principal.user
    return replace(
        principal,
        account=replace(account, id=_as_text(account.id)),
        user=replace(user, id=_as_text(user.id)),
    )


def principal_fault(principal: Principal) -> str | None:
    """Why this principal cannot be served, by the field that is wrong; None for a sound one."""
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
    # A host's code need not be typed: what is no id at all is left to be refused by name.
    return str(value) if isinstance(value, str | int | UUID) and not isinstance(value, bool) else ""


def _length_fault(text: str, least: int = 0) -> str | None:
    if least <= len(text) <= LONGEST:
        return None
    return f"it has {len(text)} characters; write {least} to {LONGEST}"
