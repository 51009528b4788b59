"""Why an image cannot be a logo."""

from __future__ import annotations


class FaultyImage(Exception):
    """One sentence for whoever put the file up."""
