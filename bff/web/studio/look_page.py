"""The look page: colours, shape, font and logo of the button and of the popup's pages."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, Response, make_response, redirect, request
from werkzeug.exceptions import RequestEntityTooLarge

from bff.common.errors import InvalidRequest
from bff.content import look
from bff.content.drafts import Clash, Edit
from bff.content.entries import look_of
from bff.content.logos.logo import LIMITS, MOST_IMAGES, FaultyImage, check_logo
from bff.web.kit.services import services
from bff.web.studio.edits import edits_of_form, save
from bff.web.studio.fields import Field, Fields
from bff.web.studio.page_context import Desk, address, desk, page

routes = Blueprint("look", __name__)
LOGOS: Final = ("logo", "logo_dark")
_COLOURS: Final = [name for name, field in look.FIELDS.items() if field.kind == "colour"]
GROUPS: Final = (
    ("In the light scheme", [name for name in _COLOURS if not name.endswith("_dark")]),
    ("In the dark scheme", [name for name in _COLOURS if name.endswith("_dark")]),
    ("Shape and font", [name for name in look.FIELDS if name not in {*_COLOURS, *LOGOS}]),
)


@routes.get("/look")
def index() -> Response:
    """Show the look's fields."""
    return _look(desk())


@routes.post("/look")
def keep() -> Response:
    """Save the fields. A button beside a fault applies the suggested colour."""
    at = desk()
    path, _, colour = request.form.get("use", "").partition("=")
    edits = [edit for edit in edits_of_form() if edit.path != path]
    if path:
        edits.append(Edit(path, at.draft.content.get(path), colour))
    _, clashes = save(at, edits)
    if clashes:
        return _look(desk(), clashes)
    return make_response(redirect(address("look?saved=1"), 303))


@routes.post("/look/<field>")
def upload(field: str) -> Response:
    """Upload or remove a logo. An unusable file is refused with the reason (422)."""
    at, path = desk(), f"look/{field}"
    if field not in LOGOS:
        raise InvalidRequest("there is no such logo")
    name: str | None = None
    if "remove" not in request.form:
        file = request.files.get("file")
        try:
            logo = check_logo(file.read() if file else b"")
            services().teams.images.put(logo, at.session.product, MOST_IMAGES)
        except FaultyImage as fault:
            return _look(at, image_faults={path: str(fault)}, status=422)
        name = logo.name
    save(at, [Edit(path, at.draft.content.get(path), name)])
    return make_response(redirect(address(f"look?saved=1#{field}"), 303))


@routes.errorhandler(RequestEntityTooLarge)
def too_large(_error: RequestEntityTooLarge) -> Response:
    """The look page with the fault of a file that is too large (413)."""
    fault = f"the file is too large; a logo is {LIMITS}"
    return _look(desk(), image_faults={request.path.rpartition("/studio/")[2]: fault}, status=413)


def _look(
    at: Desk,
    clashes: list[Clash] | None = None,
    *,
    image_faults: dict[str, str] | None = None,
    status: int = 200,
) -> Response:
    fields = Fields(at, clashes or ())
    groups = [(title, [_field(at, fields, name) for name in names]) for title, names in GROUPS]
    all_fields = [field for _, group in groups for field in group]
    return page(
        "look",
        at,
        "look",
        status=409 if clashes else status,
        groups=groups,
        fields=all_fields,
        suggested={field.path: _suggested(field) for field in all_fields},
        logos=[_field(at, fields, name) for name in LOGOS],
        image_faults=image_faults or {},
        logo_limits=LIMITS,
    )


def _field(at: Desk, fields: Fields, name: str) -> Field:
    known = look.FIELDS[name]
    default = "" if name in LOGOS else look.fallback(look_of(at.draft.content), name)
    # The title of its group already names the scheme.
    label = known.label if name in LOGOS else known.label.removesuffix(" (dark)")
    return fields(f"look/{name}", label, about=known.description, kind=known.kind, default=default)


def _suggested(field: Field) -> str | None:
    """The colour that a fault of this field suggests."""
    return next((colour for fault in field.faults if (colour := look.suggestion(fault))), None)
