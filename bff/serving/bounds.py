"""Limits on the size of a request head, checked before it is parsed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

MOST_HEADERS: Final = 32 * 1024
"""Maximum characters of all headers together, as common proxies accept."""
MOST_TARGET: Final = 8 * 1024
"""Maximum characters of path and query."""
MOST_CALLBACK: Final = 24 * 1024
"""Maximum characters of path and query of OAuth callbacks. Some codes have 8 KB before percent-encoding."""
MOST_REQUEST_LINE: Final = MOST_CALLBACK + 256
"""Maximum bytes of a request line. The server itself refuses longer ones."""
MOST_FIELDS: Final = 100
"""Maximum fields of a query."""
MOST_TRACE: Final = 512
"""Maximum characters of each W3C Trace Context header (its section 3.3.1.5). Longer ones are dropped."""

_HEADER: Final = "HTTP_"
_TRACES: Final = ("HTTP_TRACEPARENT", "HTTP_TRACESTATE")


def head_fault(environ: dict[str, Any], longer: Mapping[str, int] = {}) -> tuple[int, str] | None:
    """The status and detail to refuse a request whose head is too long; None if it is acceptable.

    414: path or query (RFC 9110, section 15.5.15). 431: headers (RFC 6585, section 5). ``longer`` has the
    maximum characters of path and query for paths that may have more than ``MOST_TARGET``.
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
