"""The world that is fuzzed: nobody else's, and with limits that a thousand calls a minute do not reach."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import pytest

from tests.support.world import UNMET, World, open_world

COUNTED: Final = ("address", "user_attempts", "user_launches", "account_attempts", "account_launches")
LOOSE: Final[Mapping[str, Any]] = {f"limit_{what}": UNMET for what in COUNTED}
LOOSE_PARTNER: Final[Mapping[str, Any]] = {
    f"limit_{what}": UNMET for what in ("address", "client_tokens", "client_mints")
}
"""Settings of the BFF, and of the embedded service, under which nothing is refused for being often."""


@pytest.fixture(scope="session")
def fuzz_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """BFF, partner service and sandbox."""
    with open_world(tmp_path_factory.mktemp("fuzz"), bff_settings=LOOSE, **LOOSE_PARTNER) as world:
        yield world
