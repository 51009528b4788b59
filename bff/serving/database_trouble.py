"""What a command says of a database that cannot be used, in place of a traceback."""

from __future__ import annotations

from bff.serving.terminal import one_line


class UnusableDatabase(Exception):
    """A database that waiting does not make the right one. ``faults`` has a line for each reason."""

    def __init__(self, fault: str) -> None:
        super().__init__(fault)
        self.faults = [fault]


def told(error: Exception, setting: str) -> str | None:
    """One sentence, which names ``setting``, the variable with the database's URL; None for another error.

    What the driver says holds no password; what it was asked is left out, for it may hold what is private.
    """
    from sqlalchemy.exc import DBAPIError, SQLAlchemyError  # noqa: PLC0415  # `serve` does without

    if not isinstance(error, SQLAlchemyError):
        return None
    cause = error.orig if isinstance(error, DBAPIError) else None
    said = str(cause).strip().partition("\n")[0] if cause is not None else ""
    return (
        f"the database cannot be used: {one_line(said or type(error).__name__)}; look at {setting}, at the"
        " rights to its file, at its disk, and whether its schema is up to date"
    )
