"""Names of actors in logs, audit events and rate limits.

A host chooses its user ids freely: one may be ``server``, ``operator`` or ``user:ada``. Users and editors
therefore get a prefix, so that no id can be mistaken for another kind of actor.
"""

from __future__ import annotations

from typing import Final

SERVER: Final = "server"
"""The host's server, authenticated by its secret key."""
OPERATOR: Final = "operator"
"""A person who runs the ``hitchpost`` command."""

UNKNOWN: Final = "unknown"
"""Somebody who was not authenticated."""


def user(user_id: str) -> str:
    """A user of the host application."""
    return f"user:{user_id}"


def editor(email: str) -> str:
    """A person who is signed in to the Studio."""
    return f"studio:{email}"
