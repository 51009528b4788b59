"""What is stored comes to its end, and goes when nobody needs it: on SQLite and on PostgreSQL."""

from __future__ import annotations

import threading
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, insert, select, text, update

from bff.connect.attempt import Attempt, Hint
from bff.connect.housekeeping import Housekeeping
from bff.connect.new_attempt import BeginRequest
from bff.housekeeper import Housekeeper
from bff.purge import UNLAUNCHED_KEPT, DatabasePurger
from bff.serving.database import open_database, writing
from bff.storage.tables import attempt_steps, attempts
from tests.support.core import ADA, ORIGIN, PRODUCT, Core, build_core
from tests.support.databases import DatabaseUrl

RETENTION = timedelta(days=90)


class House:
    """A core, its database, and who keeps house in it."""

    def __init__(self, url: str) -> None:
        self.core: Core = build_core(url)
        self.engine: Engine = open_database(url)
        self.purge = DatabasePurger(self.engine, RETENTION)
        self.keeping = Housekeeping(self.core.attempts, self.core.poller, self.purge, self.core.clock)

    def prepared(self) -> Attempt:
        """An attempt ahead of a click that never comes."""
        return self.core.connect.begin(PRODUCT, ADA, BeginRequest("crm", ORIGIN))[0]

    def multiply(self, least: int) -> None:
        """Copies of the one attempt, until there are at least so many."""
        count, same = 1, [each for each in attempts.c if each.name not in {"id", "launch_token_sha256"}]
        with writing(self.engine).begin() as connection:
            while count < least:
                key = attempts.c.id + f"{count.bit_length():x}"
                rows = select(key, key, *same)
                names = ["id", "launch_token_sha256", *(column.key for column in same)]
                connection.execute(insert(attempts).from_select(names, rows))
                count *= 2

    def count(self) -> int:
        """The attempts that are stored."""
        with self.engine.connect() as connection:
            return connection.execute(select(func.count()).select_from(attempts)).scalar_one()


@pytest.fixture
def house(tmp_path: Path, database_url: DatabaseUrl) -> House:
    """An empty one."""
    return House(database_url(tmp_path, "bff"))


def test_a52_attempts_that_were_never_launched_go_soon(house: House) -> None:
    """An hour after their time, and not before; a launched one of the same age stays."""
    house.prepared()
    launched = house.core.launched()
    house.core.clock.tick(UNLAUNCHED_KEPT.total_seconds())
    assert house.keeping.delete_old()["unlaunched attempts"] == 0
    house.core.clock.tick(601)
    assert house.keeping.delete_old()["unlaunched attempts"] == 1
    assert house.core.read(launched).id == launched.id


def test_a52_old_attempts_go_with_their_story(house: House) -> None:
    """After the retention an attempt and its steps are gone."""
    attempt = house.core.launched()
    house.core.poller.poll(attempt, Hint.FOCUS)
    house.core.clock.tick(RETENTION.total_seconds() + 901)
    assert house.keeping.delete_old()["old attempts"] == 1
    with house.engine.connect() as connection:
        assert connection.execute(select(attempt_steps)).first() is None


def test_a52_the_running_service_purges_by_itself(house: House) -> None:
    """The housekeeper's thread does it, without any request, though another of its works always fails."""
    house.prepared()
    house.core.clock.tick(UNLAUNCHED_KEPT.total_seconds() + 601)
    gone, failed = threading.Event(), []

    class Watched(Housekeeping):
        def end_overdue(self) -> int:
            raise OSError("nobody foresaw it")

        def delete_old(self, pause: object = None) -> dict[str, int]:
            if not failed:
                failed.append(True)
                raise OSError("the database is away")
            found = super().delete_old()
            if house.count() == 0:
                gone.set()
            return found

    keeper = Housekeeper(
        Watched(house.core.attempts, house.core.poller, house.purge, house.core.clock), every=0.01
    )
    keeper.start()
    assert gone.wait(30)
    keeper.stop()
    keeper.join(30)
    assert not keeper.is_alive()


def test_housekeeping_looks_at_no_row_that_it_does_not_need(house: House) -> None:
    """However many attempts are stored, and however many are over, each is found by an index of its own."""
    house.prepared()
    house.multiply(4000)
    now = house.core.clock.now + 2 * RETENTION
    asked = [kind.oldest(5) for kind in house.purge.rules(now) if kind.table is attempts]
    explain = "EXPLAIN QUERY PLAN" if house.engine.dialect.name == "sqlite" else "EXPLAIN"
    with house.engine.connect() as connection:
        connection.execute(text("ANALYZE"))
        for statement, index in zip(asked, ("unlaunched", "launched"), strict=True):
            sql = statement.compile(house.engine, compile_kwargs={"literal_binds": True})
            plan = "\n".join(str(row) for row in connection.execute(text(f"{explain} {sql}")))
            assert f"ix_attempts_{index}" in plan


def test_a52_two_workers_purge_at_once(house: House) -> None:
    """Neither fails, no batch deletes more than it may, and nothing is deleted twice."""
    for _ in range(40):
        house.prepared()
    house.core.clock.tick(UNLAUNCHED_KEPT.total_seconds() + 601)
    now, gone = house.core.clock(), []

    def purge() -> None:
        while count := house.purge.delete_old(now, 5)["unlaunched attempts"]:
            gone.append(count)

    workers = [threading.Thread(target=purge) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert sum(gone) == 40
    assert max(gone) <= 5
    assert house.count() == 0


def test_a52_a_write_that_reads_first_waits_for_another_writer(house: House) -> None:
    """Two transactions that read, then write, at once: both succeed, one after the other."""
    attempt = house.core.launched()
    read, errors = threading.Barrier(2, timeout=30), []

    def count_up() -> None:
        try:
            read.wait()
            with writing(house.engine).begin() as connection:
                wanted = select(attempts.c.polls).where(attempts.c.id == attempt.id).with_for_update()
                seen = connection.execute(wanted).scalar_one()
                connection.execute(update(attempts).where(attempts.c.id == attempt.id).values(polls=seen + 1))
        except Exception as error:  # noqa: BLE001
            errors.append(error)

    both = [threading.Thread(target=count_up) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join(60)
    assert errors == []
    assert house.core.read(attempt).polls == 2
