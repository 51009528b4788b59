"""Inline scripts and styles of pages, and their hashes for the Content-Security-Policy."""

from __future__ import annotations

import base64
import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Final

from markupsafe import Markup

MOST_HASHED: Final = 256
"""Maximum cached hashes: of our own few files, and of the looks of products."""


@lru_cache(MOST_HASHED)
def source_of(text: str) -> str:
    """The hash source that allows ``text`` in a Content-Security-Policy (CSP 3, section 2.3.1)."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


class Inlined:
    """The files of a folder, for inline elements. ``sources`` has the hash source of each file by name."""

    def __init__(self, folder: Path, pattern: str = "*.*") -> None:
        texts = {file.name: file.read_text(encoding="utf-8") for file in sorted(folder.glob(pattern))}
        # house-allow: safe-filter: our own files; escaping would break scripts and styles
        self._texts: Final = {name: Markup(text) for name, text in texts.items()}  # noqa: S704  # the same reason
        self.sources: Final = {name: source_of(text) for name, text in texts.items()}

    def __getitem__(self, name: str) -> Markup:
        """The text of the file ``name``, as markup."""
        return self._texts[name]
