"""Folders of the BFF's templates and static files."""

from __future__ import annotations

from typing import Final

from bff.serving.resources import folder

TEMPLATES: Final = folder("templates")
PAGE_ASSETS: Final = folder("static/pages")
WIDGET: Final = folder("static/widget/dist")
STUDIO_ASSETS: Final = folder("static/studio")
DEMO_ASSETS: Final = folder("static/demo")
