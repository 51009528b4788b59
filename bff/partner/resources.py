"""Folders of the partner service's templates and static files."""

from __future__ import annotations

from typing import Final

from bff.serving.resources import folder

TEMPLATES: Final = folder("templates/partner")
ASSETS: Final = folder("static/partner")
