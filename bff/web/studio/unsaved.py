"""A save that was refused: the page is shown again, with what was written and why it cannot stay."""

from __future__ import annotations

from flask import Response, current_app, g, make_response, request
from werkzeug.exceptions import HTTPException

from bff.content.draft_limits import NotSaved
from bff.web.kit.responses import problem
from bff.web.studio.access import wants_json
from bff.web.studio.errors import trouble


def not_saved(error: NotSaved) -> Response:
    """The reasons beside their fields: on the page that the form is on, or for its script."""
    if wants_json():
        return problem(422, error.code, error.detail, faults=error.faults)
    g.not_saved, g.not_saved_told = error, set()
    try:
        endpoint, values = current_app.create_url_adapter(request).match(method="GET")  # type: ignore[union-attr]
        page = make_response(current_app.ensure_sync(current_app.view_functions[endpoint])(**values))
    except HTTPException:
        return trouble(error)
    if not error.faults.keys() <= g.not_saved_told:
        return trouble(error)
    page.status_code = 422
    return page


def refused(path: str) -> tuple[str, tuple[str, ...]] | None:
    """What was written in this entry and why it was not saved, where this request's save was refused."""
    error: NotSaved | None = g.get("not_saved")
    if error is None or path not in error.texts:
        return None
    g.not_saved_told.add(path)
    return error.texts[path], tuple(error.faults.get(path, ()))
