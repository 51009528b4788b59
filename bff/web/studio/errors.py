"""Error responses of the Studio: a page for people, a problem document for scripts."""

from __future__ import annotations

from typing import Final

from flask import Response, request
from werkzeug.exceptions import HTTPException

from bff.common.errors import (
    HitchpostError,
    InvalidRequest,
    NotFound,
    Outdated,
    RateLimited,
    StorageUnavailable,
)
from bff.content.draft_limits import NotSaved
from bff.serving.edge import request_id
from bff.web.kit.rendering import html, render
from bff.web.kit.responses import foreseen, how_long_to_wait, log_unforeseen, problem
from bff.web.studio.access import (
    CSRF_FIELD,
    LinkGone,
    Refused,
    SignedOut,
    StaleToken,
    protect,
    session_of_request,
    wants_json,
)
from bff.web.studio.page_context import address

LINKS: Final = {
    "used": (
        "This link has been used",
        "Each link signs in once. If it was you, go to the Studio: you may still be signed in.",
    ),
    "late": ("This link is too old", "A link is good for 24 hours."),
    "unknown": ("This link is not known here", "Perhaps a part of it was lost on its way."),
}
"""Title and text by the fault of an invite's link."""

TITLES: Final[dict[type[Exception], str]] = {
    Refused: "Nothing was changed",
    StaleToken: "You have signed in anew",
    StorageUnavailable: "The Studio cannot reach its database",
    InvalidRequest: "Nothing was changed",
    NotSaved: "Nothing was changed",
    NotFound: "There is nothing here",
    Outdated: "Somebody was faster",
    RateLimited: "Too many tries at once",
}


def is_studio(path: str | None) -> bool:
    """Whether a path below the mount is the Studio's."""
    return path is not None and (path == "/studio" or path.startswith("/studio/"))


def trouble(error: Exception) -> Response:
    """The response to an exception. An unexpected one is logged, and its details are left out."""
    error = foreseen(error)
    response = _answer(error)
    response.headers.update(how_long_to_wait(error))
    return protect(response)


def _answer(error: Exception) -> Response:
    status, title, detail = _describe(error)
    if wants_json():
        code = error.code if isinstance(error, HitchpostError) else "internal_error"
        return problem(status, code, detail)
    if isinstance(error, SignedOut):
        body = render("studio/signed_out.html", base=address(), ended=True, **_kept())
    elif isinstance(error, LinkGone):
        title, words = LINKS[error.detail]
        body = render("studio/link_gone.html", base=address(), title=title, words=words)
    else:
        current = session_of_request() if isinstance(error, StaleToken) else None
        body = render(
            "studio/trouble.html",
            base=address(),
            title=title,
            detail=detail,
            # The request's id, by which the log can be searched.
            support_code=request_id(request.environ) if status >= 500 else None,
            again=status >= 500 and request.method == "GET",
            **(_kept(current.csrf) if current else {}),
        )
    return html(body, status)


def _kept(csrf: str = "") -> dict[str, object]:
    """The fields of a refused form, so that the page can submit them again and no input is lost."""
    if request.method != "POST" or request.files:
        return {}
    kept = [(name, value) for name, value in request.form.items(multi=True) if name != CSRF_FIELD]
    written = zip(*(request.form.getlist(name) for name in ("was", "now")), strict=False)
    return {"kept": kept, "csrf": csrf, "shown": [now for was, now in written if now != was and now]}


def _describe(error: Exception) -> tuple[int, str, str]:
    """Status, title and detail."""
    if isinstance(error, HitchpostError):
        return error.status, TITLES.get(type(error), "That did not work"), error.detail
    if isinstance(error, HTTPException) and error.code is not None:
        title = "There is nothing here" if error.code == 404 else "That did not work"
        return error.code, title, error.description or error.name
    log_unforeseen(error)
    return 500, "Something broke on our side", "It has been logged. Nothing that was saved is lost."
