"""One world for the whole run of a worker; each test has an account of its own in it."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.support.databases import DatabaseUrl
from tests.support.studio import StudioWorld, open_studio
from tests.support.world import World, open_world


@pytest.fixture(scope="session")
def shared_world(tmp_path_factory: pytest.TempPathFactory, database_url: DatabaseUrl) -> Iterator[World]:
    """BFF, partner service and sandbox."""
    with open_world(tmp_path_factory.mktemp("world"), database_url=database_url) as world:
        yield world


@pytest.fixture
def world(shared_world: World) -> World:
    """The world, seen from an account that nobody else uses."""
    return replace(shared_world, account="acme-" + secrets.token_hex(4))


@pytest.fixture
def studio(shared_world: World) -> Iterator[StudioWorld]:
    """A product of this test's own, and the Studio of it."""
    with open_studio(shared_world) as opened:
        yield opened
