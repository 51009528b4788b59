"""The service in this process, as an account sees it that nobody else uses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.partner.links.office import Office, open_office
from tests.support.databases import DatabaseUrl


@pytest.fixture(scope="session")
def opened(tmp_path_factory: pytest.TempPathFactory, database_url: DatabaseUrl) -> Iterator[Office]:
    """One service for the worker's whole run."""
    folder = tmp_path_factory.mktemp("office")
    with open_office(folder, database_url(folder, "partner")) as office:
        yield office


@pytest.fixture
def office(opened: Office) -> Office:
    """The same with an account and a browser of its own, and a third party that forgot all."""
    opened.third.asked.clear()
    opened.third.says.clear()
    return Office(opened.app, opened.third)


@pytest.fixture
def switched(
    tmp_path_factory: pytest.TempPathFactory, database_url: DatabaseUrl
) -> Iterator[Callable[..., Office]]:
    """A service with some of its switches set."""
    with ExitStack() as stack:

        def build(**switches: Any) -> Office:
            folder = tmp_path_factory.mktemp("switched")
            return stack.enter_context(open_office(folder, database_url(folder, "partner"), **switches))

        yield build
