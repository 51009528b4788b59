"""What a request's head may be, before anything of it is read: whatever is read costs by its length."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

MOST_HEADERS: Final = 32 * 1024
"""Characters of all headers together: as much as the usual proxies take."""
MOST_TARGET: Final = 8 * 1024
"""Characters of path and query."""
MOST_CALLBACK: Final = 24 * 1024
"""The same where third parties send users back to: some have codes of 8 KB, before they are encoded."""
MOST_REQUEST_LINE: Final = MOST_CALLBACK + 256
"""Bytes of a request line that the server reads: what is longer, it refuses by itself."""
MOST_FIELDS: Final = 100
"""Fields of a query."""
MOST_TRACE: Final = 512
"""Characters of each of Trace Context's headers (its section 3.3.1.5); longer ones are dropped."""

_HEADER: Final = "HTTP_"
_TRACES: Final = ("HTTP_TRACEPARENT", "HTTP_TRACESTATE")


def head_fault(environ: dict[str, Any], longer: Mapping[str, int] = {}) -> tuple[int, str] | None:
    """Status and words to refuse a request with whose head is too long (RFC 9110, RFC 6585); or None.

    ``longer`` has the characters of path and query for paths that may have more than the others.
    """
    query, path = str(environ.get("QUERY_STRING", "")), str(environ.get("PATH_INFO", ""))
    most = longer.get(path, MOST_TARGET)
    if len(query) + len(path) > most:
        return 414, f"the address is too long; path and query have at most {most} characters"
    if query.count("&") >= MOST_FIELDS:
        return 414, f"the query has too many fields; send at most {MOST_FIELDS}"
    headers = sum(len(str(value)) for name, value in environ.items() if name.startswith(_HEADER))
    if headers + len(str(environ.get("CONTENT_TYPE", ""))) > MOST_HEADERS:
        return 431, f"the headers are too long; all together have at most {MOST_HEADERS} characters"
    for name in _TRACES:
        if len(str(environ.get(name, ""))) > MOST_TRACE:
            del environ[name]
    return None
