"""Web origins (RFC 6454): checks those that operators wrote, and takes them from URLs."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

_HOST: Final = r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*|\[[0-9a-f:]+\])"
_ORIGIN: Final = re.compile(rf"(https?)://({_HOST})(?::([1-9][0-9]{{0,4}}))?")
LONGEST: Final = 255
PLAIN: Final = "use https; plain http is for loopback hosts only"
_DEFAULT_PORT: Final = {"http": "80", "https": "443"}
_LOOPBACK: Final = re.compile(r"localhost|127\.0\.0\.1|\[::1\]|(?:[a-z0-9-]+\.)+localhost")


def origin_fault(text: str) -> str | None:
    """Say why ``text`` is not an origin as browsers serialize it (RFC 6454 section 6.1). None when it is one.

    Plain http is allowed for loopback hosts only.
    """
    if len(text) > LONGEST:
        return f"it has more than {LONGEST} characters; no host is so long"
    match = _ORIGIN.fullmatch(text)
    if match is None:
        return "write scheme://host or scheme://host:port in lower case, with no path, * or user"
    scheme, host, port = match.groups()
    if port == _DEFAULT_PORT[scheme]:
        return f"leave out :{port}; a browser does, and origins are compared letter by letter"
    if port and int(port) > 65535:
        return f"port {port} does not exist"
    if scheme == "http" and not _LOOPBACK.fullmatch(host):
        return PLAIN
    return None


def origin_of(url: str) -> str | None:
    """The origin of an absolute http(s) URL. None for any other text, or a URL with a user or password.

    A URL with white space, control characters or a backslash gives None too: parsers disagree about those.
    """
    if not url.isprintable() or " " in url:
        return None
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in _DEFAULT_PORT or not parts.hostname or "@" in parts.netloc or "\\" in url:
        return None
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    suffix = f":{port}" if port is not None and str(port) != _DEFAULT_PORT[parts.scheme] else ""
    return f"{parts.scheme}://{host}{suffix}"
