"""The connectors: in which order users see them, and what they are called."""

from __future__ import annotations

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
    """Order and names."""
    return _connectors(desk())


@routes.post("/connectors")
def keep() -> Response:
    """Save the names, and move one connector up or down if one of those buttons was pressed."""
    at = desk()
    edits, moved = edits_of_form(), request.form.get("move", "")
    key, _, way = moved.partition(":")
    keys = list(at.names)
    if key in keys and way in {"up", "down"}:
        edits.append(Edit(ORDER, request.form.get("order") or None, " ".join(_moved(keys, key, way))))
    _, clashes = save(at, edits)
    if clashes:
        return _connectors(desk(), clashes)
    query = f"moved={key}&way={way}" if key in keys else "saved=1"
    return make_response(redirect(address(f"connectors?{query}"), 303))


def _moved(keys: list[str], key: str, way: str) -> list[str]:
    rest = [other for other in keys if other != key]
    place = keys.index(key) + (-1 if way == "up" else 1)
    rest.insert(max(0, min(place, len(rest))), key)
    return rest


def _connectors(at: Desk, clashes: list[Clash] | None = None) -> Response:
    fields, named = Fields(at, clashes or ()), services().catalogue.named
    registered = {offered.key: named(offered).name for offered in at.registration.connectors}
    rows = [
        fields(
            f"connectors/{key}/name",
            f"Name of {registered[key]}",
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
