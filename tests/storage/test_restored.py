"""After a restore nothing that was used or ended since the backup is good again, and no id is given twice."""

from __future__ import annotations

from pathlib import Path

import pytest
import requests
from sqlalchemy import insert, select

from bff.cli.main import main as hitchpost
from bff.partner import clock
from bff.partner.__main__ import main as partner
from bff.partner.storage import tables
from bff.partner.storage.database import Database
from bff.partner.storage.restored import JUMP, void
from bff.serving.database import open_database
from bff.storage.tables import outbox
from bff.studio.access import Role
from bff.web.kit.services import EXTENSION, Services
from tests.partner.test_grants import environment
from tests.support.connections import hear_of, listed
from tests.support.databases import DatabaseUrl
from tests.support.world import World, open_world

pytestmark = pytest.mark.one_database


def services_of(world: World) -> Services:
    """What the BFF works with."""
    found: Services = world.bff_app.extensions[EXTENSION]
    return found


def test_what_was_used_or_ended_is_not_good_again(
    tmp_path: Path,
    database_url: DatabaseUrl,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Sessions, launch tokens, invites, sign-in tokens: whatever the backup has of them.

    New ones are good, and what stands goes on.
    """
    with open_world(tmp_path, database_url=database_url) as world:
        session, studio = world.session(), services_of(world).teams.studio
        launch_token = world.begin(session)["launch_token"]
        minted = world.launch(world.begin(session)["launch_token"]).headers["Location"]
        invite, unused = (
            studio.invite("demo", "ada@example.com", Role.EDITOR)  # type: ignore[attr-defined]
            for _ in range(2)
        )
        entered = studio.sign_in(invite)
        assert entered is not None
        for name, value in environment(world).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("HITCHPOST_DATABASE_URL", world.bff_database)
        assert hitchpost(["db", "restored"]) == 0
        assert partner(["db", "restored"]) == 0
        assert "attempts ended: 2" in capsys.readouterr().out
        services_of(world).sessions.ends._last.clear()  # type: ignore[attr-defined]
        assert world.page("GET", "/v1/config", session).status_code == 401
        assert world.launch(launch_token).status_code == 410
        assert studio.sign_in(unused) is None
        assert studio.session(entered[0]) is None
        assert requests.get(minted, timeout=20, allow_redirects=False).status_code == 403
        assert world.read(world.connect(world.session()))["status"] == "connected"


@pytest.mark.both_databases
def test_what_succeeded_since_the_backup_is_told(
    tmp_path: Path, database_url: DatabaseUrl, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The end that the restore makes of an attempt, and its late success after that."""
    with open_world(tmp_path, database_url=database_url) as world:
        hear_of(world)
        unlaunched, launched = (world.begin(world.session(user=user)) for user in ("grace", "ada"))
        world.sign_in(world.launch(launched["launch_token"]).headers["Location"])
        monkeypatch.setenv("HITCHPOST_DATABASE_URL", world.bff_database)
        assert hitchpost(["db", "restored"]) == 0
        services_of(world).upkeep.housekeeping.recheck_given_up()
        engine = open_database(world.bff_database)
        with engine.connect() as connection:
            told = connection.execute(select(outbox.c.subject, outbox.c.type).order_by(outbox.c.id)).all()
        engine.dispose()
        ids = {unlaunched["id"]: "unlaunched", launched["id"]: "launched"}
        assert sorted((ids[one.subject], one.type) for one in told if one.subject in ids) == [
            ("launched", "attempt.late_success"),
            ("launched", "attempt.settled"),
            ("unlaunched", "attempt.settled"),
        ]
        (stands,) = [each for each in listed(world) if each["connector"] == "sandbox"]
        assert (stands["state"], stands["connected_by"]) == ("connected", "ada")


@pytest.mark.both_databases
def test_ids_of_connections_do_not_come_again(tmp_path: Path, database_url: DatabaseUrl) -> None:
    """What was made after the backup, and is not in it, has an id that nothing gets any more."""
    database = Database(database_url(tmp_path, "partner"))
    before = add(database, "before the backup")
    void(database)
    after = add(database, "after the restore")
    assert after > before + JUMP // 2
    void(database)
    assert add(database, "after another") > after + JUMP // 2
    database.close()


@pytest.mark.both_databases
def test_an_empty_database_counts_on_too(tmp_path: Path, database_url: DatabaseUrl) -> None:
    """A backup may be older than the first connection."""
    database = Database(database_url(tmp_path, "partner"))
    void(database)
    assert add(database, "the first") > JUMP // 2
    database.close()


def add(database: Database, name: str) -> int:
    """A connection; its id."""
    with database.writing() as connection:
        if connection.execute(select(tables.account).where(tables.account.c.id == "acme")).first() is None:
            row = {"id": "acme", "created_at": clock.now(), "details": {}}
            connection.execute(insert(tables.account).values(row))
        made = {"account_id": "acme", "connector_id": 101, "name": name}
        inserted = connection.execute(insert(tables.account_connector).values(made)).inserted_primary_key
        assert inserted is not None
        return int(inserted[0])
