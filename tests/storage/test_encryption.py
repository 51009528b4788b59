"""What is at rest: sealed where it must be read again, hashed where it need not be, and never plain."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import MetaData, create_engine, insert, select, update

from bff.partner import clock, reencryption
from bff.partner.__main__ import main
from bff.partner.account_connectors import store
from bff.partner.crypto import CannotOpen, Vault, sha256
from bff.partner.grants import noting
from bff.partner.reencryption import SEALED, re_encrypt, rows_of
from bff.partner.storage import tables
from bff.partner.storage.database import Database
from tests.support.databases import DatabaseUrl
from tests.support.third_party import Connection, ThirdParty
from tests.support.world import CLIENT_ID, CLIENT_SECRET, SANDBOX_SECRET, SECRET_KEY, World

pytestmark = pytest.mark.one_database

FIRST, SECOND = bytes(32), bytes([1]) * 32
OLD = Vault({"k1": FIRST})
BOTH = Vault({"k2": SECOND, "k1": FIRST})
NEW = Vault({"k2": SECOND})


@given(st.text(), st.text(min_size=1))
def test_a50_what_is_sealed_opens_in_its_place_only(text: str, context: str) -> None:
    """AES-256-GCM, its key's id in front; in another table, row or column it does not open."""
    sealed = BOTH.seal(text, f"table:1:{context}")
    assert sealed.startswith("k2.")
    assert BOTH.open(sealed, f"table:1:{context}") == text
    for other in (f"table:2:{context}", f"other:1:{context}", f"table:1:{context}x", ""):
        with pytest.raises(CannotOpen):
            BOTH.open(sealed, other)


@given(st.data())
def test_a50_a_changed_value_does_not_open(data: st.DataObject) -> None:
    """Cut anywhere, or changed in one bit of any part: an error, never another text."""
    sealed = BOTH.seal("a secret", "here")
    cut = data.draw(st.integers(0, len(sealed) - 1))
    with pytest.raises(CannotOpen):
        BOTH.open(sealed[:cut], "here")
    key_id, *parts = sealed.split(".")
    number = data.draw(st.integers(0, 1))
    raw = bytearray(base64.urlsafe_b64decode(parts[number] + "=="))
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    parts[number] = base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
    with pytest.raises(CannotOpen):
        BOTH.open(".".join([key_id, *parts]), "here")


def test_a50_another_key_opens_nothing() -> None:
    """A removed key, another key of the same id, and another key's id before a good ciphertext."""
    sealed = OLD.seal("a secret", "here")
    assert BOTH.open(sealed, "here") == "a secret"
    for vault in (NEW, Vault({"k1": SECOND}), Vault({"k1": SECOND, "k2": FIRST})):
        with pytest.raises(CannotOpen, match="a sealed value of here does not open"):
            vault.open(sealed, "here")
    renamed = "k2" + sealed.removeprefix("k1")
    with pytest.raises(CannotOpen):
        Vault({"k2": FIRST}).open(renamed, "here")


def test_a50_no_value_is_sealed_twice_alike() -> None:
    """Each has a random nonce of 96 bits."""
    nonces = {BOTH.seal("the same", "here").split(".")[1] for _ in range(1000)}
    assert len(nonces) == 1000
    assert {len(base64.urlsafe_b64decode(nonce + "==")) for nonce in nonces} == {12}


@pytest.mark.parametrize("column", ["ClientId", "ClientSecret"])
def test_a50_swapped_rows_are_noticed(world: World, third: ThirdParty, column: str) -> None:
    """Two properties whose stored values change places: they have no value, and no sign-in begins."""
    connection = Connection(world, third.offer(world))
    given = [{"Name": "ClientId", "Value": "public"}, {"Name": "ClientSecret", "Value": "hidden"}]
    connection.api.call("PUT", connection.path, {"Properties": given})
    table = tables.property_value
    ours = table.c.account_connector_id == connection.id
    with world.partner_service.database.writing() as database:
        values = {row.name: row.value for row in database.execute(select(table).where(ours))}
        other = ({*values} - {column}).pop()
        database.execute(update(table).where(ours, table.c.name == column).values(value=values[other]))
    assert connection.start().status_code == 500
    listed = connection.api.call("GET", f"{connection.path}/properties").json()
    assert {item["Name"]: item["Value"] for item in listed}[column] is None


MOVED: Final = {
    "to another account": lambda other: {"account_id": other.api.account},
    "to another connector": lambda other: {"connector_id": other.item.id},
}


@pytest.mark.parametrize("how", MOVED)
def test_a50_a_row_that_changes_its_owner_opens_no_more(world: World, third: ThirdParty, how: str) -> None:
    """Who can write the database, and has no key, gives no connection away, and sends it nowhere else."""
    victim = Connection(world, third.offer(world)).connect()
    mallory = Connection(world, third.offer(world))
    given = {"Properties": [{"Name": "ClientId", "Value": "public"}]}
    victim.api.call("PUT", victim.path, given)
    victim.age(-1.0)
    asked = len(third.forms("token"))
    victim.change(name="moved", **MOVED[how](mallory))
    thief = mallory.api if how == "to another account" else victim.api
    assert thief.call("POST", f"{victim.path}/accesstoken").status_code == 409
    shown = thief.call("GET", victim.path).json()
    assert [item["Value"] for item in shown["Properties"]] == [None]
    assert (shown["Authenticated"], shown["Hitchpost"]["Scopes"]) == (False, None)
    assert len(third.forms("token")) == asked


def test_a50_a_held_grant_is_accepted_where_it_was_held_only(world: World, third: ThirdParty) -> None:
    """Its row in the table of sign-ins, put below another account's connector, opens no more."""
    offered = third.offer(world, userinfo_url=f"{third.url}/userinfo", account_claim="email")
    third.says["userinfo"] = lambda _: {"email": "ada"}
    victim, mallory = Connection(world, offered).connect(), Connection(world, offered).connect()
    third.says["userinfo"] = lambda _: {"email": "grace"}
    victim.answer(victim.begin(), code="another")
    digest = victim.last_sign_in()["TokenSha256"]
    before, table = mallory.credentials(), tables.sign_in
    with world.partner_service.database.writing() as connection:
        held = update(table).where(table.c.token_sha256 == digest)
        connection.execute(held.values(account_connector_id=mallory.id))
    assert mallory.api.call("PUT", f"{mallory.path}/signins/{digest}/accept").status_code == 500
    assert mallory.credentials() == before


def test_a50_a_flow_ends_for_whom_it_began_only(world: World, third: ThirdParty) -> None:
    """Its row, put below another account's connector while the user consents, brings that one nothing."""
    offered = third.offer(world)
    victim, mallory = Connection(world, offered), Connection(world, offered)
    state, table = victim.begin(), tables.flow
    with world.partner_service.database.writing() as connection:
        ours = update(table).where(table.c.state_sha256 == sha256(state))
        connection.execute(ours.values(account_connector_id=mallory.id))
    assert victim.answer(state, code="a-code").status_code == 500
    assert mallory.told()["Authenticated"] is False
    assert third.forms("token") == []


@pytest.fixture
def database_at(tmp_path: Path, database_url: DatabaseUrl) -> str:
    """The URL of a database of this test's own."""
    return database_url(tmp_path, "partner")


def fill(database: Database, vault: Vault, count: int = 1) -> None:
    """Rows with a sealed value in every sealed column."""
    now = clock.now()
    with database.writing() as connection:
        connection.execute(insert(tables.account).values(id="a", created_at=now, details={}))
        for number in range(1, count + 1):
            known: dict[str, Any] = {"id": number, "account_id": "a", "connector_id": 1, "name": f"n{number}"}
            connection.execute(insert(tables.account_connector).values(known))
            of = {"account_connector_id": number}
            rows: dict[Any, dict[str, Any]] = {
                tables.property_value: {"id": number, **of, "name": "p", "value": ""},
                tables.sign_in: {**of, "token_sha256": f"t{number}", "result": "failed", "at": now},
                tables.flow: {
                    **of,
                    "state_sha256": f"s{number}",
                    "cookie_sha256": "c",
                    "token_sha256": "t",
                    "verifier": "",
                    "target_origin": "https://app.example",
                    "expires_at": now,
                },
                tables.completion: {
                    **of,
                    "code_sha256": f"c{number}",
                    "token_sha256": f"t{number}",
                    "target_origin": "https://app.example",
                    "expires_at": now,
                },
                tables.pending_revocation: {
                    **of,
                    "id": f"r{number}",
                    "connector_id": 1,
                    "account_id": "a",
                    "sealed_grant": "",
                    "sealed_for": noting.sealed_in(f"r{number}", noting.Owner(number, 1, "a")),
                    "created_at": now,
                    "next_at": now,
                },
            }
            for table, values in rows.items():
                connection.execute(insert(table).values(values))
        for sealed in SEALED:
            for row in connection.execute(rows_of(sealed)).all():
                ours = sealed.key == getattr(row, sealed.key.name)
                text = f"secret of {sealed.context(row)}"
                new = {sealed.column: vault.seal(text, sealed.context(row))}
                connection.execute(update(sealed.table).where(ours).values(new))


def opened(database: Database, vault: Vault) -> list[str]:
    """Every sealed value."""
    with database.reading() as connection:
        return [
            vault.open(getattr(row, sealed.column.name), sealed.context(row))
            for sealed in SEALED
            for row in connection.execute(rows_of(sealed).where(sealed.column.is_not(None)))
        ]


def test_a50_re_encryption_knows_every_sealed_column() -> None:
    """What `tables.py` calls sealed: a new column must not be forgotten when keys change."""
    source = Path(tables.__file__).read_text()
    named = re.findall(r'Column\("(\w+)",[^\n]*# sealed', source)
    assert sorted(named) == sorted(sealed.column.name for sealed in SEALED)


def test_a50_re_encryption_leaves_nothing_to_the_old_key(
    database_at: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In batches; all of it opens with the new key alone; a second time there is nothing to do."""
    monkeypatch.setattr(reencryption, "BATCH", 2)
    database = Database(database_at)
    fill(database, OLD, 5)
    before = opened(database, BOTH)
    report = re_encrypt(database, BOTH)
    assert (report.changed, report.faults) == (5 * len(SEALED), [])
    assert report.left == {"k2": 5 * len(SEALED)}
    assert sorted(opened(database, NEW)) == sorted(before)
    again = re_encrypt(database, BOTH)
    assert (again.changed, again.left) == (0, report.left)


def test_a50_what_does_not_open_is_told_and_left(database_at: str) -> None:
    """Its key is named in what is left; all else is done."""
    database = Database(database_at)
    fill(database, Vault({"k0": bytes([7]) * 32}))
    report = re_encrypt(database, BOTH)
    assert report.changed == 0
    assert report.left == {"k0": len(SEALED), "k2": 0}
    assert len(report.faults) == len(SEALED)
    assert "account_connector:1:credentials" in "\n".join(report.faults)


@pytest.mark.both_databases
def test_a50_a_value_that_changes_meanwhile_is_left_alone(database_at: str) -> None:
    """What the running service stored between reading and writing is never undone."""
    database = Database(database_at)
    fill(database, OLD)
    newer = OLD.seal("newer", "account_connector:1:credentials:1:a")
    table, vault = tables.account_connector, BOTH

    class Slow(Vault):
        def open(self, sealed: str, context: str) -> str:
            found = super().open(sealed, context)
            if ":credentials:" in context:
                with database.writing() as connection:
                    connection.execute(update(table).values(credentials=newer))
            return found

    slow = Slow({"k2": SECOND, "k1": FIRST})
    assert re_encrypt(database, slow).left == {"k2": len(SEALED) - 1, "k1": 1}
    with database.reading() as connection:
        assert connection.execute(select(table.c.credentials)).scalar_one() == newer
    assert re_encrypt(database, vault).left == {"k2": len(SEALED)}


def test_a50_keys_are_changed_by_command(
    database_at: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`keys re-encrypt` says what it did and what is left; 1 while something is."""
    fill(Database(database_at), OLD)
    first, second = (base64.b64encode(key).decode() for key in (FIRST, SECOND))
    for name, value in {
        "PUBLIC_URL": "http://127.0.0.1:8002",
        "DATABASE_URL": database_at,
        "CATALOGUE": "unused.toml",
        "CLIENT_ID": CLIENT_ID,
        "CLIENT_SECRET": CLIENT_SECRET,
        "ENCRYPTION_KEYS": f"k2:{second}",
    }.items():
        monkeypatch.setenv(f"HITCHPOST_EMBEDDED_{name}", value)
    assert main(["keys", "re-encrypt"]) == 1
    assert f"key k1: {len(SEALED)} values" in capsys.readouterr().out
    monkeypatch.setenv("HITCHPOST_EMBEDDED_ENCRYPTION_KEYS", f"k2:{second},k1:{first}")
    assert main(["keys", "re-encrypt"]) == 0
    assert f"{len(SEALED)} values sealed anew\nkey k2 (the newest): {len(SEALED)}" in capsys.readouterr().out
    assert main(["keys", "re-encrypt"]) == 0
    assert "0 values sealed anew" in capsys.readouterr().out


def dump(url: str) -> str:
    """Everything in a database, as text."""
    engine = create_engine(url)
    found = MetaData()
    found.reflect(engine)
    with engine.connect() as connection:
        parts = [
            str(tuple(row)) for table in found.sorted_tables for row in connection.execute(select(table))
        ]
    engine.dispose()
    return "\n".join(parts)


def test_a51_no_database_holds_a_secret_in_plain_text(world: World) -> None:
    """After a whole connect, refresh and disconnect, both databases hold none of what was secret in it.

    One-time values are there as their SHA-256: the dump is of the right databases.
    """
    session = world.session()
    attempt = world.begin(session)
    launched = world.launch(attempt["launch_token"]).headers["Location"]
    browser, secrets = requests.Session(), {"session": session, "launch": attempt["launch_token"]}
    started = browser.get(launched, timeout=30, allow_redirects=False)
    consent = browser.get(started.headers["Location"], timeout=30)
    key = re.search(r'name="request" value="([^"]+)"', consent.text)
    assert key
    form = {"request": key[1], "account": "ada@sandbox.example", "decision": "allow"}
    decided = browser.post(consent.url, data=form, timeout=30, allow_redirects=False)
    answered = parse_qs(urlsplit(decided.headers["Location"]).query)
    flow = started.headers["Set-Cookie"].partition("=")[2].partition(";")[0]
    browser.get(decided.headers["Location"], timeout=30)
    assert world.read(attempt["id"])["status"] == "connected"
    asked = parse_qs(urlsplit(launched).query)
    secrets |= {
        "sign-in token": asked["token"][0],
        "state": answered["state"][0],
        "code": answered["code"][0],
    }
    service, table = world.partner_service, tables.account_connector
    with service.database.reading() as connection:
        row = connection.execute(select(table).where(table.c.id == int(asked["id"][0]))).one()
    kept = service.vault.open(row.credentials, store.sealed_in(row, "credentials"))
    for name in ("access_token", "refresh_token"):
        value = re.search(rf'"{name}": ?"([^"]+)"', kept)
        assert value
        secrets[name] = value[1]
    secrets |= {"flow cookie": flow, "our client secret": SANDBOX_SECRET, "API secret": CLIENT_SECRET}
    secrets["secret key"] = SECRET_KEY
    stored = dump(world.bff_database) + dump(world.partner_database)
    assert [name for name, value in secrets.items() if value in stored] == []
    for name in ("launch", "sign-in token", "state", "flow cookie", "secret key"):
        assert sha256(secrets[name]) in stored, name


def test_a51_what_is_given_to_the_service_is_sealed(world: World, third: ThirdParty) -> None:
    """An API key, a property, a held grant, a grant to be revoked: none in plain text."""
    item = third.offer(world, userinfo_url=f"{third.url}/userinfo")
    connection = Connection(world, item).connect()
    first = connection.credentials()
    third.says["userinfo"] = lambda _: {"email": "grace"}
    third.says["token"] = lambda _: {
        "access_token": "held-access-token",
        "refresh_token": "held-refresh-token",
        "token_type": "Bearer",
    }
    connection.answer(connection.begin(), code="c")
    api = connection.api
    values = {"AuthValue": "given-api-key", "Properties": [{"Name": "ClientSecret", "Value": "given-secret"}]}
    keyed = api.call("POST", "/v1.0/connectors/101/install", {"Name": "keyed", **values})
    assert keyed.json()["AuthValue"] == "given-api-key"
    third.says["revoke"] = lambda _: (_ for _ in ()).throw(OSError("away"))
    api.call("PUT", f"{connection.path}/deauthenticate")
    stored = dump(world.partner_database)
    plain = ["given-api-key", "given-secret", "held-access-token", "held-refresh-token", api.token]
    plain += [str(first.refresh_token), first.access_token]
    assert [value for value in plain if value in stored] == []
    assert sha256(api.token) in stored


@pytest.mark.parametrize(
    "ask",
    [
        lambda url, token: requests.get(f"{url}/v1.0/accounts", headers={"Authorization": f"Bearer {token}"}),
        lambda url, token: requests.post(
            f"{url}/oauth/token",
            data={"grant_type": "client_credentials", "client_id": CLIENT_ID, "client_secret": token},
        ),
    ],
)
def test_a51_what_is_stored_is_no_key_by_itself(
    world: World, ask: Callable[[str, str], requests.Response]
) -> None:
    """The SHA-256 of a value, as a thief of the database has it, opens nothing."""
    for stored in (sha256(CLIENT_SECRET), sha256("anything"), ""):
        assert ask(world.partner, stored).status_code in {400, 401}
