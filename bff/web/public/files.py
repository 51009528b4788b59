"""Static files: the built widget, and scripts and styles of pages."""

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
"""Files for bundlers, which get them from npm. They are not served under a version."""
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
    """The widget's files: ``v1`` is the newest release, and a full version never changes."""
    if version == "v1":
        return public_file(WIDGET, name, MOVING)
    manifest = _manifest()
    # Only the script and the files that it loads.
    if version != manifest.get("version") or name not in manifest["files"] or name in BUNDLED:
        abort(404)
    return public_file(WIDGET, name, IMMUTABLE)


@routes.get("/connect/assets/<name>")
def page_asset(name: str) -> Response:
    """Scripts and styles of the popup's pages."""
    return public_file(PAGE_ASSETS, name, MOVING)


def _manifest() -> dict[str, Any]:
    path = WIDGET / "manifest.json"
    manifest: dict[str, Any] = json.loads(path.read_text()) if path.is_file() else {}
    return manifest


def public_file(folder: Path, name: str, cache: str) -> Response:
    """A file that pages of any origin may load."""
    # Not Flask's: with X-Sendfile, a host's app would leave our files to a server that does not have them.
    response = send_from_directory(folder, name, request.environ, response_class=Response)
    assert isinstance(response, Response)  # noqa: S101  # for the type checker
    response.headers["Cache-Control"] = cache
    response.headers["X-Content-Type-Options"] = "nosniff"
    # Required for subresource integrity (crossorigin).
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response
