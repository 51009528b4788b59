"""The changes page: publish, rebase, undo or discard the draft's changes."""

from __future__ import annotations

from flask import Blueprint, Response, make_response, redirect, request

from bff.common.errors import InvalidRequest, Outdated
from bff.content.drafts import Clash, Edit
from bff.content.entries import names_of_messages
from bff.content.product import Product
from bff.studio import editing as studio
from bff.web.kit import audit
from bff.web.kit.services import services
from bff.web.studio.access import require_publisher, session
from bff.web.studio.edits import save
from bff.web.studio.page_context import Desk, address, desk, page
from bff.web.studio.unset import unset

routes = Blueprint("publishing", __name__)


@routes.get("/changes")
def index() -> Response:
    """Show the unpublished changes and the faults that prevent publishing."""
    return _changes(desk())


@routes.post("/publish")
def publish() -> Response:
    """Publish the draft. Refused if it has faults (422), or is based on an older version (409)."""
    person, at = require_publisher(), desk()
    note = request.form.get("note", "").strip()
    if at.faults:
        return _changes(at, note=note, status=422)
    if (current := at.published).number and not at.changes:
        nothing = f"there is nothing to publish; version {current.number} of {current.by} is live"
        return _changes(at, outdated=nothing, note=note, status=409)
    try:
        version = services().teams.content.publish_draft(
            person.product, _number("revision"), person.email, note
        )
    except Outdated as error:
        return _changes(desk(), outdated=error.detail, note=note, status=409)
    services().products.forget(person.product)
    audit.at_studio("published", person, version=version.number)
    return make_response(redirect(address(f"history?published={version.number}"), 303))


@routes.post("/rebase")
def rebase() -> Response:
    """Merge the version that was published meanwhile into the draft. Clashes are shown with both texts."""
    _, clashes = services().teams.content.rebase(session().product)
    if clashes:
        return _changes(desk(), clashes=clashes)
    return make_response(redirect(address("changes?rebased=1"), 303))


@routes.post("/undo")
def undo() -> Response:
    """Undo one change: return the entry to its published value."""
    at, path = desk(), request.form.get("path", "")
    undone = [
        change
        for change in at.differences
        if change.path == path or _is_of_new_message(at, path, change.path)
    ]
    if not undone:
        nothing = "there is nothing to undo: this entry is as it is published"
        return _changes(at, outdated=nothing, status=409)
    _, clashes = save(at, [Edit(change.path, change.after, change.before) for change in undone])
    if clashes:
        return _changes(desk(), outdated="somebody has changed this entry just now; look again", status=409)
    return make_response(redirect(address("changes?undone=1"), 303))


def _is_of_new_message(at: Desk, path: str, other: str) -> bool:
    """Whether ``other`` belongs to the message of ``path``, and pages do not get that message yet.

    It is undone as a whole: what is left of it would be a fault.
    """
    message = "/".join(path.split("/")[:2])
    is_new = not any(known.startswith(f"{message}/") for known in at.published.content)
    return is_new and path.startswith("messages/") and other.startswith(f"{message}/")


@routes.get("/discard")
def ask() -> Response:
    """Ask before the draft is discarded."""
    return page("discard", desk(), "changes")


@routes.post("/discard")
def discard() -> Response:
    """Discard the draft, if it is still the revision that was shown (else 409)."""
    try:
        services().teams.content.discard(session().product, _number("revision"))
    except Outdated as error:
        return _changes(desk(), outdated=error.detail, status=409)
    return make_response(redirect(address("changes?discarded=1"), 303))


def _changes(
    at: Desk,
    *,
    clashes: list[Clash] | None = None,
    outdated: str | None = None,
    note: str = "",
    status: int = 200,
) -> Response:
    by_path = {clash.path: clash for clash in clashes or ()}
    return page(
        "changes",
        at,
        "changes",
        status=status,
        rows=[row(at, change.path, change.before, change.after) for change in at.changes],
        faulty=[
            {"label": at.label(path), "page": studio.page_of(path), "id": studio.field_id(path), "said": said}
            for path, said in at.faults.items()
        ],
        clashes=by_path,
        removed=sorted({*names_of_messages(at.published.content)} - {*names_of_messages(at.draft.content)}),
        outdated=outdated,
        note=note,
    )


def row(
    at: Desk, path: str, before: str | None, after: str | None, then: Product | None = None
) -> dict[str, object]:
    """The template values of one change. ``without`` is the default value if one side has no text.

    ``then`` is the product after the change (default: the draft's).
    """
    without = "" if before and after else unset(at, path, at.live if before is None else then or at.product)
    return {
        "path": path,
        "without": without,
        "label": at.label(path),
        "before": before,
        "after": after,
        "touch": at.draft.touched.get(path),
        "page": studio.page_of(path),
        "id": studio.field_id(path),
    }


def _number(name: str) -> int:
    text = request.form.get(name, "")
    if not text.isdecimal() or len(text) > 18:
        raise InvalidRequest(f"{name}: is no number; load the page again")
    return int(text)
