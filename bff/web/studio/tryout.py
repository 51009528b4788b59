"""The Try it page: a real run with the draft, on a page that receives messages as a host's page does."""

from __future__ import annotations

from flask import Blueprint, Response, request

from bff.content import messages
from bff.content.entries import names_of_messages
from bff.content.language_names import language
from bff.content.product import DRAFT, MessageKind
from bff.content.wording import is_tag
from bff.content.words import LOCALES
from bff.web.kit.services import services
from bff.web.studio.live import account_of
from bff.web.studio.page_context import Desk, desk, page

routes = Blueprint("tryout", __name__)


@routes.get("/try")
def tryout() -> Response:
    """Show the page for the chosen connector, message and language."""
    at = desk()
    names = list(dict.fromkeys([messages.DEFAULT_MESSAGE, *names_of_messages(at.draft.content)]))
    connector = _chosen("connector", list(at.names))
    message, locale = _chosen("message", names), request.args.get("locale", LOCALES[0])
    locale = locale if is_tag(locale) else LOCALES[0]
    return page(
        "try",
        at,
        "try",
        product=at.session.product + DRAFT,
        partner=services().urls.partner_origin,
        account=account_of(at.session.product),
        messages=names,
        languages=[(tag, language(tag)) for tag in at.languages],
        chosen={"connector": connector, "message": message, "locale": locale},
        plain=at.draft.content.get(f"messages/{message}/kind") == MessageKind.PLAIN,
        predicted=_predicted(at, message, connector, locale),
        lost=any(path.startswith(f"messages/{message}/") for path in at.faults),
    )


def _chosen(name: str, allowed: list[str]) -> str:
    requested = request.args.get(name, "")
    return requested if requested in allowed else allowed[0]


def _predicted(at: Desk, message: str, connector: str, locale: str) -> str | None:
    """The message that the page will receive. The attempt's id is not known yet, and stays a placeholder."""
    chosen = at.product.messages.get(message)
    template = chosen.template(connector, locale) if chosen else None
    if template is None:
        return None
    values = {
        "attempt": "{attempt}",
        "connector": connector,
        "connector_name": at.names[connector],
        "account": account_of(at.session.product).id,
        "user": at.session.email,
        "locale": locale,
    }
    return messages.render(template, values)
