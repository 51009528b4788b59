"""The JSON of an attempt for its page."""

from __future__ import annotations

from typing import Any

from bff.connect import outcome
from bff.connect.attempt import Attempt, Hint
from bff.connections.connection import EXISTING
from bff.content.product import Product
from bff.identity.principal import Principal
from bff.web.kit.connection_view import may_end
from bff.web.kit.locales import user_languages
from bff.web.kit.services import services


def page_json(
    product: Product, principal: Principal, attempt: Attempt, hint: Hint | None = None
) -> dict[str, Any]:
    """The JSON of an attempt for its page, which says whether the page may offer to accept the account.

    Its error is in the language of the page's words (``GET /v1/config``).
    """
    languages = user_languages(principal, attempt.locale)
    reply = services().clicks.attempt_views.for_page(attempt, product, hint, languages)
    may = _may_accept(product, principal, attempt)
    return reply if may is None else reply | {"may_accept": may}


def _may_accept(product: Product, principal: Principal, attempt: Attempt) -> bool | None:
    """Whether this user may accept the account that signed in; None if there is nothing to accept."""
    if attempt.error_code != outcome.MISMATCH or attempt.account_connector_id is None:
        return None
    row = services().connections.service.stored(principal.account, attempt.account_connector_id)
    return row is None or row.state not in EXISTING or may_end(product, principal, row.owned_by)
