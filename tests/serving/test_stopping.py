"""Stopping, readiness and new keys (A62), with both programs as operators run them."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import pytest
import requests
from sqlalchemy import Engine

from bff.serving.database import open_database
from tests.serving.test_reload import world_of
from tests.support.databases import DatabaseUrl
from tests.support.programs import Program, run_bff, run_partner
from tests.support.servers import serve
from tests.support.waiting import wait_for
from tests.support.world import HOST, World, build_bff

AWAY: Final = "http://127.0.0.1:9"


@dataclass
class Slow:
    """A partner service that answers when it is let."""

    asked: threading.Event
    free: threading.Event

    def __call__(self, environ: dict[str, object], start_response: object) -> list[bytes]:
        """One request; the token comes at once."""
        self.asked.set()
        self.free.wait(30)
        start_response("503 Service Unavailable", [("Content-Type", "text/plain")])  # type: ignore[operator]
        return [b""]


@pytest.mark.one_database
def test_a62_on_sigterm_requests_finish_and_readiness_goes_first(
    tmp_path: Path, database_url: DatabaseUrl
) -> None:
    """While it drains it is alive, unready and answers; what was asked is answered; it exits with 0."""
    slow = Slow(threading.Event(), threading.Event())
    with (
        serve(lambda _: slow) as partner,
        run_bff(tmp_path, database_url, partner=partner, drain_seconds="60") as bff,
        ThreadPoolExecutor() as pool,
    ):
        world = world_of(bff)
        token = world.session()
        in_flight = pool.submit(world.page, "GET", "/v1/config", token)
        assert slow.asked.wait(30)
        bff.process.send_signal(signal.SIGTERM)
        ready = f"{bff.url}/health/ready"
        wait_for(lambda: requests.get(ready, timeout=5).status_code == 503)
        assert requests.get(ready, timeout=5).json()["lacking"] == "stopping"
        assert requests.get(f"{bff.url}/health/live", timeout=5).status_code == 200
        assert world.session()
        bff.process.send_signal(signal.SIGTERM)
        wait_for(lambda: not _listens(bff.url))
        slow.free.set()
        assert in_flight.result(30).status_code in {200, 503}
        assert bff.process.wait(30) == 0


def _listens(url: str) -> bool:
    try:
        requests.get(f"{url}/health/live", timeout=0.5)
    except requests.RequestException:
        return False
    return True


@pytest.mark.one_database
def test_a62_the_partner_service_stops_in_order_too(tmp_path: Path, database_url: DatabaseUrl) -> None:
    """Unready first, then exit status 0."""
    with run_partner(tmp_path, database_url, drain_seconds="60") as partner:
        partner.process.send_signal(signal.SIGTERM)
        wait_for(lambda: requests.get(f"{partner.url}/health/ready", timeout=5).status_code == 503)
        assert requests.get(f"{partner.url}/health/live", timeout=5).status_code == 200
        partner.process.send_signal(signal.SIGTERM)
        assert partner.process.wait(30) == 0


@pytest.fixture(scope="module")
def alone(
    tmp_path_factory: pytest.TempPathFactory, database_url: DatabaseUrl
) -> Iterator[tuple[Program, str]]:
    """A BFF whose partner service is away; and its database."""
    folder = tmp_path_factory.mktemp("alone")
    with run_bff(folder, database_url, partner=AWAY) as bff:
        yield bff, database_url(folder, "bff")


@pytest.mark.one_database
def test_a62_an_outage_of_the_partner_service_does_not_unready(alone: tuple[Program, str]) -> None:
    """What rests on the partner service says so itself; health and sessions go on."""
    bff, _ = alone
    world = world_of(bff)
    attempt = world.begin(world.session())
    assert world.launch(attempt["launch_token"]).status_code == 503
    assert requests.get(f"{bff.url}/health/ready", timeout=5).status_code == 200
    assert requests.get(f"{bff.url}/health/live", timeout=5).status_code == 200


def test_a62_ready_needs_its_schema(alone: tuple[Program, str]) -> None:
    """A database whose schema is behind makes it unready, and it says so; a newer one does not."""
    bff, database = alone
    engine = open_database(database)
    with engine.connect() as connection:
        (current,) = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalars()
    try:
        for version, status in (("0001", 503), ("9999_of_a_newer_program", 200)):
            set_version(engine, version)
            answer = requests.get(f"{bff.url}/health/ready", timeout=5)
            assert (answer.status_code, answer.json().get("lacking")) == (
                status,
                "schema" if status == 503 else None,
            )
            assert requests.get(f"{bff.url}/health/live", timeout=5).status_code == 200
    finally:
        set_version(engine, current)
        engine.dispose()


def set_version(engine: Engine, version: str) -> None:
    """Say which migration was the last."""
    with engine.begin() as connection:
        connection.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{version}'")


@pytest.mark.one_database
def test_a62_keys_are_rotated_without_ending_a_session(tmp_path: Path, database_url: DatabaseUrl) -> None:
    """Newest first: sessions and receipts of the old key hold beside the new one, and end with the old."""
    old, new = (
        "3f1d9c27ab5e84f06d2b7c9e51a08f43d6e2b90c7f5a1384",
        "b90c7f5a13843f1d9c27ab5e84f06d2b7c9e51a08f43d6e2",
    )
    told: dict[str, int] = {}
    kids: list[set[str]] = []
    token, database = "", database_url(tmp_path, "bff")
    for keys in (old, f"{new},{old}", new):
        build = partial(build_bff, folder=tmp_path, partner=AWAY, secret_keys=keys, database=database)
        with serve(build) as url:
            world = World(url, "", "", None, tmp_path, None, "", "")  # type: ignore[arg-type]
            token = token or world.session()
            asked = world.page("POST", "/v1/attempts", token, json={"connector": "sandbox"}, origin=HOST)
            told[keys] = asked.status_code
            found = requests.get(f"{url}/.well-known/jwks.json", timeout=30)
            kids.append({key["kid"] for key in found.json()["keys"]})
    assert list(told.values()) == [201, 201, 401]
    assert kids[1] == kids[0] | kids[2]
