"""The languages of a user, as a request names them."""

from __future__ import annotations

from flask import request

from bff.content.product import Product
from bff.content.wording import accepted, canonical, is_tag
from bff.content.words import Words
from bff.identity.principal import Principal


def browsers() -> list[str]:
    """The page's own language, which the widget tells as ``Content-Language``, then the browser's."""
    told = (request.headers.get(name, "") for name in ("Content-Language", "Accept-Language"))
    return [tag for header in told for tag in accepted(header)]


def wanted(principal: Principal, tag: str | None) -> list[str]:
    """The languages of a signed-in user, the preferred one first.

    What the host's tag says, then the user's own (the host's server told it with the session), then the
    page's and the browser's.
    """
    named = (tag, principal.user.locale)
    return [locale for locale in named if locale and is_tag(locale)] + browsers()


def locale_of(product: Product, principal: Principal, tag: str | None) -> str:
    """The language to speak: what the host named, as it stands, or the best that there are texts in."""
    named = next((locale for locale in (tag, principal.user.locale) if locale and is_tag(locale)), None)
    return canonical(named) if named else Words(product, browsers()).lang
