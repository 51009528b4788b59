"""What connectors are called: looked up in parallel, for all workers, and never waited for without need."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from bff.common.errors import ConnectorUnavailable
from bff.connections.ledger import Ledger
from bff.connections.overview import Overview
from bff.connections.store import DatabaseConnections, decide_within
from bff.content.product import OfferedConnector
from bff.identity.principal import AccountRef
from bff.serving.database import open_database
from bff.storage.schema import SCHEMA
from bff.upstream.catalogue import FRESH, MISSING_FRESH, PATIENCE, Catalogue
from bff.upstream.client import PartnerClient
from bff.upstream.connector_store import DatabaseConnectors
from bff.upstream.protocol import Connector, KnownConnector
from bff.upstream.sign_in_forms import AuthKind, Choice, FormField, SignInForm
from tests.support.cyclr import Cyclr
from tests.support.databases import DatabaseUrl, sqlite_url

ELEVEN = [OfferedConnector(f"tool-{number}", "", f"Tool No. {number}") for number in range(11)]
GHOST = OfferedConnector("ghost", "", "No such tool")
Worker = Callable[..., Overview]


@pytest.fixture
def engine(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Engine]:
    """The database that all workers share: on both kinds, where a test takes ``database_url``."""
    both = "database_url" in request.fixturenames
    url: DatabaseUrl = request.getfixturevalue("database_url") if both else sqlite_url
    opened = open_database(url(tmp_path, "bff"))
    SCHEMA.upgrade(opened)
    yield opened
    opened.dispose()


@pytest.fixture
def now() -> list[datetime]:
    """The time, which a test may change."""
    return [datetime.now(UTC)]


@pytest.fixture
def worker(cyclr: Cyclr, client: PartnerClient, engine: Engine, now: list[datetime]) -> Iterator[Worker]:
    """Starts a worker, which remembers nothing by itself."""
    for number, offered in enumerate(ELEVEN, 7000):
        cyclr.release(number, offered.reference)
    with ThreadPoolExecutor(16) as look_ups, ThreadPoolExecutor(4) as lists:

        def start(patience: timedelta = PATIENCE) -> Overview:
            store = DatabaseConnectors(engine, "stand-in")
            catalogue = Catalogue(client, lambda: now[0], store, look_ups.submit, patience)
            ledger = Ledger(DatabaseConnections(engine), lambda: now[0], None, decide_within)
            return Overview(client, catalogue, ledger, lambda: now[0], lists.submit)

        yield start


def names(overview: Overview, account: AccountRef) -> list[str]:
    """What a page would call its buttons."""
    return [each.connector.name for each in overview.states(account, [*ELEVEN, GHOST])]


def expected(made_up: str = "Ghost") -> list[str]:
    """What they are called."""
    return [*(offered.reference for offered in ELEVEN), made_up]


def test_eleven_names_are_asked_for_at_once(cyclr: Cyclr, worker: Worker, account: AccountRef) -> None:
    """Not one after another: none is told before six have been asked for."""
    cyclr.habits.held = {"get_connector": threading.Barrier(6, timeout=20).wait}
    assert names(worker(), account) == expected()


@pytest.mark.parametrize("needs_account", [False, True])
def test_a_first_page_view_of_a_new_account(
    cyclr: Cyclr, worker: Worker, stranger: AccountRef, needs_account: bool
) -> None:
    """Nothing is made for it; it has names where the catalogue is open, or some other account exists."""
    cyclr.habits.catalogue_needs_account = needs_account
    made_up = [f"Tool {number}" for number in range(11)] + ["Ghost"]

    assert names(worker(), stranger) == (made_up if needs_account else expected())
    cyclr.add_account("somebody else's")
    assert names(worker(), stranger) == expected()
    assert cyclr.asked("create_account") == []


@pytest.mark.usefixtures("database_url")
def test_another_worker_asks_for_none_again(cyclr: Cyclr, worker: Worker, account: AccountRef) -> None:
    """Not for that which does not exist, either."""
    names(worker(), account)
    cyclr.forget_what_was_asked()

    assert names(worker(), account) == expected()
    assert cyclr.asked("get_connector") == []


def test_old_names_beat_slow_ones(
    cyclr: Cyclr, worker: Worker, account: AccountRef, now: list[datetime]
) -> None:
    """They are renewed in the background."""
    names(worker(), account)
    now[0] += FRESH
    answers = threading.Event()
    cyclr.habits.held = {"get_connector": lambda: answers.wait(20)}
    began = time.monotonic()
    try:
        assert names(worker(), account) == expected()
        assert time.monotonic() - began < 10
    finally:
        answers.set()


def test_a_page_does_not_wait_for_ever(cyclr: Cyclr, worker: Worker, account: AccountRef) -> None:
    """Names made from the keys are better than no page."""
    answers = threading.Event()
    cyclr.habits.held = {"get_connector": lambda: answers.wait(20)}
    began = time.monotonic()
    try:
        assert names(worker(timedelta(seconds=0.1)), account)[0] == "Tool 0"
        assert time.monotonic() - began < 10
    finally:
        answers.set()


def test_a_connector_that_was_made_meanwhile_is_found_after_a_minute(
    cyclr: Cyclr, worker: Worker, account: AccountRef, now: list[datetime]
) -> None:
    """Until then nobody asks for it again; who clicks is told at once."""
    overview = worker()
    names(overview, account)
    cyclr.release(7999, GHOST.reference)
    cyclr.forget_what_was_asked()
    catalogue = overview._catalogue
    with pytest.raises(ConnectorUnavailable):
        catalogue.find(account, GHOST)
    assert cyclr.asked("get_connector") == []
    now[0] += MISSING_FRESH + timedelta(seconds=1)
    assert catalogue.find(account, GHOST).id == 7999


def test_what_is_installed_is_known_by_its_name_while_the_catalogue_is_away(
    cyclr: Cyclr, worker: Worker, account: AccountRef
) -> None:
    """And what is not known stays unknown: nobody is told "disconnected" on a guess."""
    cyclr.install(account.id, cyclr.releases[-1], authenticated=True)
    cyclr.habits.busy = {"get_connector": (503, None)}
    states = {each.connector.key: each.state for each in worker().states(account, ELEVEN)}
    assert states == {f"tool-{number}": "unknown" for number in range(10)} | {"tool-10": "connected"}


def test_what_is_asked_for_is_the_same_for_every_worker(engine: Engine, now: list[datetime]) -> None:
    """As it was read, with its choices."""
    region = FormField(
        "region", "Region", default="eu", choices=(Choice("eu", "Europe"), Choice("us", "USA"))
    )
    connector = Connector(
        1, "Key CRM", (2, 3), True, SignInForm(AuthKind.API_KEY, (FormField("api_key"), region))
    )
    store = DatabaseConnectors(engine, "stand-in")
    store.put("Key CRM", KnownConnector(connector, now[0]))
    assert store.get(["Key CRM"])["Key CRM"].connector == connector
