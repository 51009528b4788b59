"""The JSON of an attempt for its page."""

from __future__ import annotations

from typing import Any

from bff.connect.attempt import Attempt, Hint
from bff.content.product import Product
from bff.identity.principal import Principal
from bff.web.kit.locales import user_languages
from bff.web.kit.services import services
from bff.web.widget_api.policy import seems_to_allow_accept


def page_json(
    product: Product, principal: Principal, attempt: Attempt, hint: Hint | None = None
) -> dict[str, Any]:
    """The JSON of an attempt for its page: with whether it may offer to accept another third-party account.

    The error is in the language of the page's words (``GET /v1/config``).
    """
    languages = user_languages(principal, attempt.locale)
    reply = services().attempts.views.for_page(attempt, product, hint, languages)
    may = seems_to_allow_accept(product, principal, attempt)
    return reply if may is None else reply | {"may_accept": may}
