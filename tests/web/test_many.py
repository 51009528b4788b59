"""Two BFFs and two partner services, each of two workers, on one PostgreSQL, each pair behind one address."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest
import requests
from alembic.config import Config
from alembic.script import ScriptDirectory
from flask import Flask
from sqlalchemy import create_engine, text

import bff.partner.storage.database
import bff.storage.schema
from bff.receipts import FixedKeys, verify
from tests.support.ports import free_ports
from tests.support.postgresql import PostgresqlServer, database_name
from tests.support.programs import SIGNING_KEY
from tests.support.relay import Relay, relayed
from tests.support.servers import serve
from tests.support.started import Program, started
from tests.support.waiting import wait_for
from tests.support.world import (
    CLIENT_ID,
    CLIENT_SECRET,
    OPENED_FOR,
    PRODUCTS,
    SANDBOX_SECRET,
    SECRET_KEY,
    Calls,
    World,
    build_sandbox,
    catalogue_for,
)

MAY_PREPARE: Final = 20


class Fleet:
    """The world behind the two shared addresses, and each program by itself."""

    def __init__(self, world: World, bffs: list[str], partners: list[str], relays: list[Relay]) -> None:
        self.world, self.bffs, self.partners, self.relays = world, bffs, partners, relays

    def at(self, number: int) -> World:
        """The same world as one of the two BFFs alone shows it."""
        return replace(self.world, bff=self.bffs[number])


@pytest.fixture(scope="module")
def fleet(postgresql: PostgresqlServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """All started at the same moment, on databases without a table."""
    folder = tmp_path_factory.mktemp("fleet")
    databases = [postgresql.url(database_name(folder, name)) for name in ("bff", "partner")]
    with contextlib.ExitStack() as stack:
        redirects: list[str] = []
        sandbox = stack.enter_context(serve(lambda url: build_sandbox(url, redirects)))
        ports = free_ports(6)
        bff, partner = (f"http://127.0.0.1:{port}" for port in ports[:2])
        bffs, partners = ([f"127.0.0.1:{port}" for port in pair] for pair in (ports[2:4], ports[4:6]))
        redirects.append(f"{partner}/connector/callback")
        shared = _environment(folder, databases, bff, partner, sandbox)
        relays = [
            stack.enter_context(relayed(pair, port))
            for pair, port in zip((bffs, partners), ports[:2], strict=True)
        ]

        def start(name: str, arguments: list[str], bind: str, **more: str) -> Program:
            variables = {**shared, **more}
            log = folder / f"{name}.log"
            health = f"http://{bind}/health/live"
            return stack.enter_context(started(arguments, variables, log=log, health=health))

        programs = []
        for number, bind in enumerate(partners):
            programs.append(start(f"partner{number}", ["bff", "partner"], bind, HITCHPOST_EMBEDDED_BIND=bind))
        for number, bind in enumerate(bffs):
            programs.append(start(f"bff{number}", ["bff", "serve"], bind, HITCHPOST_BIND=bind))
        for program in programs:
            program.wait_until_ready()
        world = World(bff, partner, sandbox, Flask("elsewhere"), folder, Calls(), *databases)
        yield Fleet(
            world, [f"http://{bind}" for bind in bffs], [f"http://{bind}" for bind in partners], relays
        )
        for program in programs:
            program.kill()


def _environment(folder: Path, databases: list[str], bff: str, partner: str, sandbox: str) -> dict[str, str]:
    (folder / "products.toml").write_text(PRODUCTS)
    (folder / "catalogue.toml").write_text(catalogue_for(sandbox))
    return {
        "HITCHPOST_PUBLIC_URL": bff,
        "HITCHPOST_DATABASE_URL": databases[0],
        "HITCHPOST_SECRET_KEYS": SIGNING_KEY,
        "HITCHPOST_PARTNER_API_URL": partner,
        "HITCHPOST_PARTNER_SERVICE_URL": partner,
        "HITCHPOST_PARTNER_CLIENT_ID": CLIENT_ID,
        "HITCHPOST_PARTNER_CLIENT_SECRET": CLIENT_SECRET,
        "HITCHPOST_PRODUCTS": str(folder / "products.toml"),
        "HITCHPOST_WORKERS": "2",
        "HITCHPOST_THREADS": "8",
        "HITCHPOST_LIMIT_USER_ATTEMPTS": str(MAY_PREPARE),
        "HITCHPOST_EMBEDDED_PUBLIC_URL": partner,
        "HITCHPOST_EMBEDDED_DATABASE_URL": databases[1],
        "HITCHPOST_EMBEDDED_CATALOGUE": str(folder / "catalogue.toml"),
        "HITCHPOST_EMBEDDED_CLIENT_ID": CLIENT_ID,
        "HITCHPOST_EMBEDDED_CLIENT_SECRET": CLIENT_SECRET,
        "HITCHPOST_EMBEDDED_ENCRYPTION_KEYS": "k1:" + "A" * 43 + "=",
        "HITCHPOST_EMBEDDED_WORKERS": "2",
        "HITCHPOST_EMBEDDED_THREADS": "8",
        "HITCHPOST_SANDBOX_CLIENT_SECRET": SANDBOX_SECRET,
    }


@pytest.fixture
def world(fleet: Fleet, request: pytest.FixtureRequest) -> World:
    """The world behind the shared addresses, with an account of this test's own."""
    return replace(fleet.world, account=request.node.name)


def in_parallel(count: int, act: Any) -> list[Any]:
    """What ``act`` answers to each number below ``count``, all at once."""
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(act, range(count)))


def test_all_may_start_at_once(fleet: Fleet) -> None:
    """Eight workers on two empty databases: each schema is made once and whole, and nobody complained."""
    for url, migrations in (
        (fleet.world.bff_database, bff.storage.schema.MIGRATIONS),
        (fleet.world.partner_database, bff.partner.storage.database.MIGRATIONS),
    ):
        config = Config()
        config.set_main_option("script_location", str(migrations))
        engine = create_engine(url)
        with engine.connect() as connection:
            stands = connection.execute(text("SELECT version_num FROM alembic_version")).scalars().all()
        engine.dispose()
        assert stands == [ScriptDirectory.from_config(config).get_current_head()]
    logs = {path.name: path.read_text() for path in fleet.world.folder.glob("*.log")}
    assert [name for name, said in logs.items() if "Traceback" in said] == []


def test_whole_clicks_pass_through_all_of_them(fleet: Fleet, world: World) -> None:
    """Eight at once, each call of each click going to the next program: all end connected."""
    before = [dict(relay.served) for relay in fleet.relays]

    def click(number: int) -> str:
        token = world.session(user=f"user{number}")
        attempt = world.connect(token)
        return str(wait_for(lambda: ended(world, token, attempt)))

    assert in_parallel(8, click) == ["connected"] * 8
    for relay, was in zip(fleet.relays, before, strict=True):
        assert all(count > was[backend] for backend, count in relay.served.items())


def ended(world: World, token: str, attempt: str) -> str | None:
    """The final status of an attempt, as its page reads it; None while there is none."""
    found = world.page("GET", f"/v1/attempts/{attempt}?hint=message", token).json()["status"]
    return None if found in {"created", "launched"} else str(found)


def test_a_launch_token_is_good_once_for_all_of_them(world: World) -> None:
    """Fifty launches of one token at once, through both: one goes on; some wait to see that it did."""
    launch_token = world.begin(world.session())["launch_token"]
    answers = in_parallel(50, lambda _: world.launch(launch_token).status_code)
    assert answers.count(303) == 1
    assert set(answers) <= {303, 410, 503}


def test_a_sign_in_token_is_good_once_for_all_of_them(world: World) -> None:
    """Fifty redemptions of one token at once, through both: one goes on to the third party."""
    url = world.launch(world.begin(world.session())["launch_token"]).headers["Location"]
    answers = in_parallel(50, lambda _: requests.get(url, timeout=60, allow_redirects=False).status_code)
    assert sorted(answers) == [302] + [403] * 49


def test_a_callback_is_good_once_for_all_of_them(world: World) -> None:
    """Twenty callbacks of one state at once, through both, from the right browser: one connects."""
    url = world.launch(world.begin(world.session())["launch_token"]).headers["Location"]
    with requests.Session() as browser:
        page = browser.get(url, timeout=30)
        request = page.text.partition('name="request" value="')[2].partition('"')[0]
        form = {"request": request, "account": "ada@sandbox.example", "decision": "allow"}
        answer = browser.post(page.url, data=form, timeout=30, allow_redirects=False)
        callback, cookies = answer.headers["Location"], browser.cookies.get_dict()
    answers = in_parallel(20, lambda _: requests.get(callback, cookies=cookies, timeout=60).status_code)
    assert sorted(answers) == [200] + [400] * 19


def test_calls_are_counted_together(world: World) -> None:
    """Of 40 attempts of one user at once, through both, as many pass as one user may prepare."""
    token = world.session()
    body = {"connector": "sandbox"}
    answers = in_parallel(40, lambda _: world.page("POST", "/v1/attempts", token, json=body).status_code)
    assert sorted(answers) == [201] * MAY_PREPARE + [429] * (40 - MAY_PREPARE)


def test_a_session_of_one_is_a_session_at_the_other(fleet: Fleet) -> None:
    """And an attempt that one prepared is launched and read at the other."""
    token = fleet.at(0).session()
    attempt = fleet.at(1).begin(token)
    launched = requests.post(
        f"{fleet.bffs[0]}/connect/launch",
        data={"launch_token": attempt["launch_token"], **OPENED_FOR},
        headers={"Origin": fleet.world.bff},
        allow_redirects=False,
        timeout=30,
    )
    assert launched.status_code == 303
    read = fleet.at(1).page("GET", f"/v1/attempts/{attempt['id']}", token)
    assert read.json()["status"] == "launched"


def test_receipts_verify_with_the_keys_of_either(fleet: Fleet, world: World) -> None:
    """Both publish the same key set."""
    told = world.read(world.connect(world.session()))
    for url in fleet.bffs:
        keys = FixedKeys(requests.get(f"{url}/.well-known/jwks.json", timeout=30).json())
        receipt = verify(told["receipt"], keys=keys, issuer=fleet.world.bff, product="demo")
        assert receipt.attempt == told["id"]


def test_a_wrong_key_counts_at_both(world: World) -> None:
    """And the right one goes on working at either."""
    keys = [f"sk_guess_{number}" for number in range(80)]
    answers = in_parallel(80, lambda number: world.server("POST", "/v1/sessions", key=keys[number], json={}))
    assert sorted(answer.status_code for answer in answers) == [401] * 60 + [429] * 20
    assert world.server("GET", "/v1/connections?account=x", key=SECRET_KEY).status_code == 200
