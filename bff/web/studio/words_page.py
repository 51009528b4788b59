"""The words: every text that users read, in one language at a time, for every connector or for one."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlencode

from flask import Blueprint, Response, make_response, redirect, request

from bff.content.content import path_of_word
from bff.content.drafts import Clash
from bff.content.language_names import language
from bff.content.wording import ANY, Place, canonical, is_tag
from bff.content.words import CATALOGUE, LOCALES, Key, Words
from bff.studio import editing as studio
from bff.studio.scenes import scene_of
from bff.web.studio.edits import edits_of_form, save
from bff.web.studio.fields import Field, Fields
from bff.web.studio.page_context import Desk, address, desk, page

routes = Blueprint("words", __name__)


@routes.get("/words")
def index() -> Response:
    """The words of one language."""
    return _words(desk())


@routes.post("/words")
def keep() -> Response:
    """Save its fields; those that met another's change are shown, with both texts."""
    at = desk()
    _, clashes = save(at, edits_of_form())
    if clashes:
        return _words(desk(), clashes)
    connector, locale = _place(at)
    query = urlencode({"locale": locale, "connector": connector, "saved": 1})
    return make_response(redirect(address(f"words?{query}"), 303))


def _words(at: Desk, clashes: list[Clash] | None = None) -> Response:
    place = _place(at)
    connector, locale = place
    fields = Fields(at, clashes or ())
    groups: dict[str, list[Field]] = {}
    for key in CATALOGUE.values():
        if connector == ANY or not key.name.startswith("mail_"):
            groups.setdefault(_group(key), []).append(_field(at, fields, key, place))
    return page(
        "words",
        at,
        "words",
        status=409 if clashes else 200,
        groups=list(groups.items()),
        locale=locale,
        connector=connector,
        languages=_languages(at, locale),
        unknown=_unknown(),
    )


def _field(at: Desk, fields: Fields, key: Key, place: Place) -> Field:
    connector, locale = place
    path = path_of_word(key.name, connector, locale)
    return fields(
        path,
        studio.title(key.name),
        locale=locale,
        about=key.description,
        default=_default(at, key.name, place),
        scene=scene.key if (scene := scene_of(key.name)) else "",
        connector="" if connector == ANY else connector,
    )


def _default(at: Desk, key: str, place: Place) -> str:
    """What users read where nothing is written here."""
    connector, locale = place
    others = {there: text for there, text in at.product.words.get(key, {}).items() if there != place}
    without = replace(at.product, words={**at.product.words, key: others})
    wanted = [] if locale == ANY else [locale]
    return Words(without, wanted, None if connector == ANY else connector).template(key)


def _group(key: Key) -> str:
    scene = scene_of(key.name)
    return scene.title if scene else "The mail that invites to the Studio"


def _place(at: Desk) -> Place:
    locale, connector = request.args.get("locale", LOCALES[0]).strip(), request.args.get("connector", ANY)
    chosen = canonical(locale) if is_tag(locale) else locale if locale == ANY else LOCALES[0]
    return connector if connector in at.names else ANY, chosen


def _languages(at: Desk, chosen: str) -> list[tuple[str, str]]:
    tags = dict.fromkeys([*at.languages, *([chosen] if chosen != ANY else [])])
    return [(tag, language(tag)) for tag in tags]


def _unknown() -> str | None:
    locale = request.args.get("locale", "").strip()
    if not locale or locale == ANY or is_tag(locale):
        return None
    return f"{locale!r} is no language tag such as de or pt-BR"
