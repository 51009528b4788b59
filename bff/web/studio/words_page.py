"""The words page: all texts for one language and connector, or the results of a search."""

from __future__ import annotations

from urllib.parse import urlencode

from flask import Blueprint, Response, make_response, redirect, request

from bff.content.drafts import Clash
from bff.content.language_names import language, tag_fault
from bff.content.wording import ANY, Place, canonical
from bff.content.words import LOCALES
from bff.web.studio.edits import edits_of_form, save
from bff.web.studio.fields import Fields
from bff.web.studio.page_context import Desk, address, desk, page
from bff.web.studio.word_fields import found_words, words_of

routes = Blueprint("words", __name__)


@routes.get("/words")
def index() -> Response:
    """Show the texts of one language and connector, or the results of a search."""
    return _words(desk())


@routes.post("/words")
def keep() -> Response:
    """Save the fields. Clashes with another editor are shown with both texts."""
    at = desk()
    _, clashes = save(at, edits_of_form())
    if clashes:
        return _words(desk(), clashes)
    return make_response(redirect(address(f"words?{_query(at)}&saved=1"), 303))


def _words(at: Desk, clashes: list[Clash] | None = None) -> Response:
    connector, locale = place = _place(at)
    fields = Fields(at, clashes or ())
    search_text, only_own = _search()
    searched = bool(search_text) or only_own
    shown = (
        found_words(at, fields, search_text, only_own=only_own) if searched else words_of(at, fields, place)
    )
    return page(
        "words",
        at,
        "words",
        status=409 if clashes else 200,
        sections=shown.sections,
        left_out=shown.left_out,
        searched=searched,
        wanted=search_text,
        only_own=only_own,
        query=_query(at),
        locale=locale,
        connector=connector,
        languages=[(tag, language(tag)) for tag in dict.fromkeys([*at.languages, *({locale} - {ANY})])],
        unknown=_unknown(),
    )


def _search() -> tuple[str, bool]:
    return request.args.get("q", "").strip()[:200], "ours" in request.args


def _query(at: Desk) -> str:
    connector, locale = _place(at)
    search_text, only_own = _search()
    searched = ({"q": search_text} if search_text else {}) | ({"ours": "1"} if only_own else {})
    return urlencode({"locale": locale, "connector": connector, **searched})


def _place(at: Desk) -> Place:
    locale, connector = request.args.get("locale", LOCALES[0]).strip(), request.args.get("connector", ANY)
    is_valid = locale == ANY or tag_fault(locale) is None
    chosen = locale if locale == ANY else canonical(locale) if is_valid else LOCALES[0]
    return connector if connector in at.names else ANY, chosen


def _unknown() -> str | None:
    locale = request.args.get("locale", "").strip()
    return tag_fault(locale) if locale and locale != ANY else None
