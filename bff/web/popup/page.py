"""Renders the pages of the popup: texts, look, headers, and inline script and styles."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final

from flask import Response

from bff.common import legible
from bff.connect.attempt import Attempt
from bff.content import look
from bff.content.product import Product
from bff.content.words import Words
from bff.web.kit.locales import browser_languages
from bff.web.kit.rendering import html, render
from bff.web.kit.services import services
from bff.web.popup.inside import Inside

# No form-action: browsers apply it to the redirects after a form, and the launch redirects to third parties.
# No Cross-Origin-Opener-Policy: it would separate the popup from its opener.
HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'none'; style-src 'self'; img-src 'self' data:; connect-src 'self';"
        " base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # With no-referrer, the page's POST would send "Origin: null", and the launch would be refused.
    "Referrer-Policy": "same-origin",
}


def is_page(path: str | None) -> bool:
    """Whether ``path``, below the mount, is one of a page for people."""
    return path is not None and path.startswith("/connect/")


def page_of(
    template: str,
    product: Product | None,
    words: Words,
    *,
    attempt: Attempt | None = None,
    connector_name: str = "",
    **values: Any,
) -> Response:
    """Render a template of ``templates/hitchpost`` as a response with ``HEADERS`` and ``no-store``."""
    about = values_of(product, words, attempt.connector.name if attempt else connector_name)
    about |= {"attempt": attempt, "origin": attempt.origin if attempt else ""}
    inside = Inside(template, about["look_style"])
    about |= {"script": inside.script, "styles": inside.styles}
    response = html(render("hitchpost/" + template, **(about | values)))
    response.headers.update(HEADERS)
    response.headers["Content-Security-Policy"] = inside.policy(HEADERS["Content-Security-Policy"])
    response.headers["Cache-Control"] = "no-store"
    return response


def values_of(product: Product | None, words: Words, connector_name: str) -> dict[str, Any]:
    """The template variables of every page: texts and language, the product and its look."""
    base, named = services().urls.public_url, product.name if product else ""
    light, dark = look.logo_of(product.look) if product else (None, None)
    styled = product if product and look.page_style(product.look) else None

    shown = {"connector_name": connector_name, "product_name": named}
    visible = {name: legible.visible_name(value) or "" for name, value in shown.items()}

    return {
        "product": product,
        "text": partial(words.text, **visible),
        "error": partial(words.error, **visible),
        "visible_name_and_id": legible.visible_name_and_id,
        "visible_id": legible.visible_id,
        "lang": words.lang,
        "dir": words.dir,
        "base": base,
        "look_style": look.page_style(styled.look) if styled else None,
        "style_url": f"{base}/connect/look/{styled.key}/{styled.version}.css" if styled else None,
        "logo_url": f"{base}/connect/logo/{light}" if light else None,
        "logo_dark_url": f"{base}/connect/logo/{dark}" if dark else None,
    }


def words_of(attempt: Attempt, product: Product | None) -> Words:
    """The product's texts for an attempt, in its user's language, else in one of their browser's."""
    return Words(product, [attempt.locale, *browser_languages()], attempt.connector.key)


def texts(attempt: Attempt, words: Words) -> Callable[[str], str]:
    """A function that returns a text of an attempt's page by its key."""
    product = services().products.get(attempt.product)
    text: Callable[[str], str] = values_of(product, words, attempt.connector.name)["text"]
    return text
