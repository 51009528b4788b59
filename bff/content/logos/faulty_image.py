"""The error of the image checks."""

from __future__ import annotations


class FaultyImage(Exception):
    """An image that cannot be a logo. The message is one sentence for the person who uploaded it."""
