"""The fields of the words page: grouped in collapsible sections, or as results of a search."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from flask import request

from bff.content.entries import path_of_word
from bff.content.language_names import language
from bff.content.wording import ANY, Place
from bff.content.words import CATALOGUE, DEFAULTS, Key
from bff.studio import editing as studio
from bff.studio.scenes import scene_of
from bff.web.studio.fields import Field, Fields
from bff.web.studio.page_context import Desk
from bff.web.studio.unset import word

MOST_FOUND: Final = 60
"""Maximum fields that a search shows."""
TITLES: Final = {
    "button": "The button, until it ends",
    "endings": "How it ended",
    "connections": "What is connected",
    "errors": "Errors",
    "window": "The sign-in window",
    "form": "The form for keys and passwords",
    "mail": "The mail that invites to the Studio",
}


@dataclass
class Section:
    """A collapsible section. ``groups`` has titles of scenes with the fields of their texts."""

    key: str
    title: str
    opened: bool = False
    groups: list[tuple[str, list[Field]]] = field(default_factory=list)

    @property
    def fields(self) -> list[Field]:
        """Every field in it."""
        return [one for _, fields in self.groups for one in fields]

    @property
    def own(self) -> int:
        """The number of fields with a text of the team."""
        return sum(one.was != "" for one in self.fields)


@dataclass(frozen=True)
class Found:
    """The sections of a page. ``left_out`` is the number of fields above ``MOST_FOUND``."""

    sections: list[Section]
    left_out: int = 0


def words_of(at: Desk, fields: Fields, place: Place) -> Found:
    """All texts for one connector in one language."""
    by_key = {key: Section(key, title) for key, title in TITLES.items()}
    for key in CATALOGUE.values():
        if place[0] != ANY and key.name.startswith("mail_"):
            continue
        section = by_key[studio.section_of(key.name)]
        scene = scene_of(key.name)
        title = scene.title if scene else section.title
        if not section.groups or section.groups[-1][0] != title:
            section.groups.append((title, []))
        section.groups[-1][1].append(_field(at, fields, key, place, short_title(key)))
    sections = [section for section in by_key.values() if section.groups]
    opened = request.args.get("open", "button")
    for section in sections:
        troubled = any(one.faults or one.clash for one in section.fields)
        section.opened = section.key == opened or troubled
    return Found(sections)


def found_words(at: Desk, fields: Fields, search_text: str, *, only_own: bool) -> Found:
    """The texts, in all languages and for all connectors, with ``search_text`` in their text or name."""
    sought = search_text.casefold()
    # Fields that were just submitted stay visible, even if they no longer match.
    kept = set(request.form.getlist("path"))
    matches: dict[Place, list[Field]] = {}
    count = 0
    for place, key in _places(at, only_own=only_own):
        path = path_of_word(key.name, *place)
        current = at.draft.content.get(path) or DEFAULTS.get(place[1], {}).get(key.name, "")
        if path not in kept and sought not in f"{current}\n{key.name}\n{studio.title(key.name)}".casefold():
            continue
        count += 1
        if count <= MOST_FOUND or path in kept:
            matches.setdefault(place, []).append(_field(at, fields, key, place, studio.title(key.name)))
    sections = [
        Section(
            "-".join(place).replace("*", "any"),
            _title(at, place),
            opened=True,
            groups=[("", fields_of_place)],
        )
        for place, fields_of_place in matches.items()
    ]
    return Found(sections, max(0, count - MOST_FOUND))


def short_title(key: Key) -> str:
    """The label of a text below the title of its scene, without what the title already says."""
    name = key.name
    if name.startswith("error_"):
        return {"title": "Title", "named": "What to do, by name"}.get(name.rpartition("_")[2], "What to do")
    rest = name.removeprefix("page_").removeprefix("mail_invite_")
    if rest != name and rest != key.scene.removeprefix("page_"):
        rest = rest.removeprefix(key.scene.removeprefix("page_") + "_")
    elif rest != name:
        rest = "title"
    return studio.title(rest)


def _places(at: Desk, *, only_own: bool) -> Iterator[tuple[Place, Key]]:
    own_keys: dict[Place, set[str]] = {}
    for path in at.draft.content:
        match path.split("/"):
            case ["words", connector, locale, key] if key in CATALOGUE:
                own_keys.setdefault((connector, locale), set()).add(key)
    everybody: dict[Place, None] = {} if only_own else {(ANY, locale): None for locale in at.languages}
    for place in dict.fromkeys([*everybody, *own_keys]):
        for known in CATALOGUE.values():
            if place in everybody or known.name in own_keys.get(place, ()):
                yield place, known


def _title(at: Desk, place: Place) -> str:
    connector, locale = place
    shown = language(locale)
    return f"{shown[:1].upper()}{shown[1:]}, {at.names.get(connector, 'every connector')}"


def _field(at: Desk, fields: Fields, key: Key, place: Place, label: str) -> Field:
    connector, locale = place
    scene = scene_of(key.name)
    return fields(
        path_of_word(key.name, connector, locale),
        label,
        locale=locale,
        about=key.description,
        names=tuple(f"{{{name}}}" for name in (*key.placeholders, *key.optional)),
        default=word(at.product, key.name, place),
        scene=scene.key if scene else "",
        connector="" if connector == ANY else connector,
    )
