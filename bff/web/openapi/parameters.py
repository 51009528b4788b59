"""Parameters that several routes share."""

from __future__ import annotations

from typing import Final

from bff.connect.attempt import READ_HINTS
from bff.openapi.operation import Parameter
from bff.web.kit.accounts import ID
from bff.web.kit.guards import CUSTOM_HEADER
from bff.web.kit.queries import LONGEST, MOST_LIMIT, USUAL_LIMIT

# Set by the browser; a page cannot change it.
ORIGIN: Final = Parameter("Origin", "One of the product's registered origins.", "header", required=True)
OWN_ORIGIN: Final = Parameter("Origin", "The BFF's own.", "header", required=True)
IDEMPOTENCY: Final = Parameter(
    "Idempotency-Key", "Sent again with the same key, the call begins nothing new.", "header"
)
IDEMPOTENCY_OF_END: Final = Parameter(
    "Idempotency-Key",
    "Sent again with the same key, the call is answered as before, for an hour.",
    "header",
)
CONNECTION: Final = Parameter("connection_id", "The connection's `id`.", "path")
ATTEMPT: Final = Parameter("attempt_id", "The attempt's `id`.", "path")
ACCOUNT: Final = Parameter("account", "The account's id.", required=True, schema=ID.json_schema())
ACCOUNT_OF_SERVER: Final = Parameter(
    "account",
    "The account's id: a host's server has to name it; a page gets its own.",
    schema=ID.json_schema(),
)
LOCALE: Final = Parameter("locale", "The preferred language, as a tag (RFC 5646).")
HINT: Final = Parameter(
    "hint",
    f"The signal that made the page ask ({', '.join(READ_HINTS)}). It proves nothing; others are ignored.",
)
HINT_AS_HEADER: Final = Parameter(
    CUSTOM_HEADER, "The same in place of `1`, and it comes first: one address needs one preflight.", "header"
)
NON_EMPTY_TEXT: Final = {"type": "string", "minLength": 1, "maxLength": LONGEST}
PAGE: Final = (
    Parameter(
        "since",
        "Of this time (RFC 3339, with its zone) or later.",
        schema={"type": "string", "format": "date-time"},
    ),
    Parameter(
        "limit",
        f"How many at most; {USUAL_LIMIT} by default.",
        schema={"type": "integer", "minimum": 1, "maximum": MOST_LIMIT},
    ),
    Parameter("cursor", "The `next_cursor` of the page before; the other parameters stay the same."),
)


def one_of(name: str, about: str, values: list[str]) -> Parameter:
    """A query parameter with one of ``values``."""
    return Parameter(name, about, schema={"type": "string", "enum": values})
