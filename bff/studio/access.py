"""Access to the Studio: invites, sessions and roles."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from bff.common.secret import Secret

INVITE_LIFE: Final = timedelta(hours=24)
IDLE_LIFE: Final = timedelta(hours=8)
LONGEST_LIFE: Final = timedelta(days=7)
_EMAIL: Final = re.compile(r"[^\s@<>\"?&#%,;:\\]{1,64}@[^\s@<>\"?&#%,;:\\]{1,190}")


class Role(StrEnum):
    """An editor changes the draft. A publisher also publishes it, and restores earlier versions."""

    EDITOR = "editor"
    PUBLISHER = "publisher"


@dataclass(frozen=True)
class Invite:
    """A link that signs one person in, once. Times are UTC."""

    product: str
    email: str
    role: Role
    expires_at: datetime
    used_at: datetime | None = None


@dataclass(frozen=True)
class StudioSession:
    """A person who is signed in to the Studio of one product. ``csrf`` is the token of all their forms."""

    product: str
    email: str
    role: Role
    csrf: str

    @property
    def may_publish(self) -> bool:
        """Whether this person may publish and restore."""
        return self.role is Role.PUBLISHER


class StudioStore(Protocol):
    """Store of invites and sessions. It holds tokens and session ids as SHA-256 only."""

    def find_invite(self, token: Secret) -> Invite | None:
        """The invite with this token, also if it was used or has expired."""

    def sign_in(self, token: Secret) -> tuple[Secret, StudioSession] | None:
        """Use an invite. Returns the new session's id and the session; None if it was used or has expired."""

    def session(self, session_id: Secret, *, active: bool = True) -> StudioSession | None:
        """The session with this id, unless it has expired. ``active`` restarts its idle time."""

    def sign_out(self, session_id: Secret) -> None:
        """End the session."""


def email_fault(text: str) -> str | None:
    """Say why ``text`` does not look like an email address. None if it does."""
    if _EMAIL.fullmatch(text) and text.isprintable():
        return None
    return f"{text!r} is no email address such as ada@acme.example"
