"""The commands of ``hitchpost``."""

from bff.serving.terminal import FAULTY

__all__ = ["FAULTY"]
