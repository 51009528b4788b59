"""The languages of a user, as a request names them."""

from __future__ import annotations

from flask import request

from bff.content.messages import DEFAULT_MESSAGE
from bff.content.product import Product
from bff.content.wording import accepted, canonical, choose, is_tag
from bff.content.words import LOCALES
from bff.identity.principal import Principal


def browser_languages() -> list[str]:
    """The page's language, which the widget sends as ``Content-Language``, then those of the browser."""
    headers = (request.headers.get(name, "") for name in ("Content-Language", "Accept-Language"))
    return [tag for header in headers for tag in accepted(header)]


def user_languages(principal: Principal, tag: str | None) -> list[str]:
    """The languages of a signed-in user, the preferred one first.

    In this order: ``tag`` from the host's page, the user's locale in the session, the page's language, the
    browser's languages.
    """
    named = (tag, principal.user.locale)
    return [locale for locale in named if locale and is_tag(locale)] + browser_languages()


def attempt_locale(
    product: Product, principal: Principal, tag: str | None, connector: str, message: str | None
) -> str:
    """The language of a new attempt: the host's or the session's tag, else the user's best one with a text.

    That is a word or a variant of the callback message, which may be in a language that has no words.
    """
    if named := next((locale for locale in (tag, principal.user.locale) if locale and is_tag(locale)), None):
        return canonical(named)
    sent = product.messages.get(message or DEFAULT_MESSAGE)
    return choose(
        browser_languages(), {*LOCALES, *product.languages, *(sent.languages(connector) if sent else ())}
    )
