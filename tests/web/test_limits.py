"""How often what may be asked, wherever it is counted; and what happens when it cannot be counted."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests
import time_machine
from flask import Flask
from flask_limiter import Limiter
from limits.errors import StorageError
from limits.storage import storage_from_string
from sqlalchemy import func, select, text, update

from bff.app import Hitchpost
from bff.purge import DatabasePurger
from bff.serving.database import open_database
from bff.serving.rate_limits import DatabaseStorage, WorkerStorage, storage_for
from bff.serving.settings import FaultySettings
from bff.settings import load_settings
from bff.storage.schema import SCHEMA
from bff.storage.tables import rate_limits
from bff.web.kit.limits import Purpose, caller_address
from bff.web.kit.services import EXTENSION
from tests.support.databases import DatabaseUrl, sqlite_url
from tests.support.fixtures import Strict
from tests.support.redis_server import NoRedis, RedisServer, private_redis
from tests.support.servers import serve
from tests.support.world import CLIENT_ID, CLIENT_SECRET, HOST, World, build_bff

pytestmark = pytest.mark.one_database


@pytest.fixture
def redis_server() -> Iterator[RedisServer]:
    """A server of this test's own; skips where there is none."""
    try:
        with private_redis() as server:
            yield server
    except NoRedis as reason:
        pytest.skip(str(reason))


def seconds(answer: requests.Response) -> int:
    """How long the caller is to wait."""
    return int(answer.headers["Retry-After"])


def begin(world: World, token: str) -> requests.Response:
    """Prepare an attempt, or be refused."""
    return world.page("POST", "/v1/attempts", token, json={"connector": "sandbox"})


def next_minute(world: World) -> None:
    """Let the minute of every count be over."""
    past = update(rate_limits).values(ends_at=datetime.now(UTC) - timedelta(seconds=1))
    engine = open_database(world.bff_database)
    with engine.begin() as connection:
        connection.execute(past)
    engine.dispose()


def test_a25_a_user_launches_only_so_often(strict: Strict) -> None:
    """Then a page says so in words, with Retry-After; the launch token is still good a minute later."""
    world = strict(limit_user_launches=2, limits_url="database://")
    token = world.session()
    tokens = [world.begin(token)["launch_token"] for _ in range(3)]
    assert [world.launch(each).status_code for each in tokens] == [303, 303, 429]
    refused = world.launch(tokens[2])
    assert "Too many tries at once" in refused.text
    assert "Wait a minute" in refused.text
    assert refused.headers["Content-Type"].startswith("text/html")
    assert refused.headers["Cache-Control"] == "no-store"
    assert 1 <= seconds(refused) <= 60
    next_minute(world)
    assert world.launch(tokens[2]).status_code == 303


def test_a_sign_in_url_counts_as_a_launch(strict: Strict) -> None:
    """What mints is counted for the user that it mints for."""
    world = strict(limit_user_launches=1)
    body = {
        "user": {"id": "ada"},
        "account": {"id": world.account},
        "connector": "sandbox",
        "target_origin": HOST,
    }
    assert world.server("POST", "/v1/sign-in-urls", json=body).status_code == 201
    refused = world.server("POST", "/v1/sign-in-urls", json=body)
    assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
    other = world.server("POST", "/v1/sign-in-urls", json=body | {"user": {"id": "grace"}})
    assert other.status_code == 201


def test_a_user_prepares_only_so_many_attempts(strict: Strict) -> None:
    """A problem document with its code and Retry-After, which the page at the host's origin may read."""
    world = strict(limit_user_attempts=2)
    token = world.session()
    assert [begin(world, token).status_code for _ in range(3)] == [201, 201, 429]
    refused = begin(world, token)
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert refused.json()["code"] == "rate_limited"
    assert refused.json()["error"]["code"] == "partner_unavailable"
    assert 1 <= seconds(refused) <= 60
    assert refused.headers["Access-Control-Allow-Origin"] == HOST
    assert "Retry-After" in refused.headers["Access-Control-Expose-Headers"]
    assert begin(world, world.session(user="grace")).status_code == 201


def test_a_repeat_of_a_lost_answer_costs_no_attempt(strict: Strict) -> None:
    """It begins nothing, so it is answered at the limit too; but not without end, and not another request."""
    world = strict(limit_user_attempts=2)
    token = world.session()

    def send(key: str, connector: str = "sandbox") -> requests.Response:
        headers, body = {"Idempotency-Key": key}, {"connector": connector}
        return world.page("POST", "/v1/attempts", token, headers=headers, json=body)

    first = send("k1").json()["id"]
    assert [send("k2").status_code, send("k3").status_code] == [201, 429]
    repeat = send("k1")
    assert (repeat.status_code, repeat.json()["id"]) == (201, first)
    assert send("k1", "sandbox-broken").status_code == 422
    assert send("k1").status_code == 429
    assert send("k3").status_code == 429


def test_a25_an_account_has_a_limit_for_all_its_users(strict: Strict) -> None:
    """Its users share it; another account has its own; what a user was refused counts for nobody else."""
    world = strict(limit_user_attempts=2, limit_account_attempts=3)
    ada, grace = world.session(), world.session(user="grace")
    assert [begin(world, ada).status_code for _ in range(5)] == [201, 201, 429, 429, 429]
    assert [begin(world, grace).status_code for _ in range(2)] == [201, 429]
    elsewhere = replace(world, account="other-" + secrets.token_hex(4))
    assert begin(elsewhere, elsewhere.session()).status_code == 201


def test_ids_that_look_alike_when_joined_are_apart(strict: Strict) -> None:
    """Account ``a/b`` with user ``c`` is not account ``a`` with user ``b/c``."""
    world = replace(strict(limit_user_attempts=1), account="a/b")
    assert begin(world, world.session(user="c")).status_code == 201
    other = replace(world, account="a")
    assert begin(other, other.session(user="b/c")).status_code == 201


def test_a25_nobody_else_uses_up_a_users_budget(strict: Strict) -> None:
    """Forged sessions, foreign origins and unknown or used launch tokens cost a user nothing."""
    world = strict(limit_user_attempts=3, limit_user_launches=2)
    token = world.session()
    first = world.begin(token)["launch_token"]
    for _ in range(4):
        assert begin(world, token[:-4] + "AAAA").status_code == 401
        stranger = world.page(
            "POST", "/v1/attempts", token, origin="https://evil.example", json={"connector": "sandbox"}
        )
        assert stranger.status_code == 403
        assert world.launch("unknown").status_code == 410
        assert world.launch(first, origin="https://evil.example").status_code == 200  # asks first
    assert world.launch(first).status_code == 303
    assert world.launch(first).status_code == 410
    assert world.launch(world.begin(token)["launch_token"]).status_code == 303


def test_a25_pages_without_a_sign_in_are_counted_by_address(strict: Strict) -> None:
    """Each page apart from the others; calls with a session or a secret key are not among them."""
    world = strict(limit_address=2)
    opening = f"{world.bff}/connect/opening?product=demo&origin={HOST}"
    assert [requests.get(opening, timeout=10).status_code for _ in range(3)] == [200, 200, 429]
    refused = requests.get(opening, headers={"Accept-Language": "de"}, timeout=10)
    assert "Zu viele Versuche auf einmal" in refused.text
    assert 1 <= seconds(refused) <= 60
    assert refused.headers["Cache-Control"] == "no-store"
    assert [world.launch("unknown").status_code for _ in range(3)] == [410, 410, 429]
    link = f"{world.bff}/studio/enter/{'x' * 40}"
    assert [requests.get(link, timeout=10).status_code for _ in range(3)] == [410, 410, 429]
    assert "Too many tries at once" in requests.get(link, timeout=10).text
    token = world.session()
    assert {begin(world, token).status_code for _ in range(5)} == {201}
    assert {world.page("GET", "/v1/config", token).status_code for _ in range(5)} == {200}


def test_a25_wrong_secret_keys_are_refused_for_a_while(strict: Strict) -> None:
    """429 in place of 401; the right key goes on working from there, and a session that ended is 401."""
    world = strict(limit_failures=3)
    wrong = [world.server("POST", "/v1/sessions", key="sk_guess_" + str(n), json={}) for n in range(5)]
    assert [answer.status_code for answer in wrong] == [401, 401, 401, 429, 429]
    assert wrong[4].json()["code"] == "rate_limited"
    assert 1 <= seconds(wrong[4]) <= 60
    token = world.session()
    attempt = world.begin(token)["id"]
    assert world.page("GET", f"/v1/attempts/{attempt}", token[:-4] + "AAAA").status_code == 401


def test_answers_tell_nothing_of_limits(strict: Strict) -> None:
    """No Retry-After and no X-RateLimit header on what was not refused."""
    world = strict()
    token = world.session()
    answers = [
        begin(world, token),
        world.page("GET", "/v1/config", token),
        requests.get(f"{world.bff}/connect/opening?product=demo&origin={HOST}", timeout=10),
        world.launch(world.begin(token)["launch_token"]),
    ]
    assert [answer.status_code for answer in answers] == [201, 200, 200, 303]
    told = {name for answer in answers for name in answer.headers}
    assert not {name for name in told if "ratelimit" in name.lower() or name == "Retry-After"}


@pytest.mark.both_databases
def test_counts_outlive_a_restart(strict: Strict) -> None:
    """Where the database counts, another process goes on from where the last one stopped."""
    before = strict(limit_user_attempts=1, limits_url="database://")
    token = before.session()
    assert begin(before, token).status_code == 201
    after = strict(limit_user_attempts=1, limits_url="database://")
    assert begin(after, token).status_code == 429


@pytest.mark.both_databases
def test_the_database_counts_exactly(strict: Strict) -> None:
    """Of 24 calls at once through two BFFs, as many pass as may."""
    both = [strict(limit_user_attempts=10, limits_url="database://") for _ in range(2)]
    token = both[0].session()
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda n: begin(both[n % 2], token).status_code, range(24)))
    assert sorted(answers) == [201] * 10 + [429] * 14


def test_redis_counts_for_all(strict: Strict, redis_server: RedisServer) -> None:
    """Of 24 calls at once through two BFFs with databases of their own, as many pass as may."""
    settings = {"limit_user_attempts": 10, "limits_url": redis_server.url}
    both = [strict(name=f"redis{number}", **settings) for number in range(2)]
    token = both[0].session()
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda n: begin(both[n % 2], token).status_code, range(24)))
    assert sorted(answers) == [201] * 10 + [429] * 14


def costly_calls_fail_and_reads_go_on(world: World, session: str, launch_token: str, attempt: str) -> None:
    """What costs something is refused with 503 and Retry-After; what only shows something is there."""
    refused = begin(world, session)
    assert (refused.status_code, refused.json()["code"]) == (503, "limits_unavailable")
    assert "error" not in refused.json(), "the widget then repeats the call"
    assert seconds(refused) >= 1
    pressed = world.press(launch_token)
    assert (pressed.status_code, pressed.json()["code"]) == (503, "limits_unavailable")
    launched = world.launch(launch_token)
    assert launched.status_code == 503
    assert launched.headers["Content-Type"].startswith("text/html")
    assert seconds(launched) >= 1
    entered = requests.post(f"{world.bff}/studio/enter/x", headers={"Origin": world.bff}, timeout=20)
    assert entered.status_code == 503
    opening = requests.get(f"{world.bff}/connect/opening?product=demo&origin={HOST}", timeout=20)
    assert opening.status_code == 200
    assert requests.get(f"{world.bff}/connect/return/unknown", timeout=20).status_code == 404
    assert world.page("GET", f"/v1/attempts/{attempt}", session).status_code == 200
    assert world.server("GET", "/v1/connections?account=x", key="sk_wrong").status_code == 401


def test_a25_without_redis_nothing_is_minted(strict: Strict, redis_server: RedisServer) -> None:
    """The token is good for later: when Redis is back, it launches."""
    world = strict(limits_url=redis_server.url)
    session = world.session()
    attempt = world.begin(session)
    redis_server.stop()
    before = len(world.partner_calls.seen)
    costly_calls_fail_and_reads_go_on(world, session, attempt["launch_token"], attempt["id"])
    assert not [path for _, path in world.partner_calls.seen[before:] if path.endswith("signintoken")]
    redis_server.start()
    assert world.launch(attempt["launch_token"]).status_code == 303


@pytest.mark.both_databases
def test_without_its_table_nothing_is_minted(strict: Strict) -> None:
    """The same where the database counts."""
    world = strict(limits_url="database://")
    session = world.session()
    attempt = world.begin(session)
    engine = open_database(world.bff_database)
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE rate_limits RENAME TO elsewhere"))
    costly_calls_fail_and_reads_go_on(world, session, attempt["launch_token"], attempt["id"])
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE elsewhere RENAME TO rate_limits"))
    engine.dispose()
    assert world.launch(attempt["launch_token"]).status_code == 303


def test_a25_a_host_is_not_limited_by_the_bff_inside_it(world: World, tmp_path: Path) -> None:
    """Its own pages and limits stay its own, and its RATELIMIT settings are none of ours."""
    with serve(lambda url: host_app(url, tmp_path, world)) as url:
        opening = f"{url}/hitchpost/connect/opening?product=demo&origin={HOST}"
        assert [requests.get(opening, timeout=10).status_code for _ in range(4)] == [200, 200, 200, 429]
        assert {requests.get(f"{url}/plain", timeout=10).status_code for _ in range(6)} == {200}
        assert [requests.get(f"{url}/tight", timeout=10).status_code for _ in range(2)] == [200, 429]


def host_app(url: str, folder: Path, world: World) -> Flask:
    """A host that limits its pages with Flask-Limiter itself, and has the BFF in it."""
    app = Flask("host")
    app.config["RATELIMIT_ENABLED"] = False  # while the BFF is mounted: it has to count all the same
    own = Limiter(lambda: "all", storage_uri="memory://")
    build_bff(url, folder, world.partner)  # writes the product file
    settings = load_settings(
        public_url=f"{url}/hitchpost",
        database_url=sqlite_url(folder, "bff"),
        secret_keys="k" * 40,
        partner_api_url=world.partner,
        partner_service_url=world.partner,
        partner_client_id=CLIENT_ID,
        partner_client_secret=CLIENT_SECRET,
        products=folder / "products.toml",
        limit_address=3,
    )
    Hitchpost(app, settings=settings)

    @app.get("/plain")
    def plain() -> str:
        return "ok"

    @app.get("/tight")
    @own.limit("1/minute")
    def tight() -> str:
        return "ok"

    app.config["RATELIMIT_ENABLED"] = True
    own.init_app(app)
    return app


EXCHANGE = "/v1/sessions/exchange"


def test_what_anybody_may_call_is_among_the_counted(world: World) -> None:
    """By the routes themselves: what is named is there, and no other route below them is left out."""
    below = {
        rule.endpoint
        for rule in world.bff_app.url_map.iter_rules()
        if rule.rule.startswith(
            ("/connect/", "/studio/enter/", "/v1/advice", "/v1/press", "/v1/sessions/exchange")
        )
        and ".hitchpost_looks." not in rule.endpoint
    }
    declared = world.bff_app.extensions[EXTENSION].limits.declared
    counted = {endpoint for endpoint, limit in declared.items() if limit.by_address}
    assert below - {"hitchpost.hitchpost_files.page_asset"} == counted


def test_a_route_declares_what_it_counts(world: World) -> None:
    """What it does not declare is no limit that its description could tell of: it counts nothing."""
    limits = world.bff_app.extensions[EXTENSION].limits
    with world.bff_app.test_request_context("/v1/config"):
        for spend in (
            lambda: limits.spend(Purpose.TOKEN, "demo", "acme", "ada"),
            lambda: limits.spend_of_day("ended sessions", "demo"),
        ):
            with pytest.raises(RuntimeError, match=r"config counts .*: its route has to declare it"):
                spend()


@pytest.mark.parametrize(
    ("given", "counted"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2::9", "2001:db8:1:2::"),
        ("", "local"),
    ],
)
def test_an_ipv6_customer_is_one_address(given: str, counted: str) -> None:
    """Of IPv6 the network of 64 bits counts, as one customer has all of it."""
    with Flask("any").test_request_context(environ_base={"REMOTE_ADDR": given}):
        assert caller_address() == counted


@pytest.mark.parametrize("url", ["memcached://localhost:1", "redis", "sqlite:///x", ""])
def test_another_place_to_count_is_refused_at_the_start(url: str) -> None:
    """With the variable's name and what to write."""
    with pytest.raises(FaultySettings) as refused:
        load_settings(
            public_url="http://localhost:1",
            secret_keys="k" * 40,
            partner_api_url="http://localhost:1",
            partner_service_url="http://localhost:1",
            partner_client_id="x",
            partner_client_secret="x",
            limits_url=url,
        )
    assert refused.value.faults == ["HITCHPOST_LIMITS_URL: write memory://, database:// or redis://HOST:PORT"]


@pytest.fixture
def counts(tmp_path: Path, database_url: DatabaseUrl) -> Iterator[DatabaseStorage]:
    """The counts of an empty database."""
    engine = open_database(database_url(tmp_path, "bff"))
    SCHEMA.upgrade(engine)
    found = storage_from_string("database://", engine=engine, table=rate_limits, wrap_exceptions=True)
    assert isinstance(found, DatabaseStorage)
    yield found
    engine.dispose()


@pytest.mark.both_databases
def test_a_window_begins_with_its_first_hit_and_ends(counts: DatabaseStorage) -> None:
    """Hits add up, the end stays where it was, and the first hit after it begins anew."""
    assert [counts.incr("k", 60), counts.incr("k", 60, 2), counts.get("k")] == [1, 3, 3]
    ends = counts.get_expiry("k")
    counts.incr("k", 600)
    assert counts.get_expiry("k") == pytest.approx(ends, abs=0.1)
    engine = counts._engine
    with engine.begin() as connection:
        connection.execute(update(rate_limits).values(ends_at=datetime.now(UTC) - timedelta(seconds=1)))
    assert counts.get("k") == 0
    assert counts.incr("k", 60) == 1
    counts.clear("k")
    assert counts.get("k") == 0


@pytest.mark.both_databases
def test_a73_a_window_that_a_wrong_clock_began_is_over(counts: DatabaseStorage) -> None:
    """It would count, and refuse, until that clock's time has come."""
    counts.incr("k", 60, 5)
    with counts._engine.begin() as connection:
        connection.execute(update(rate_limits).values(ends_at=datetime.now(UTC) + timedelta(days=100)))
    assert counts.incr("k", 60) == 1
    assert counts.get_expiry("k") < time.time() + 61


@pytest.mark.both_databases
def test_parallel_hits_are_all_counted(counts: DatabaseStorage) -> None:
    """One statement a hit: none is lost, and no two get the same count."""
    with ThreadPoolExecutor(8) as pool:
        seen = list(pool.map(lambda _: counts.incr("k", 60), range(80)))
    assert sorted(seen) == list(range(1, 81))


@pytest.mark.both_databases
def test_counts_that_are_over_are_forgotten(counts: DatabaseStorage) -> None:
    """A few at a time; one that still runs stays."""
    for number in range(5):
        counts.incr(f"old{number}", 1)
    counts.incr("running", 600)
    purge = DatabasePurger(counts._engine, timedelta(days=1))
    later = datetime.now(UTC) + timedelta(seconds=5)
    assert [purge.delete_old(later, 3)["rate limits"] for _ in range(3)] == [3, 2, 0]
    with counts._engine.connect() as connection:
        assert connection.execute(select(rate_limits.c.key)).scalars().all() == ["running"]


def test_what_is_stored_names_nobody(strict: Strict) -> None:
    """Keys are digests: no account, user or address beside the local one is in the table."""
    world = strict(limits_url="database://")
    token = world.session(user="ada.lovelace@acme.example")
    world.launch(world.begin(token)["launch_token"])
    engine = open_database(world.bff_database)
    with engine.connect() as connection:
        keys = connection.execute(select(rate_limits.c.key)).scalars().all()
        assert connection.execute(select(func.max(func.length(rate_limits.c.key)))).scalar_one() <= 255
    engine.dispose()
    assert len(keys) == 5
    assert not [key for key in keys if "lovelace" in key or world.account in key]


@pytest.mark.both_databases
def test_one_worker_counts_in_memory_and_several_in_the_database(counts: DatabaseStorage) -> None:
    """Unless it is said otherwise; PostgreSQL may have other machines."""
    engine = counts._engine
    alone = storage_for(None, engine, rate_limits, workers=1)[0]
    assert alone == ("worker://" if engine.dialect.name == "sqlite" else "database://")
    assert storage_for(None, engine, rate_limits, workers=2)[0] == "database://"
    assert storage_for("memory://", engine, rate_limits, workers=2)[0] == "worker://"


def test_in_memory_a_window_begins_with_its_first_hit_and_ends() -> None:
    """As in the database."""
    counts = WorkerStorage("worker://")
    with time_machine.travel(1_900_000_000, tick=False) as clock:
        assert [counts.incr("k", 60), counts.incr("k", 60, 2), counts.get("k")] == [1, 3, 3]
        assert [counts.get("other"), counts.get_expiry("other")] == [0, 1_900_000_000]
        clock.shift(59)
        assert [counts.incr("k", 600), counts.get_expiry("k")] == [4, 1_900_000_060]
        clock.shift(1)
        assert [counts.get("k"), counts.get_expiry("k"), counts.incr("k", 60)] == [0, 1_900_000_060, 1]
        counts.clear("k")
        assert [counts.get("k"), counts.incr("k", 60), counts.reset(), counts.get("k")] == [0, 1, 1, 0]
        assert counts.check()


def test_in_memory_parallel_hits_are_all_counted() -> None:
    """None is lost, and no two get the same count."""
    counts = WorkerStorage("worker://")
    with ThreadPoolExecutor(8) as pool:
        seen = list(pool.map(lambda _: counts.incr("k", 60), range(4000)))
    assert sorted(seen) == list(range(1, 4001))


def test_in_memory_nobody_stays_for_ever() -> None:
    """However many addresses call once: within a minute after its window, a count is gone."""
    counts = WorkerStorage("worker://")
    with time_machine.travel(1_900_000_000, tick=False) as clock:
        counts.incr("first", 60)
        clock.shift(30)
        for number in range(1000):
            counts.incr(f"address {number}", 60)
        clock.shift(31)
        counts.incr("late", 60)
        assert len(counts._windows) == 1001
        clock.shift(60)
        counts.incr("later", 60)
        assert counts._windows.keys() == {"later"}


@pytest.mark.both_databases
def test_a_database_that_fails_is_told_as_such(counts: DatabaseStorage) -> None:
    """As the library's own error, which the BFF answers."""
    with counts._engine.begin() as connection:
        connection.execute(text("DROP TABLE rate_limits"))
    with pytest.raises(StorageError):
        counts.incr("k", 60)
    assert not counts.check()
