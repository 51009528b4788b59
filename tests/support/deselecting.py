"""Leaves tests out of a run, and has pytest count them."""

from __future__ import annotations

from collections.abc import Callable

import pytest


def deselect(
    config: pytest.Config, items: list[pytest.Item], unwanted: Callable[[pytest.Item], bool]
) -> None:
    """Take what is unwanted out of ``items``."""
    left_out = [item for item in items if unwanted(item)]
    config.hook.pytest_deselected(items=left_out)
    gone = set(left_out)
    items[:] = [item for item in items if item not in gone]
