"""The core, with one database for all tests of a worker."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, delete

from bff.serving.database import open_database
from bff.storage.schema import SCHEMA
from bff.storage.tables import attempts, sign_in_urls, typed_values
from tests.support.databases import sqlite_url
from tests.support.watched_core import WatchedCore, build_watched_core


@pytest.fixture(scope="session")
def core_engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    """One for the whole run."""
    engine = open_database(sqlite_url(tmp_path_factory.mktemp("core"), "bff"))
    SCHEMA.upgrade(engine)
    return engine


@pytest.fixture
def core(core_engine: Engine) -> WatchedCore:
    """A core of this test's own: nobody else has signed in to its account connector."""
    with core_engine.begin() as connection:
        for table in (attempts, sign_in_urls, typed_values):
            connection.execute(delete(table))
    return build_watched_core(core_engine)
