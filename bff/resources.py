"""Paths of templates and static files: beside the package in a checkout, inside it in a wheel."""

from __future__ import annotations

from pathlib import Path
from typing import Final

_PACKAGE: Final = Path(__file__).parent
_INSTALLED: Final = (_PACKAGE / "_templates").is_dir()


def _locate(installed: str, checkout: str) -> Path:
    return _PACKAGE / installed if _INSTALLED else _PACKAGE.parent / checkout


TEMPLATES: Final = _locate("_templates", "templates")
PAGE_ASSETS: Final = _locate("_static/pages", "static/pages")
WIDGET: Final = _locate("_static/widget/dist", "static/widget/dist")
STUDIO_ASSETS: Final = _locate("_static/studio", "static/studio")
DEMO_ASSETS: Final = _locate("_static/demo", "static/demo")
