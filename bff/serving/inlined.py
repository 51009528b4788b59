"""Scripts and styles inside a page: one request less, and the page's policy names them by their hash."""

from __future__ import annotations

import base64
import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Final

from markupsafe import Markup

MOST_HASHED: Final = 256
"""Texts whose hashes are kept: our own few, and the look of each product that is in use."""


@lru_cache(MOST_HASHED)
def source_of(text: str) -> str:
    """The expression by which a Content-Security-Policy allows this very text (CSP 3, section 2.3.1)."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


class Inlined:
    """The files of a folder as elements of a page. ``sources`` has the hash of each file, by its name."""

    def __init__(self, folder: Path, pattern: str = "*.*") -> None:
        texts = {file.name: file.read_text(encoding="utf-8") for file in sorted(folder.glob(pattern))}
        # house-allow: safe-filter: files of ours, as they are: escaped, they would be no script and no style
        self._texts: Final = {name: Markup(text) for name, text in texts.items()}  # noqa: S704  # nosec B704  # the same reason
        self.sources: Final = {name: source_of(text) for name, text in texts.items()}

    def __getitem__(self, name: str) -> Markup:
        """What stands between the tags."""
        return self._texts[name]
