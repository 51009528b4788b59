"""What the service does although nobody asks."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, func, insert, select, update

from bff.partner import clock, housekeeping
from bff.partner.context import Embedded
from bff.partner.housekeeping import Housekeeper, keep_house
from bff.partner.purge import HELD_KEPT, SIGN_INS_KEPT, TOKENS_KEPT, purge
from bff.partner.storage import tables
from tests.partner.conftest import Api
from tests.support.damage import damage
from tests.support.third_party import Connection, ThirdParty, refused
from tests.support.world import World

OLD = timedelta(days=400)


@pytest.fixture
def service(api: Api) -> Embedded:
    """The running service."""
    return api.world.partner_service


def count(service: Embedded, table: Any, *which: Any) -> int:
    """The rows of a table."""
    with service.database.reading() as connection:
        return connection.execute(select(func.count()).select_from(table).where(*which)).scalar_one()


def add(service: Embedded, table: Any, **values: Any) -> None:
    """A row."""
    with service.database.writing() as connection:
        connection.execute(insert(table).values(values))


def test_tokens_and_flows_go_after_their_time(api: Api, service: Embedded) -> None:
    """A sign-in token a day after it; one that is younger stays, and so does what is still good."""
    now, installed = clock.now(), api.install()["Id"]
    token, flow = tables.sign_in_token, tables.flow
    old, young = f"old-{api.account}", f"young-{api.account}"
    for name, ends in ((old, now - TOKENS_KEPT - OLD), (young, now - TOKENS_KEPT / 2)):
        add(service, token, sha256=name[:64], account_id=api.account, username="ada", expires_at=ends)
        add(service, tables.api_token, sha256=name[:64], expires_at=ends if name == old else now + OLD)
        add(
            service,
            flow,
            state_sha256=name[:64],
            cookie_sha256="c",
            account_connector_id=installed,
            token_sha256="t",
            verifier="v",
            target_origin="https://app.example",
            expires_at=ends if name == old else now + OLD,
        )
    purge(service.database, now, 10_000)
    for table, key in ((token, token.c.sha256), (flow, flow.c.state_sha256)):
        assert (count(service, table, key == old[:64]), count(service, table, key == young[:64])) == (0, 1)
    assert count(service, tables.api_token, tables.api_token.c.sha256 == old[:64]) == 0
    assert api.call("GET", "/v1.0/account/connectors").status_code == 200


def test_the_newest_sign_in_of_a_connection_stays(api: Api, service: Embedded) -> None:
    """Old ones go after a month; how the present state came about is still told."""
    now, installed = clock.now(), api.install()["Id"]
    for number in range(3):
        add(
            service,
            tables.sign_in,
            account_connector_id=installed,
            token_sha256=f"{number}-{api.account}"[:64],
            result="connected",
            at=now - SIGN_INS_KEPT - OLD,
        )
    purge(service.database, now, 10_000)
    told = api.call("GET", f"/v1.0/account/connectors/{installed}").json()["Hitchpost"]
    assert [sign_in["TokenSha256"] for sign_in in told["RecentSignIns"]] == [f"2-{api.account}"[:64]]


def test_a_held_grant_that_nobody_can_open_goes_too(api: Api, service: Embedded) -> None:
    """What cannot be revoked is at least not kept."""
    now, installed = clock.now(), api.install()["Id"]
    values = {"account_connector_id": installed, "token_sha256": api.account[:64], "result": "failed"}
    add(service, tables.sign_in, **values, at=now, held="k9.not.ours")
    ours = tables.sign_in.c.account_connector_id == installed
    purge(service.database, now, 10_000)
    assert count(service, tables.sign_in, ours, tables.sign_in.c.held.is_not(None)) == 1
    purge(service.database, now + HELD_KEPT + timedelta(seconds=1), 10_000)
    assert count(service, tables.sign_in, ours, tables.sign_in.c.held.is_not(None)) == 0


def test_rows_go_in_small_batches_until_none_is_left(
    api: Api, service: Embedded, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One transaction deletes no more than it may; a round leaves nothing over."""
    now, token = clock.now(), tables.api_token
    keep_house(service)
    for number in range(7):
        add(service, token, sha256=f"{number}-{api.account}"[:64], expires_at=now - OLD)
    over = token.c.expires_at < now
    assert purge(service.database, now, 3)["api_token"] == 3
    assert count(service, token, over) == 4
    monkeypatch.setattr(housekeeping, "BATCH", 2)
    keep_house(service)
    assert count(service, token, over) == 0


def test_the_purge_rests_between_its_batches(
    api: Api, service: Embedded, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Most sign-ins meet none of it; and it stops when it is told to."""
    now, token = clock.now(), tables.api_token
    keep_house(service)
    for number in range(7):
        add(service, token, sha256=f"{number}~{api.account}"[:64], expires_at=now - OLD)
    monkeypatch.setattr(housekeeping, "BATCH", 2)
    rests: list[float] = []

    def pause(seconds: float) -> bool:
        rests.append(seconds)
        return len(rests) == 2

    keep_house(service, pause)
    assert count(service, token, token.c.expires_at < now) == 3
    keep_house(service, pause)
    assert count(service, token, token.c.expires_at < now) == 0
    assert min(rests) >= housekeeping.SHORTEST_REST


def test_minting_a_token_deletes_nothing(api: Api, service: Embedded) -> None:
    """No sign-in waits for housekeeping."""
    token = tables.sign_in_token
    add(
        service,
        token,
        sha256=f"m-{api.account}"[:64],
        account_id=api.account,
        username="ada",
        expires_at=clock.now() - OLD,
    )
    api.sign_in_token()
    assert count(service, token, token.c.account_id == api.account) == 2


def test_the_housekeeper_survives_a_round_that_fails(
    api: Api, service: Embedded, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next one does the work, by itself; it ends when it is told to."""
    add(service, tables.api_token, sha256=f"h-{api.account}"[:64], expires_at=clock.now() - OLD)
    gone, failed, done = threading.Event(), [], housekeeping.purge

    def purge_second_time(*arguments: Any) -> dict[str, int]:
        if not failed:
            failed.append(True)
            raise OSError("the database is away")
        found: dict[str, int] = done(*arguments)
        gone.set()
        return found

    monkeypatch.setattr(housekeeping, "purge", purge_second_time)
    keeper = Housekeeper(service, every=0.01)
    keeper.start()
    assert gone.wait(30)
    keeper.stop()
    keeper.join(30)
    assert not keeper.is_alive()
    assert count(service, tables.api_token, tables.api_token.c.sha256 == f"h-{api.account}"[:64]) == 0


def test_two_purge_at_once(api: Api, service: Embedded) -> None:
    """Neither fails, and nothing is deleted twice."""
    now, gone = clock.now(), []
    for number in range(40):
        add(service, tables.api_token, sha256=f"{number}+{api.account}"[:64], expires_at=now - OLD)

    def work() -> None:
        while found := purge(service.database, now, 5)["api_token"]:
            gone.append(found)

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert sum(gone) >= 40
    assert count(service, tables.api_token, tables.api_token.c.expires_at < now) == 0


def test_a_moved_clock_forgets_nothing_of_a_live_connection(api: Api, service: Embedded) -> None:
    """However old, what is connected stays connected."""
    installed = api.install()["Id"]
    table = tables.account_connector
    with service.database.writing() as connection:
        ours = update(table).where(table.c.id == installed)
        connection.execute(ours.values(authenticated=True, authenticated_at=clock.now() - OLD))
    keep_house(service)
    assert api.call("GET", f"/v1.0/account/connectors/{installed}").json()["Authenticated"] is True


def test_a95_a_connection_that_cannot_be_read_holds_up_no_other(
    partner_world: World, third: ThirdParty
) -> None:
    """The one after it is refreshed in the same round; and so is a grant revoked behind one."""
    service, item = partner_world.partner_service, third.offer(partner_world)
    broken, good, ended = (Connection(partner_world, item).connect() for _ in range(3))
    for installed in (broken, good):
        installed.age(-60)
        installed.change(next_refresh_at=clock.now() - OLD)
    third.says["revoke"] = lambda _: refused("temporarily_unavailable", 503)
    for installed in (broken, ended):
        installed.api.call("PUT", f"{installed.path}/deauthenticate")
    broken.connect()
    broken.change(next_refresh_at=clock.now() - OLD)
    revocation, which = tables.pending_revocation, tables.pending_revocation.c.account_connector_id
    with service.database.writing() as connection:
        mine = update(revocation).where(which.in_([broken.id, ended.id]))
        connection.execute(mine.values(next_at=clock.now() - OLD))
    engine = service.database.engine
    damage(engine, tables.account_connector.c.authenticated_at, tables.account_connector.c.id == broken.id)
    damage(engine, revocation.c.created_at, which == broken.id)
    third.says.pop("revoke")
    before = good.credentials().access_token
    keep_house(service)
    assert good.credentials().access_token != before
    assert count(service, revocation, which == ended.id) == 0
    for table, key in ((tables.account_connector, tables.account_connector.c.id), (revocation, which)):
        with service.database.writing() as connection:
            connection.execute(delete(table).where(key == broken.id))
