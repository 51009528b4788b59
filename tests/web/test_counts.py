"""What a click costs, in exact counts: nothing creeps in unseen."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine, make_url

from bff.products.store import FRESH_SECONDS
from bff.serving import statements as database_statements
from tests.support.databases import DatabaseUrl
from tests.support.waiting import wait_for
from tests.support.world import World, open_world

pytestmark = pytest.mark.one_database


@contextlib.contextmanager
def statements(world: World) -> Iterator[list[str]]:
    """The statements that the BFF's database is asked meanwhile, without BEGIN and the like."""
    seen, patch = list[str](), pytest.MonkeyPatch()
    ours = make_url(world.bff_database)

    def note(connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        uncounted = statement.startswith(("BEGIN", "PRAGMA")) or is_count(statement)
        if connection.engine.url == ours and not uncounted:
            seen.append(statement.split(None, 1)[0])

    # Some are handed to the driver, which tells SQLAlchemy's listeners nothing.
    run = database_statements._run

    bff = world.bff_app.extensions["hitchpost"].attempts.store._engine.pool

    def noted(connection: Any, compiled: Any, values: Any) -> Any:
        # The partner service of this world runs in the same process, on a database of its own.
        if connection._pool is bff and not is_count(compiled.sql):
            seen.append(compiled.sql.split(None, 1)[0])
        return run(connection, compiled, values)

    event.listen(Engine, "before_cursor_execute", note)
    patch.setattr(database_statements, "_run", noted)
    try:
        yield seen
    finally:
        patch.undo()
        event.remove(Engine, "before_cursor_execute", note)


def is_count(statement: str) -> bool:
    """Whether it counts a call: where there may be several workers the database does (docs/limits.md)."""
    return "rate_limit" in statement


@pytest.fixture(autouse=True)
def remembered(world: World) -> Iterator[None]:
    """Products, origins and ends were read a moment ago, as on any machine that is in use."""
    services = world.bff_app.extensions["hitchpost"]
    products, ends = services.products.stored, services.sessions.ends
    kept = (products._products, products._origins, ends._last)
    for one in kept:
        one.fresh = 3600.0
    world.begin(world.session())
    yield
    for one in kept:
        one.fresh = FRESH_SECONDS


def test_a_prepared_attempt_costs_one_write(world: World) -> None:
    """`POST /v1/attempts`: the attempt is written, nothing is read, nobody else is asked."""
    token = world.session()
    before = len(world.partner_calls.seen)
    with statements(world) as seen:
        world.begin(token)
    assert seen == ["INSERT"]
    assert len(world.partner_calls.seen) == before


def test_a_warm_launch_costs_one_call(world: World) -> None:
    """`POST /connect/launch`: one look, two writes, and a token, with what it is for, from elsewhere."""
    token = world.session()
    world.launch(world.begin(token)["launch_token"])
    attempt = world.begin(token)
    before = len(world.partner_calls.seen)
    with statements(world) as seen:
        assert world.launch(attempt["launch_token"]).status_code == 303
    assert last_parts(world.partner_calls.seen[before:]) == ["signintoken"]
    assert seen == ["SELECT", "UPDATE", "UPDATE"]


def test_a_press_costs_one_look_and_its_launch_no_call(world: World) -> None:
    """`POST /v1/press`: one look, no write, one token; the launch after it writes as ever and asks nobody."""
    token = world.session()
    world.launch(world.begin(token)["launch_token"])
    attempt = world.begin(token)
    before = len(world.partner_calls.seen)
    prefetcher = world.bff_app.extensions["hitchpost"].attempts.service._prefetcher
    with statements(world) as seen:
        assert world.press(attempt["launch_token"]).status_code == 204
        wait_for(prefetcher._kept[attempt["id"]][1].done)
    assert seen == ["SELECT"]
    assert last_parts(world.partner_calls.seen[before:]) == ["signintoken"]
    with statements(world) as seen:
        assert world.launch(attempt["launch_token"]).status_code == 303
    assert last_parts(world.partner_calls.seen[before:]) == ["signintoken"]
    assert seen == ["SELECT", "UPDATE", "UPDATE"]


def test_a_launch_at_a_service_that_tells_less_costs_two_calls(
    tmp_path: Path, database_url: DatabaseUrl
) -> None:
    """As at Cyclr: what is installed is read as well, and no more."""
    with open_world(tmp_path, database_url=database_url, tell_sign_ins=False) as world:
        token = world.session()
        world.launch(world.begin(token)["launch_token"])
        attempt = world.begin(token)
        before = len(world.partner_calls.seen)
        with statements(world) as seen:
            assert world.launch(attempt["launch_token"]).status_code == 303
        assert sorted(last_parts(world.partner_calls.seen[before:])) == ["connectors", "signintoken"]
        # The second SELECT: who else signs in there.
        assert seen == ["SELECT", "UPDATE", "SELECT", "UPDATE"]


def last_parts(calls: list[tuple[str, str]]) -> list[str]:
    """What was asked for, by the last part of each path."""
    return [path.rsplit("/", 1)[-1] for _, path in calls]


def test_a_waiting_pages_read_costs_no_more_than_its_rows(world: World) -> None:
    """`GET /v1/attempts/{id}` between two checks: the attempt is read, and nothing is written."""
    token = world.session()
    attempt = world.begin(token)
    world.launch(attempt["launch_token"])
    world.page("GET", f"/v1/attempts/{attempt['id']}", token)
    with statements(world) as seen:
        world.page("GET", f"/v1/attempts/{attempt['id']}", token)
    assert seen == ["SELECT"]


def test_an_ended_attempts_read_writes_nothing(world: World) -> None:
    """An attempt that has ended is read, and nobody is asked."""
    token = world.session()
    attempt = world.connect(token)
    assert world.read(attempt)["status"] == "connected"
    before = len(world.partner_calls.seen)
    with statements(world) as seen:
        world.page("GET", f"/v1/attempts/{attempt}", token)
    assert set(seen) == {"SELECT"}
    assert len(world.partner_calls.seen) == before


def test_a_configuration_costs_two_looks_and_one_call(world: World) -> None:
    """`GET /v1/config`, asked again: what is known and who signs in is read, and nothing is written."""
    token = world.session()
    assert world.read(world.connect(token))["status"] == "connected"
    world.page("GET", "/v1/config", token)
    overview = world.bff_app.extensions["hitchpost"].connections.overview
    overview._kept.clear()
    before = len(world.partner_calls.seen)
    with statements(world) as seen:
        world.page("GET", "/v1/config", token)
        world.page("GET", "/v1/config", token)
    assert seen == ["SELECT", "SELECT"] * 2
    assert last_parts(world.partner_calls.seen[before:]) == ["connectors"]


def test_an_ending_costs_one_more_statement(world: World) -> None:
    """The event goes with the change; where nobody is to be told the statement writes nothing."""
    token = world.session()
    attempt = world.begin(token)
    with statements(world) as seen:
        world.page("POST", f"/v1/attempts/{attempt['id']}/cancel", token, json={})
    assert seen[-2:] == ["UPDATE", "INSERT"]
    assert seen.count("INSERT") <= 2, "the other is the signal, in the attempt's story"
