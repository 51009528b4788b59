"""Files that never change while the program runs: the built widget, and what the pages load."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Final

from flask import Blueprint, Response, abort, request
from pydantic import BaseModel, Field
from werkzeug.utils import send_from_directory

from bff.openapi.operation import Answer
from bff.resources import PAGE_ASSETS, WIDGET
from bff.web.kit.limits import UNCOUNTED
from bff.web.openapi import describe
from bff.web.openapi.describe import Access

routes = Blueprint("hitchpost_files", __name__)
MOVING: Final = "public, max-age=300"
BUNDLED: Final = frozenset({"headless.js", "package.js"})
"""What bundlers take from npm: no page fetches it from here."""
IMMUTABLE: Final = "public, max-age=31536000, immutable"


class WidgetFile(BaseModel):
    """A script of the widget: its SRI hash, and its size in bytes, plain and in brotli."""

    integrity: Annotated[str, Field(pattern="^sha384-")]
    bytes: int
    brotli: int


class WidgetManifest(BaseModel):
    """The newest widget: its version, and its files by name."""

    version: str
    files: dict[str, WidgetFile]


@routes.get("/widget/<version>/<name>")
@describe.operation(
    Answer(200, "What to write into `integrity`.", WidgetManifest, headers=(describe.CACHE_CONTROL,)),
    access=Access.ANYBODY,
    limit=UNCOUNTED,
    refusals=["not_found"],
    path="/widget/v1/manifest.json",
)
def widget(version: str, name: str) -> Response:
    """The widget: under ``v1`` the newest, under its own version for ever."""
    if version == "v1":
        return public_file(WIDGET, name, MOVING)
    manifest = _manifest()
    # The script, and the files that it fetches from beside it.
    if version != manifest.get("version") or name not in manifest["files"] or name in BUNDLED:
        abort(404)
    return public_file(WIDGET, name, IMMUTABLE)


@routes.get("/connect/assets/<name>")
def page_asset(name: str) -> Response:
    """Scripts and styles of the popup's pages."""
    return public_file(PAGE_ASSETS, name, MOVING)


def _manifest() -> dict[str, Any]:
    path = WIDGET / "manifest.json"
    found: dict[str, Any] = json.loads(path.read_text()) if path.is_file() else {}
    return found


def public_file(folder: Path, name: str, cache: str) -> Response:
    """A file that every page may load."""
    # Not Flask's: a host's app may leave files to the server in front of it, which knows nothing of ours.
    response = send_from_directory(folder, name, request.environ, response_class=Response)
    assert isinstance(response, Response)  # nosec B101  # for the type checker
    response.headers["Cache-Control"] = cache
    response.headers["X-Content-Type-Options"] = "nosniff"
    # Public text: any page may load it, with integrity checked (crossorigin).
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response
