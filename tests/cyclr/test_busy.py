"""A partner service that asks to be left alone is left alone, and credentials that it refuses are told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, select, update

from bff.common.errors import PartnerUnavailable
from bff.common.secret import Secret
from bff.identity.principal import AccountRef
from bff.outbound.client import HttpClient, Limits
from bff.serving.database import open_database
from bff.storage.schema import SCHEMA
from bff.storage.tables import connections, upstream_tokens
from bff.upstream.access_tokens import TokenEndpoint
from bff.upstream.bearer import Bearer
from bff.upstream.client import PartnerClient
from bff.upstream.retry_after import LOOK_AGAIN, DatabaseQuiet, Quiet
from tests.support.connections import connected, hear_of
from tests.support.cyclr import Cyclr
from tests.support.cyclr.world import open_cyclr_world
from tests.support.databases import DatabaseUrl
from tests.support.world import CLIENT_ID, CLIENT_SECRET


@pytest.mark.parametrize("status", [429, 503])
def test_polls_of_all_attempts_wait_as_long_as_it_says(
    cyclr: Cyclr, client: PartnerClient, account: AccountRef, status: int
) -> None:
    """One is told so; the others do not ask, for whichever account. Whoever clicks is not held up."""
    installed = cyclr.install(account.id, cyclr.releases[0])
    cyclr.habits.busy = {"get_installed": (status, "30")}
    for _ in range(5):
        with pytest.raises(PartnerUnavailable) as told:
            client.get_account_connector(account, installed.id)
    assert len(cyclr.asked("get_installed")) == 1
    assert 25 < (told.value.retry_after or 0) <= 30
    cyclr.habits.busy = {}
    assert client.mint_sign_in_token(account, "ada").value


def test_afterwards_they_ask_again(cyclr: Cyclr, account: AccountRef) -> None:
    """Not before the time that was named."""
    now = [0.0]
    client = PartnerClient(cyclr.api, CLIENT_ID, Secret(CLIENT_SECRET), quiet=Quiet(clock=lambda: now[0]))
    installed = cyclr.install(account.id, cyclr.releases[0])
    cyclr.habits.busy = {"get_installed": (429, "30")}
    with pytest.raises(PartnerUnavailable):
        client.get_account_connector(account, installed.id)
    cyclr.habits.busy = {}
    now[0] = 29.0
    with pytest.raises(PartnerUnavailable):
        client.get_account_connector(account, installed.id)
    now[0] = 30.0
    assert client.get_account_connector(account, installed.id) is not None


def test_a_429_that_names_no_time_is_obeyed_too(
    cyclr: Cyclr, client: PartnerClient, account: AccountRef
) -> None:
    """For a few seconds; a 503 without a time is an outage, and no wish."""
    for status, asked in ((503, 2), (429, 1)):
        cyclr.habits.busy = {"get_installed": (status, None)}
        cyclr.forget_what_was_asked()
        for _ in range(2):
            with pytest.raises(PartnerUnavailable):
                client.get_account_connector(account, 1)
        assert len(cyclr.asked("get_installed")) == asked


def test_what_one_worker_was_told_holds_for_the_others(tmp_path: Path, database_url: DatabaseUrl) -> None:
    """Within half a second; on both databases."""
    engine, now = open_database(database_url(tmp_path, "bff")), [1_900_000_000.0]
    SCHEMA.upgrade(engine)
    with engine.begin() as connection:
        connection.execute(insert(upstream_tokens).values(credential="c"))
    first, second = (Quiet(DatabaseQuiet(engine, "c"), lambda: now[0]) for _ in range(2))
    assert second.left() <= 0
    first.ask_for(30.0)
    now[0] += LOOK_AGAIN
    assert second.left() == pytest.approx(30.0 - LOOK_AGAIN)
    now[0] += 30.0
    assert first.left() <= 0
    assert second.left() <= 0
    engine.dispose()


def test_a73_a_wait_that_nobody_can_have_named_is_none(tmp_path: Path, database_url: DatabaseUrl) -> None:
    """It was stored, or heard, while a clock was wrong: it is not waited for, and the next one counts."""
    engine, now = open_database(database_url(tmp_path, "bff")), [1_900_000_000.0]
    SCHEMA.upgrade(engine)
    wrong = datetime.fromtimestamp(now[0], UTC) + timedelta(days=100)
    with engine.begin() as connection:
        connection.execute(insert(upstream_tokens).values(credential="c", quiet_until=wrong))
    first, second = (Quiet(DatabaseQuiet(engine, "c"), lambda: now[0]) for _ in range(2))
    assert first.left() <= 0
    now[0] += 100 * 86400
    first.ask_for(30.0)
    assert first.left() == 30.0
    now[0] -= 100 * 86400
    assert first.left() <= 0
    first.ask_for(5.0)
    assert first.left() == second.left() == 5.0
    engine.dispose()


@pytest.mark.parametrize("status", [429, 503])
def test_access_tokens_are_not_polled_for_either(
    cyclr: Cyclr, client: PartnerClient, account: AccountRef, status: int
) -> None:
    """Where it is the token endpoint that asks to be left alone. Whoever clicks is not held up."""
    cyclr.habits.busy = {"token": (status, "30")}
    for _ in range(5):
        with pytest.raises(PartnerUnavailable):
            client.get_account_connector(account, 1)
    assert len(cyclr.asked("token")) == 1
    cyclr.habits.busy = {}
    assert client.mint_sign_in_token(account, "ada").value


def test_a_token_is_renewed_no_sooner_than_it_says(cyclr: Cyclr, account: AccountRef) -> None:
    """The old one serves meanwhile."""
    now, client = [0.0], HttpClient(cyclr.api, Limits())
    source = TokenEndpoint(client, CLIENT_ID, Secret(CLIENT_SECRET), lambda: now[0])
    bearer = Bearer(source, lambda: now[0])
    held = bearer.token()
    now[0] = 1_209_599 - 200.0
    cyclr.habits.busy = {"token": (503, "90")}
    cyclr.forget_what_was_asked()
    for seconds in (0.0, 20.0, 40.0):
        now[0] += seconds
        assert bearer.token() == held
    assert len(cyclr.asked("token")) == 1
    cyclr.habits.busy = {}
    now[0] += 31.0
    assert bearer.token() != held


def test_what_a_bff_was_told_is_for_all_of_its_workers(tmp_path: Path) -> None:
    """It stands in the database that they share; and nobody looks at connections unasked meanwhile."""
    with open_cyclr_world(tmp_path) as world:
        hear_of(world)
        connected(world, world.session(), "crm")
        world.cyclr.habits.busy = {"list_installed": (429, "30")}
        world.server("GET", f"/v1/connections?account={world.account}")
        engine = open_database(world.bff_database)
        with engine.begin() as connection:
            told = connection.execute(select(upstream_tokens.c.quiet_until)).scalar_one()
            connection.execute(update(connections).values(look_at=datetime.now(UTC) - timedelta(days=1)))
        engine.dispose()
        assert told - datetime.now(UTC) > timedelta(seconds=20)
        world.cyclr.forget_what_was_asked()
        world.bff_app.extensions["hitchpost"].connections.health.look()
        assert world.cyclr.counts() == {}


def test_a_wrong_client_secret_is_told_and_not_tried_at_every_call(
    cyclr: Cyclr, account: AccountRef, capfd: pytest.CaptureFixture[str]
) -> None:
    """It is a call like every other: a line in the log, a count; and one that says what to check."""
    client = PartnerClient(cyclr.api, CLIENT_ID, Secret("wrong"))
    for _ in range(5):
        with pytest.raises(PartnerUnavailable, match="HITCHPOST_PARTNER_CLIENT_SECRET"):
            client.list_account_connectors(account)
    assert len(cyclr.asked("token")) == 1
    told = capfd.readouterr().out
    assert "path=/oauth/token" in told
    assert "no access token" in told
    assert "wrong" not in told
