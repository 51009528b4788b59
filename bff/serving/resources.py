"""Folders of templates and static files: beside the package in a checkout, inside it in a wheel."""

from __future__ import annotations

from pathlib import Path
from typing import Final

_PACKAGE: Final = Path(__file__).parents[1]
_INSTALLED: Final = (_PACKAGE / "_templates").is_dir()


def folder(path: str) -> Path:
    """The folder that is at ``path`` in a checkout, such as ``static/pages``."""
    return _PACKAGE / f"_{path}" if _INSTALLED else _PACKAGE.parent / path
