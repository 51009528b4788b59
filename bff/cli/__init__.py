"""The commands of ``hitchpost``."""

from typing import Final

FAULTY: Final = 2
"""Exit status for faulty arguments, settings or files."""
