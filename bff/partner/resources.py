"""Paths of templates and static files: beside the package in a checkout, inside it in a wheel."""

from __future__ import annotations

from pathlib import Path
from typing import Final

_PACKAGE: Final = Path(__file__).parent.parent
_INSTALLED: Final = (_PACKAGE / "_templates").is_dir()

TEMPLATES: Final = _PACKAGE / "_templates/partner" if _INSTALLED else _PACKAGE.parent / "templates/partner"
ASSETS: Final = _PACKAGE / "_static/partner" if _INSTALLED else _PACKAGE.parent / "static/partner"
