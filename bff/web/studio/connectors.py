"""The connectors page: their order and their names."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from flask import Blueprint, Response, make_response, redirect, request

from bff.content.drafts import Clash, Edit
from bff.web.kit.services import services
from bff.web.studio.edits import edits_of_form, save
from bff.web.studio.fields import Fields
from bff.web.studio.page_context import Desk, address, desk, page

routes = Blueprint("connectors", __name__)
ORDER = "connectors/order"


@routes.get("/connectors")
def index() -> Response:
    """Show the connectors' order and names."""
    return _connectors(desk())


@routes.post("/connectors")
def keep() -> Response:
    """Save the names, and move a connector by one place or to the number entered beside it."""
    at = desk()
    edits, keys = edits_of_form(), list(at.names)
    moved = _moved(keys)
    if moved:
        edits.append(Edit(ORDER, request.form.get("order") or None, " ".join(moved.keys)))
    _, clashes = save(at, edits)
    if clashes:
        return _connectors(desk(), clashes)
    query = urlencode({"moved": moved.key, "way": moved.way}) if moved else "saved=1"
    return make_response(redirect(address(f"connectors?{query}"), 303))


@dataclass(frozen=True)
class Moved:
    """A moved connector, how it was moved (``up``, ``down`` or ``to`` a number), and the new order."""

    key: str
    way: str
    keys: list[str]


def _moved(keys: list[str]) -> Moved | None:
    """The move that the pressed button requests; without one, that of the first changed number."""
    key, _, way = request.form.get("move", "").partition(":")
    if not key:
        changed = (item for number, item in enumerate(keys, 1) if _number(item) not in {None, number})
        key, way = next(changed, ""), "to"
    if key not in keys or way not in {"up", "down", "to"}:
        return None
    current = keys.index(key)
    place = {"up": current - 1, "down": current + 1, "to": (_number(key) or current + 1) - 1}[way]
    rest = [other for other in keys if other != key]
    rest.insert(max(0, min(place, len(rest))), key)
    return Moved(key, way, rest)


def _number(key: str) -> int | None:
    text = request.form.get(f"to-{key}", "").strip()
    return int(text) if text.isdecimal() and len(text) < 6 else None


def _connectors(at: Desk, clashes: list[Clash] | None = None) -> Response:
    fields, named = Fields(at, clashes or ()), services().catalogue.named
    registered = {offered.key: named(offered).name for offered in at.registration.connectors}
    rows = [
        fields(
            f"connectors/{key}/name",
            registered[key],
            about=f"Key: {key}.",
            default=registered[key],
            connector=key,
        )
        for key in at.names
    ]
    keys, moved = list(at.names), request.args.get("moved", "")
    return page(
        "connectors",
        at,
        "connectors",
        status=409 if clashes else 200,
        rows=rows,
        order=at.draft.content.get(ORDER, ""),
        order_faults=at.faults.get(ORDER, []),
        order_clash=next((clash for clash in clashes or () if clash.path == ORDER), None),
        moved=moved if moved in keys else None,
        place=keys.index(moved) + 1 if moved in keys else 0,
        way=request.args.get("way", ""),
    )
