"""Checks a host app's session cookie settings: combinations that browsers reject, or that are insecure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def cookie_faults(config: Mapping[str, Any]) -> Iterator[str]:
    """The faults of Flask's ``SESSION_COOKIE_*`` settings, one line each, with the setting's name.

    Browsers silently drop a cookie whose prefix and attributes do not match (RFC 6265bis, section 4.1.3;
    CHIPS). No user could then sign in.
    """
    name, secure = str(config["SESSION_COOKIE_NAME"]), config["SESSION_COOKIE_SECURE"]
    path = config["SESSION_COOKIE_PATH"] or config["APPLICATION_ROOT"]
    prefixed = name.lower().startswith(("__host-", "__secure-"))
    if prefixed and not secure:
        yield f"SESSION_COOKIE_SECURE: must be True for a cookie named {name}"
    if name.lower().startswith("__host-") and (config["SESSION_COOKIE_DOMAIN"] or path != "/"):
        yield f"SESSION_COOKIE_DOMAIN, SESSION_COOKIE_PATH: {name} goes with no domain and with the path /"
    same_site = config["SESSION_COOKIE_SAMESITE"] or ""
    if same_site.lower() == "none" and not (secure and _partitioned(config)):
        yield (
            "SESSION_COOKIE_SAMESITE: 'None' goes with SESSION_COOKIE_SECURE and SESSION_COOKIE_PARTITIONED"
            " only; write 'Lax', unless the app is shown inside other sites"
        )
    if _partitioned(config) and not secure:
        yield "SESSION_COOKIE_PARTITIONED: goes with SESSION_COOKIE_SECURE only"
    if not config["SESSION_COOKIE_HTTPONLY"]:
        yield "SESSION_COOKIE_HTTPONLY: must be True, or any script on a page can take the session along"


def _partitioned(config: Mapping[str, Any]) -> bool:
    return bool(config["SESSION_COOKIE_PARTITIONED"])
