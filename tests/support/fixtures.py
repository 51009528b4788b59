"""One world for the whole run of a worker; each test has an account of its own in it."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from tests.support.connections import hear_of
from tests.support.databases import DatabaseUrl
from tests.support.mounted import Mounted, open_mounted
from tests.support.servers import serve
from tests.support.studio import StudioWorld, open_studio
from tests.support.world import World, build_bff, open_world

Strict = Callable[..., World]


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


@pytest.fixture
def server_hears(world: World) -> None:
    """The product has a webhook: else nothing would be recorded of its connections."""
    hear_of(world)


@pytest.fixture
def mounted(shared_world: World, tmp_path: Path) -> Iterator[Mounted]:
    """A host's own app with the BFF in it, and its user's browser."""
    with open_mounted(tmp_path, shared_world.partner) as opened:
        yield opened


@pytest.fixture
def strict(world: World, tmp_path: Path, database_url: DatabaseUrl) -> Iterator[Strict]:
    """Another BFF in the same world, on a database of its own, that permits as much as is said."""
    with contextlib.ExitStack() as stack:

        def start(*, name: str = "strict", **settings: Any) -> World:
            (tmp_path / name).mkdir(exist_ok=True)
            database, apps = database_url(tmp_path / name, "bff"), list[Flask]()

            def build(url: str) -> Flask:
                apps.append(build_bff(url, tmp_path, world.partner, database=database, **settings))
                return apps[0]

            bff = stack.enter_context(serve(build))
            return replace(world, bff=bff, bff_app=apps[0], bff_database=database)

        yield start
