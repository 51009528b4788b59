"""Error messages of commands for unusable databases, in place of a traceback."""

from __future__ import annotations

from bff.serving.faulty import Faulty
from bff.serving.terminal import one_line


class UnusableDatabase(Faulty):
    """A database that a retry does not make usable."""


def message_for(error: Exception, setting: str) -> str | None:
    """The message for a database error; None for another error. ``setting``: the variable with the URL.

    The driver's messages contain no password. Statements and their values are left out, as they may contain
    personal data.
    """
    from sqlalchemy.exc import DBAPIError, SQLAlchemyError  # noqa: PLC0415  # `serve` does not load it

    if not isinstance(error, SQLAlchemyError):
        return None
    cause = error.orig if isinstance(error, DBAPIError) else None
    reason = str(cause).strip().partition("\n")[0] if cause is not None else ""
    return (
        f"the database cannot be used: {one_line(reason or type(error).__name__)}; look at {setting}, at the"
        " rights to its file, at its disk, and whether its schema is up to date"
    )
