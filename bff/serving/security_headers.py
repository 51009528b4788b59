"""Headers that keep browsers, caches and other pages from doing more with an answer than they should."""

from __future__ import annotations

from typing import Final

BARE: Final = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""Of every answer, also of those that a server gives without its program."""
EVERYWHERE: Final = BARE | {
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "X-Permitted-Cross-Domain-Policies": "none",
}
"""Of every answer of a program, where a route sets no others."""
NO_PAGE: Final = {"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'"}
"""Of answers that are no page."""


def over_tls(public_url: str) -> dict[str, str]:
    """The headers of every answer of a program whose public URL is https; none for another."""
    is_secure = public_url.startswith("https:")
    return {"Strict-Transport-Security": "max-age=31536000"} if is_secure else {}
