"""Checks the principals that a host's ``identify`` returns, by the rules for ids and names over HTTP."""

from __future__ import annotations

from dataclasses import replace
from typing import Final
from uuid import UUID

from bff.common.text import id_fault, text_fault
from bff.identity.principal import Principal

LONGEST: Final = 255
"""Characters of an id or a name: the size of the database columns."""


def with_text_ids(principal: Principal) -> Principal:
    """Convert the ids to text. A host may pass the integers or UUIDs of its own database."""
    account, user = principal.account, principal.user
    return replace(
        principal,
        account=replace(account, id=_as_text(account.id)),
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
