"""A bad configuration, or a store that is away, takes no running worker down (A68)."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
import requests

from tests.support.databases import sqlite_url
from tests.support.programs import Program, run_bff, run_partner
from tests.support.waiting import wait_for
from tests.support.world import PRODUCTS, World

KEY: Final = "k" * 8 + "0123456789abcdefghijklmnopqrstuvwxyz"
FAULTY = {"no TOML": "garbage [", "a fault in it": '[[product]]\nkey = "demo"\n'}


def workers(program: Program) -> list[int]:
    """The ids of its workers."""
    there = Path(f"/proc/{program.process.pid}/task/{program.process.pid}/children")
    return [int(number) for number in there.read_text().split()]


def world_of(program: Program) -> World:
    """Drives it as a host does."""
    return World(program.url, "", "", None, program.log.parent, None, "", "")  # type: ignore[arg-type]


def reload(program: Program) -> None:
    """As ``systemctl reload`` does."""
    program.process.send_signal(signal.SIGHUP)


def started(program: Program) -> list[int]:
    """The ids of its workers, of which each has started: one alone says that the program is ready."""
    first = workers(program)
    reload(program)
    program.line(event="reloaded")
    wait_for(lambda: len(workers(program)) == 2 and not set(workers(program)) & set(first))
    return workers(program)


@pytest.fixture(scope="module")
def lone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """One of a single worker, with its keys in a file, for tests that leave it serving."""
    folder = tmp_path_factory.mktemp("lone")
    (folder / "keys").write_text(KEY)
    with run_bff(folder, sqlite_url, secret_keys="", secret_keys_file=str(folder / "keys")) as bff:
        yield bff


def test_a68_a_reload_with_a_fault_changes_nothing(tmp_path: Path) -> None:
    """Each fault is told in the log, and the old workers go on, each of which a sound reload has started."""
    with run_bff(tmp_path, sqlite_url, workers="2") as bff:
        before = started(bff)
        for number, text in enumerate(FAULTY.values()):
            (tmp_path / "products.toml").write_text(text)
            reload(bff)
            wait_for(lambda: len(refused(bff)) > number)  # noqa: B023  # asked at once
            assert requests.get(f"{bff.url}/health/ready", timeout=5).ok
        # The kernel's list may leave one out while another child ends.
        wait_for(lambda: workers(bff) == before)
        assert "products.toml" in refused(bff)[0]
        assert world_of(bff).session()


def refused(program: Program) -> list[str]:
    """What was wrong with the reloads that were refused."""
    return [line["error"] for line in program.lines() if line["event"] == "reload refused"]


def test_a68_a_secret_in_a_file_is_read_anew_and_checked(lone: Program) -> None:
    """A setting that comes from a file is checked and taken at a reload as the product file is."""
    keys = lone.log.parent / "keys"
    token = world_of(lone).session()
    keys.write_text("short")
    reload(lone)
    wait_for(lambda: refused(lone))
    assert "SECRET_KEYS" in refused(lone)[0]
    assert world_of(lone).begin(token)
    keys.write_text(secrets.token_urlsafe(40))  # Another than that of an earlier run of this test.
    reload(lone)
    lone.line(event="reloaded")
    wait_for(lambda: len(workers(lone)) == 1)
    # The old key is gone, and with it the session.
    assert world_of(lone).page("GET", "/v1/config", token).status_code == 401


def test_a68_the_embedded_service_keeps_its_catalogue(tmp_path: Path) -> None:
    """A typo is refused at the reload; a sound catalogue is served after it, and shown after the BFF's."""
    with (
        run_partner(tmp_path, sqlite_url) as partner,
        run_bff(tmp_path, sqlite_url, partner=partner.url) as bff,
    ):
        catalogue = tmp_path / "catalogue.toml"
        sound, before = catalogue.read_text(), workers(partner)
        catalogue.write_text(sound.replace("[[connector]]", "[[connector]", 1))
        reload(partner)
        wait_for(lambda: refused(partner))
        assert workers(partner) == before
        assert requests.get(f"{partner.url}/health/ready", timeout=5).ok
        wait_for(lambda: shown(bff) == "Sandbox CRM")
        catalogue.write_text(sound.replace("Sandbox CRM", "Renamed CRM"))
        reload(partner)
        partner.line(event="reloaded")
        wait_for(lambda: not set(workers(partner)) & set(before))
        reload(bff)
        bff.line(event="reloaded")
        wait_for(lambda: shown(bff) == "Renamed CRM")


def shown(bff: Program) -> str:
    """What a page calls the sandbox."""
    asked = world_of(bff).page("GET", "/v1/config", world_of(bff).session()).json()
    return str(next(item["name"] for item in asked["connectors"] if item["key"] == "sandbox"))


@contextlib.contextmanager
def without_database(bff: Program) -> Iterator[None]:
    """The files of its database are elsewhere, and nothing can be made in their place."""
    folder = bff.log.parent
    for part in folder.glob("bff.db*"):
        part.rename(folder / part.name.replace("bff.db", "away"))
    (folder / "bff.db").mkdir()
    try:
        yield
    finally:
        (folder / "bff.db").rmdir()
        for part in folder.glob("away*"):
            part.rename(folder / part.name.replace("away", "bff.db"))


def test_a68_new_workers_that_cannot_start_replace_nobody(lone: Program) -> None:
    """With the database away a reload fails; the old workers go on, and serve when it is back."""
    before = workers(lone)
    with without_database(lone):
        reload(lone)
        lone.line(event="reload failed")
        assert requests.get(f"{lone.url}/health/live", timeout=5).ok
    assert set(before) <= set(workers(lone))
    wait_for(lambda: requests.get(f"{lone.url}/health/ready", timeout=5).ok)
    assert world_of(lone).session()


def test_a68_a_worker_that_cannot_start_is_started_again(lone: Program) -> None:
    """All workers are killed while there is no database: the port answers, and later serves again."""
    with without_database(lone):
        for worker in workers(lone):
            os.kill(worker, signal.SIGKILL)
        wait_for(lambda: answers(lone, "/health/live") == 200)
        assert answers(lone, "/health/ready") == 503
        refusal = requests.post(f"{lone.url}/v1/sessions", json={}, timeout=5)
        assert (refusal.status_code, refusal.json()["code"]) == (503, "storage_unavailable")
        assert refusal.headers["Retry-After"]
        assert "error" not in refusal.json(), "the widget then repeats the call"
    wait_for(lambda: answers(lone, "/health/ready") == 200)
    assert world_of(lone).session()


def test_a68_a_worker_that_is_replaced_applies_nothing(lone: Program) -> None:
    """A product file that is being edited stops no worker that only takes a dead one's place."""
    products = lone.log.parent / "products.toml"
    products.write_text("half of an ed")
    try:
        (before,) = workers(lone)
        os.kill(before, signal.SIGKILL)
        wait_for(lambda: answers(lone, "/health/ready") == 200 and before not in workers(lone))
        assert world_of(lone).session()
    finally:
        products.write_text(PRODUCTS)


def answers(program: Program, path: str) -> int:
    """The status that a path has now; 0 for no answer."""
    try:
        return requests.get(program.url + path, timeout=5).status_code
    except requests.RequestException:
        return 0
