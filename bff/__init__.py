"""Hitchpost's backend-for-frontend: one Connect click, and the truth about how it ended."""

__version__ = "0.1.0"
