"""The response to a refused save: the same page with the submitted texts and their faults."""

from __future__ import annotations

from flask import Response, current_app, g, make_response, request
from werkzeug.exceptions import HTTPException

from bff.content.draft_limits import NotSaved
from bff.web.kit.responses import problem
from bff.web.studio.access import wants_json
from bff.web.studio.errors import trouble


def not_saved(error: NotSaved) -> Response:
    """Show the form's page with the faults beside their fields (422); for scripts, a problem document."""
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
    """The submitted text of this entry and its faults, if this request's save was refused."""
    error: NotSaved | None = g.get("not_saved")
    if error is None or path not in error.texts:
        return None
    g.not_saved_told.add(path)
    return error.texts[path], tuple(error.faults.get(path, ()))
