"""Who did something, as logs, events and limits name them.

A host chooses the ids of its users: one may be ``server``, ``operator`` or ``user:ada``. So nobody is named
by a bare text, and each kind has a form that no id can take.
"""

from __future__ import annotations

from typing import Final

SERVER: Final = "server"
"""The host's own server, by its secret key."""
OPERATOR: Final = "operator"
"""Whoever runs a command of ``hitchpost``."""


def user(user_id: str) -> str:
    """A user of the host, by the host's id."""
    return f"user:{user_id}"


def editor(email: str) -> str:
    """Somebody who is signed in to the Studio."""
    return f"studio:{email}"
