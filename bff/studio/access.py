"""Who may do what in the Studio: invites, sessions, roles."""

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
    """An editor changes the draft; a publisher also makes it what users meet, and goes back."""

    EDITOR = "editor"
    PUBLISHER = "publisher"


@dataclass(frozen=True)
class Invite:
    """A link that signs one person in, once. Times are in UTC."""

    product: str
    email: str
    role: Role
    expires_at: datetime
    used_at: datetime | None = None


@dataclass(frozen=True)
class StudioSession:
    """One person, signed in to the Studio of one product. ``csrf`` goes with every form of theirs."""

    product: str
    email: str
    role: Role
    csrf: str

    @property
    def may_publish(self) -> bool:
        """Whether this person may change what users meet."""
        return self.role is Role.PUBLISHER


class StudioStore(Protocol):
    """Where invites and sessions live: tokens and session ids as SHA-256 only."""

    def find_invite(self, token: Secret) -> Invite | None:
        """The invite of this link, used or not, in time or past it."""

    def sign_in(self, token: Secret) -> tuple[Secret, StudioSession] | None:
        """Use the link, once, for a new session and its id; None when it is no longer good."""

    def session(self, session_id: Secret, *, active: bool = True) -> StudioSession | None:
        """The session of this id, unless it has ended. ``active``: its person is there, so it stays awake."""

    def sign_out(self, session_id: Secret) -> None:
        """End the session."""


def email_fault(text: str) -> str | None:
    """What is wrong with an address, or None. Only its form is looked at."""
    if _EMAIL.fullmatch(text) and text.isprintable():
        return None
    return f"{text!r} is no email address such as ada@acme.example"
