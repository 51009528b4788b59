"""The pages of the callback messages: the list, and each message with its texts and previews."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final
from urllib.parse import urlencode

from flask import Blueprint, Response, make_response, redirect, request

from bff.common.errors import NotFound
from bff.content import messages
from bff.content.drafts import Clash, Edit
from bff.content.entries import DEFAULT_TEXT, names_of_messages, path_of_text, texts_of_messages, variants_of
from bff.content.language_names import language, tag_fault
from bff.content.minted_url import MOST
from bff.content.wording import ANY, Place, canonical
from bff.studio import editing as studio
from bff.web.studio.edits import edits_of_form, save
from bff.web.studio.fields import Field, Fields, Option
from bff.web.studio.page_context import Desk, address, desk, page

routes = Blueprint("messages", __name__)
NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
KINDS: Final = (
    Option("sealed", "Sealed (recommended)"),
    Option("plain", "Plain"),
)
FORMATS: Final = (Option("text", "Text"), Option("json", "JSON object"))


@routes.get("/", strict_slashes=False)
def start() -> Response:
    """Redirect to the messages."""
    return make_response(redirect(address("messages"), 303))


@routes.get("/messages")
def index() -> Response:
    """List the product's messages."""
    return _list(desk())


@routes.post("/messages")
def add() -> Response:
    """Add a message with the text of the default one."""
    at, name = desk(), request.form.get("name", "").strip()
    fault = None
    if not NAME.fullmatch(name):
        fault = f"{name!r} is no name of a message; use up to 63 of a-z, 0-9, _ and -"
    elif name == messages.DEFAULT_MESSAGE:
        return make_response(redirect(address(f"messages/{name}"), 303))  # Every product has it.
    elif name in names_of_messages(at.draft.content):
        fault = f"there is a message {name!r} already; choose another name"
    if fault:
        return _list(at, name=name, fault=fault, status=422)
    save(at, [Edit(path_of_text(name), None, DEFAULT_TEXT), Edit(f"messages/{name}/kind", None, "sealed")])
    return make_response(redirect(address(f"messages/{name}"), 303))


@routes.get("/messages/<name>")
def one(name: str) -> Response:
    """One message."""
    return _one(desk(), name)


@routes.post("/messages/<name>")
def keep(name: str) -> Response:
    """Save the message's fields. Clashes with another editor are shown with both texts."""
    at = desk()
    _require(at, name)
    _, clashes = save(at, edits_of_form())
    if clashes:
        return _one(desk(), name, clashes)
    return make_response(redirect(address(f"messages/{name}?saved=1"), 303))


@routes.post("/messages/<name>/remove")
def remove(name: str) -> Response:
    """Remove a message and its texts from the draft. The default message returns to its built-in text."""
    at = desk()
    _require(at, name)
    texts = [(path, text) for path, text in at.draft.content.items() if path.startswith(f"messages/{name}/")]
    save(at, [Edit(path, text, None) for path, text in texts])
    return make_response(redirect(address(f"messages?{urlencode({'removed': name})}"), 303))


def _list(at: Desk, *, name: str = "", fault: str | None = None, status: int = 200) -> Response:
    content = at.draft.content
    removed = request.args.get("removed", "")
    return page(
        "messages",
        at,
        "messages",
        status=status,
        messages=list(rows(at)),
        name=name,
        fault=fault,
        removed=removed if NAME.fullmatch(removed) and removed not in names_of_messages(content) else None,
        is_published=removed in names_of_messages(at.published.content),
    )


def rows(at: Desk) -> Iterator[dict[str, object]]:
    """The template values of each message, the default one first."""
    content, texts_of = at.draft.content, texts_of_messages(at.draft.content)
    faults, changes = _by_message(at.faults), _by_message(change.path for change in at.changes)
    for name in dict.fromkeys([messages.DEFAULT_MESSAGE, *texts_of]):
        texts = texts_of.get(name, {})
        yield {
            "name": name,
            "kind": content.get(f"messages/{name}/kind", "sealed"),
            "text": texts.get((ANY, ANY), DEFAULT_TEXT if name == messages.DEFAULT_MESSAGE else ""),
            "variants": len(texts) - ((ANY, ANY) in texts),
            "faults": faults[name],
            "changed": changes[name] > 0,
        }


def _by_message(paths: Iterable[str]) -> Counter[str]:
    """How many of the paths are of each message."""
    return Counter(path.split("/")[1] for path in paths if path.startswith("messages/"))


def _one(at: Desk, name: str, clashes: list[Clash] | None = None) -> Response:
    _require(at, name)
    fields = Fields(at, clashes or ())
    places, unknown = _places(at, name)
    return page(
        "message",
        at,
        "messages",
        status=409 if clashes else 200,
        name=name,
        settings=_settings(fields, name),
        texts=[_text(at, fields, name, place) for place in places],
        variables=[(f"{{{key}}}", about) for key, about in studio.ABOUT_VARIABLES.items()],
        sent=studio.previews(at.draft.content, at.registration, at.names, name),
        languages=[(tag, language(tag)) for tag in at.languages],
        most=MOST,
        unknown=unknown,
        own=name in names_of_messages(at.draft.content),
        builtin=DEFAULT_TEXT if name == messages.DEFAULT_MESSAGE else None,
        plain=at.draft.content.get(f"messages/{name}/kind") == "plain",
    )


def _settings(fields: Fields, name: str) -> list[Field]:
    about_kind = (
        "Sealed: the text travels with a nonce that nobody can guess, and your page hears it from the widget."
        " Plain: your page hears exactly this text, for code that already listens for it."
    )
    about_format = "A JSON object is checked as you write; variables stand inside its strings."
    return [
        fields.choice(f"messages/{name}/kind", "Kind", KINDS, "sealed", about_kind),
        fields.choice(f"messages/{name}/format", "Format", FORMATS, "text", about_format),
    ]


def _text(at: Desk, fields: Fields, name: str, place: Place) -> Field:
    connector, locale = place
    is_default = name == messages.DEFAULT_MESSAGE and place == (ANY, ANY)
    return fields(
        path_of_text(name, connector, locale),
        studio.audience(place, at.names),
        kind="area",
        default=DEFAULT_TEXT if is_default else "",
        connector="" if connector == ANY else connector,
        locale=locale,
    )


def _places(at: Desk, name: str) -> tuple[list[Place], str | None]:
    """The places of the texts to show, with an added one last; and the fault of one that cannot be added."""
    places = dict.fromkeys([(ANY, ANY), *sorted(variants_of(at.draft.content, name))])
    connector, locale = request.args.get("connector", ""), request.args.get("locale", "").strip()
    if "add" not in request.args:
        return list(places), None
    if locale and (fault := tag_fault(locale)):
        return list(places), fault
    if connector and connector not in at.names:
        return list(places), f"there is no connector {connector!r}"
    added = (connector or ANY, canonical(locale) if locale else ANY)
    return list(dict.fromkeys([*places, added])), None


def _require(at: Desk, name: str) -> None:
    if name != messages.DEFAULT_MESSAGE and name not in names_of_messages(at.draft.content):
        raise NotFound(f"there is no message {name!r} in the draft")
