"""Connections in the database, on both kinds of it: of many at once one changes a row, and tells of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, delete, func, insert, select, text

from bff.connect.attempt import LAUNCHED_LIFE, LIVE, Status
from bff.connect.ports import HostSignInUrl
from bff.connect.store import DatabaseAttempts
from bff.connections.connection import Change, State, Stored
from bff.connections.store import DatabaseConnections
from bff.serving.database import open_database
from bff.storage.schema import SCHEMA
from bff.storage.tables import connections, outbox, products, sign_in_urls
from tests.connect.test_timeline import attempt
from tests.support.connections import hear
from tests.support.databases import DatabaseUrl

NOW = datetime(2030, 1, 1, tzinfo=UTC)
ADAS = Stored("demo", "acme", 7, "crm", "CRM", State.CONNECTED, NOW, NOW, sequence=1, look_at=NOW)
LATER = NOW + timedelta(seconds=1)
AT_ONCE = 8


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory, database_url: DatabaseUrl) -> Iterator[Engine]:
    """One for all."""
    folder: Path = tmp_path_factory.mktemp("connections")
    made = open_database(database_url(folder, "bff"))
    SCHEMA.upgrade(made)
    hear(made)
    yield made
    made.dispose()


@pytest.fixture
def store(engine: Engine) -> DatabaseConnections:
    """Of an empty table."""
    with engine.begin() as connection:
        connection.execute(connections.delete())
        connection.execute(outbox.delete())
        connection.execute(sign_in_urls.delete())
    return DatabaseConnections(engine)


def told(engine: Engine) -> int:
    """How many events wait to be told."""
    with engine.connect() as connection:
        return int(connection.execute(select(func.count()).select_from(outbox)).scalar_one())


def at_once(work: Callable[[int], object]) -> list[object]:
    """Many do it at one moment."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(work, range(AT_ONCE)))


def test_what_is_kept_is_what_was_given(store: DatabaseConnections) -> None:
    """Each field, and by account."""
    full = replace(
        ADAS,
        reason="revoked",
        connected_at=NOW,
        connected_by="ada",
        connected_by_name="Ada",
        owner="ada",
        authenticated_at=NOW,
        external_account="ada@crm.example",
        scopes=("a", "b"),
        wanted_scopes=("a",),
        expires_at=NOW,
        extra={"realm": "1"},
        removed_at=NOW,
        ending_until=NOW,
        ending_by="user:" + "a" * 255,
        taken_until=NOW,
        taken_by="att_1",
    )
    assert store.apply(Change(full), None)
    assert store.of_account("demo", "acme") == {7: full}
    assert store.get("demo", "acme", 7) == full
    assert store.of_account("demo", "other") == store.of_account("other", "acme") == {}


def test_of_many_who_note_it_first_one_does(store: DatabaseConnections, engine: Engine) -> None:
    """And its event is told once."""
    done = at_once(lambda _: store.apply(Change(ADAS, "connection.connected"), None))
    assert sorted(done) == [False] * (AT_ONCE - 1) + [True]  # type: ignore[type-var]
    assert told(engine) == 1


def test_of_many_who_saw_the_same_version_one_changes_it(store: DatabaseConnections, engine: Engine) -> None:
    """What the others saw is old by then."""
    store.apply(Change(ADAS), None)
    lost = Change(replace(ADAS, state=State.NEEDS_RECONNECT, sequence=2), "connection.needs_reconnect")
    assert sum(bool(done) for done in at_once(lambda _: store.apply(lost, 0))) == 1
    assert told(engine) == 1
    assert not store.apply(lost, 0)


SIGN_INS = {
    "nobody knows": ({"status": Status.CANCELLED}, True),
    "connected before": ({"status": Status.CONNECTED, "attributed": True, "settled_at": NOW}, False),
    "connected after": ({"status": Status.CONNECTED, "attributed": True, "settled_at": LATER}, True),
    "perhaps another's": ({"status": Status.CONNECTED, "attributed": False, "settled_at": NOW}, True),
    "late success before": ({"status": Status.EXPIRED, "late_success_at": NOW}, False),
    "late success after": ({"status": Status.EXPIRED, "late_success_at": LATER}, True),
    "came back": ({"status": Status.EXPIRED, "returned_at": NOW}, False),
    "came back refused": ({"status": Status.DECLINED, "returned_at": LATER, "return_error": "no"}, False),
}


@pytest.mark.parametrize("sign_in", SIGN_INS)
def test_a_sign_in_is_open_until_it_is_known_to_be_over(
    store: DatabaseConnections, engine: Engine, sign_in: str
) -> None:
    """At a time: what connects afterwards may be its work."""
    changed, is_open = SIGN_INS[sign_in]
    name, account_connector_id = f"att_{sign_in}", 1000 + list(SIGN_INS).index(sign_in)
    facts = {"launch_token_sha256": name, "minted_at": NOW, "account_connector_id": account_connector_id}
    DatabaseAttempts(engine).add(attempt(id=name, **facts, **changed))
    assert store.open_sign_ins(account_connector_id, NOW, NOW) == ([NOW] if is_open else [])
    assert store.open_sign_ins(account_connector_id, LATER, NOW) == []


def test_what_was_launched_runs_until_its_time_is_over(store: DatabaseConnections, engine: Engine) -> None:
    """Whatever account connector it signs in to, of its account alone."""
    facts = {"launch_token_sha256": "lt", "account_connector_id": 7, "status": Status.LAUNCHED}
    DatabaseAttempts(engine).add(attempt(id="att_running", **facts, expires_at=LATER))
    runs = [each.attempt for each in store.running("demo", "acme", NOW)]
    assert "att_running" in runs
    assert "att_running" not in [each.attempt for each in store.running("demo", "acme", LATER)]
    assert store.running("demo", "other", NOW) == []


def test_decisions_at_once_see_each_other(store: DatabaseConnections) -> None:
    """None is lost, also where there was no row to lock before the first."""

    def one_more(row: Stored | None) -> Change:
        return Change(replace(row or ADAS, sequence=(row or replace(ADAS, sequence=0)).sequence + 1))

    at_once(lambda _: store.decide("demo", "acme", 7, one_more))
    assert store.of_account("demo", "acme")[7].sequence == AT_ONCE


def test_what_was_stored_without_a_next_check_is_made_due(store: DatabaseConnections, engine: Engine) -> None:
    """Some at a time; not what has ended, nor what a removed product has left."""
    registered = {"key": "demo", "name": "Demo", "document": {}}
    with engine.begin() as connection:
        connection.execute(delete(products))
        connection.execute(insert(products).values(registered))
    later = NOW + timedelta(hours=1)
    rows = [
        replace(ADAS, account_id="planned", look_at=later),
        replace(ADAS, account_id="a", look_at=None),
        replace(ADAS, account_id="b", look_at=None, state=State.NEEDS_RECONNECT),
        replace(ADAS, account_id="ended", look_at=None, state=State.DISCONNECTED),
        replace(ADAS, product="gone", look_at=None),
    ]
    for row in rows:
        assert store.apply(Change(row), None)
    assert [store.schedule(NOW, 1) for _ in range(3)] == [1, 1, 0]
    assert sorted(store.due(NOW, 10)) == [("demo", "a"), ("demo", "b")]
    with engine.begin() as connection:
        connection.execute(delete(products))


def test_an_account_that_is_due_is_looked_at_by_one_worker(store: DatabaseConnections) -> None:
    """Until its lease ends; the longest due comes first, and an account once."""
    store.apply(Change(ADAS), None)
    store.apply(Change(replace(ADAS, account_connector_id=8)), None)
    store.apply(Change(replace(ADAS, account_id="older", look_at=NOW - timedelta(hours=1))), None)
    store.apply(Change(replace(ADAS, account_id="later", look_at=NOW + timedelta(hours=1))), None)
    store.apply(Change(replace(ADAS, account_id="never", look_at=None)), None)
    assert store.due(NOW, 10) == [("demo", "older"), ("demo", "acme")]
    until = NOW + timedelta(minutes=5)
    assert sum(bool(done) for done in at_once(lambda _: store.claim("demo", "acme", NOW, until))) == 1
    assert store.due(NOW, 10) == [("demo", "older")]
    assert ("demo", "acme") in store.due(until, 10)
    store.postpone("demo", "acme", until + timedelta(hours=1))
    assert ("demo", "acme") not in store.due(until, 10)


def test_one_that_stands_for_nothing_is_taken_by_one(store: DatabaseConnections) -> None:
    """What stands is nobody's to take; a taking ends by itself."""
    blank = replace(ADAS, account_connector_id=9, state=State.DISCONNECTED, look_at=None)
    until = NOW + timedelta(minutes=1)
    assert sum(bool(done) for done in at_once(lambda n: store.take(blank, until, f"att_{n}"))) == 1
    assert not store.take(blank, until, "att_late")
    assert store.take(replace(blank, changed_at=until), until + timedelta(minutes=1), "att_late")
    store.apply(Change(ADAS), None)
    assert not store.take(replace(blank, account_connector_id=7), until, "att_late")


def test_one_that_lost_its_grant_is_claimed_by_one_attempt(store: DatabaseConnections) -> None:
    """Of several users who add a connection, one signs in to it again."""
    lost = replace(ADAS, account_connector_id=9, state=State.NEEDS_RECONNECT, look_at=None)
    store.apply(Change(lost), None)
    until = NOW + timedelta(minutes=1)
    assert sum(bool(done) for done in at_once(lambda n: store.take(lost, until, f"att_{n}"))) == 1
    assert store.of_account("demo", "acme")[9].state is State.NEEDS_RECONNECT


def test_what_was_taken_is_its_attempts_until_that_has_ended(
    store: DatabaseConnections, engine: Engine
) -> None:
    """A launch that is tried again has it still; what failed holds up nobody."""
    blank = replace(ADAS, account_connector_id=9, state=State.DISCONNECTED, look_at=None)
    until, attempts = NOW + timedelta(minutes=1), DatabaseAttempts(engine)
    attempts.add(attempt(id="att_mine"))
    takers = ("att_mine", "att_other", "att_mine")
    assert [store.take(blank, until, by) for by in takers] == [True, False, True]
    attempts.transition("att_mine", LIVE, {"status": Status.FAILED, "settled_at": NOW})
    assert [store.take(blank, until, by) for by in ("att_other", "att_mine")] == [True, False]


def test_products_that_share_an_account_take_one_once(store: DatabaseConnections) -> None:
    """Whichever is first; what stands for another one of them is nobody's to take, and no row is made."""
    group, until = ("demo", "other", "third"), NOW + timedelta(minutes=1)
    blank = replace(ADAS, account_connector_id=9, state=State.DISCONNECTED, look_at=None)
    of = [replace(blank, product=product) for product in group]
    taken = at_once(lambda n: store.take(of[n % 3], until, f"att_{n}", group))
    assert sum(bool(done) for done in taken) == 1
    assert sum(len(store.of_account(product, "acme")) for product in group) == 1
    assert not store.take(of[0], until, "att_late", group)
    later, again = until, until + timedelta(minutes=1)
    assert store.take(replace(of[1], changed_at=later), again, "att_late", group)
    store.apply(Change(replace(ADAS, product="other", account_connector_id=8)), None)
    assert not store.take(replace(of[2], account_connector_id=8), until, "att_other", group)


def test_an_unfinished_sign_in_url_has_its_connection_as_long_as_an_attempt(
    store: DatabaseConnections, engine: Engine
) -> None:
    """Its user may be signing in now. Once it has connected it, or its time is over, anybody may take it."""
    attempts, minute = DatabaseAttempts(engine), timedelta(minutes=1)
    attempts.note_sign_in_url(HostSignInUrl(9, "demo", "acme", "ada", NOW, False, "a" * 64))
    blank = replace(ADAS, account_connector_id=9, state=State.DISCONNECTED, look_at=None)

    def is_free(at: datetime, account_connector_id: int = 9) -> bool:
        taken = replace(blank, account_connector_id=account_connector_id, changed_at=at)
        return store.take(taken, at + minute, "att_1", ("demo", "other"))

    assert is_free(NOW, 8)
    assert not is_free(NOW + LAUNCHED_LIFE - minute)
    assert is_free(NOW + LAUNCHED_LIFE)
    lost = replace(blank, state=State.NEEDS_RECONNECT, connected_at=NOW + minute)
    store.apply(Change(lost), store.of_account("demo", "acme")[9].version)
    assert is_free(NOW + 2 * minute)


def test_a_claim_is_released_for_all_who_share_the_account(store: DatabaseConnections) -> None:
    """No other claim ends with it."""
    blank, until = replace(ADAS, state=State.DISCONNECTED, look_at=None), NOW + timedelta(minutes=1)
    group = ("demo", "other")
    for number, by in ((8, "url_1"), (9, "url_2")):
        assert store.take(replace(blank, account_connector_id=number), until, by, group)
    store.release("acme", "url_1", group)
    of_other = replace(blank, product="other")
    taken = [store.take(replace(of_other, account_connector_id=n), until, "att_1", group) for n in (8, 9)]
    assert taken == [True, False]


QUESTIONS = {
    "of an account": "SELECT * FROM connections WHERE product = 'demo' AND account_id = 'a7' ORDER BY number",
    "due": "SELECT product, account_id FROM connections WHERE look_at IS NOT NULL"
    " AND look_at <= '2020-01-01' ORDER BY look_at LIMIT 20",
    "running": "SELECT id FROM attempts WHERE status = 'launched' AND product = 'demo' AND account_id = 'a7'",
    "minted": "SELECT id FROM attempts WHERE account_connector_id = 7 AND minted_at >= '2020-01-01'",
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_no_question_reads_a_whole_table(store: DatabaseConnections, engine: Engine, question: str) -> None:
    """However many connections there are: each is answered by an index."""
    explain = "EXPLAIN QUERY PLAN" if engine.dialect.name == "sqlite" else "EXPLAIN"
    with engine.begin() as connection:
        rows = [{"product": "demo", "account_id": f"a{n}", "account_connector_id": n} for n in range(3000)]
        same = {
            "connector_key": "crm",
            "connector_name": "CRM",
            "state": "connected",
            "sequence": 1,
            "version": 0,
            "changed_at": NOW,
            "seen_at": NOW,
            "look_at": NOW,
        }
        connection.execute(insert(connections), [row | same for row in rows])
        if engine.dialect.name != "sqlite":
            connection.execute(text("SET LOCAL enable_seqscan = off"))
        plan = " ".join(str(row) for row in connection.execute(text(f"{explain} {QUESTIONS[question]}")))
        connection.rollback()
    assert "Seq Scan" not in plan
    assert "SCAN" not in plan.replace("USING", "") or "INDEX" in plan
    assert "index" in plan.lower()
