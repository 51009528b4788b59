"""Lists for servers that were away: whole, in a stable order, and refused with a reason if asked wrongly."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, insert

from bff.common.cursor import Cursor
from bff.common.secret import Secret
from bff.connect.listing import AttemptFilter, AttemptList
from bff.connect.store import DatabaseAttempts
from bff.products.webhook_endpoint import WebhookEndpoint
from bff.storage import pages
from bff.storage.tables import attempts
from bff.web.kit.services import EXTENSION, Services
from tests.support.core import ADA, ORIGIN, build_core
from tests.support.databases import sqlite_url
from tests.support.receiver import new_secret, open_receiver
from tests.support.studio import StudioWorld
from tests.support.world import World

pytestmark = pytest.mark.one_database


def listed(world: World, query: str, **options: Any) -> dict[str, Any]:
    """A page of attempts."""
    answer = world.server("GET", f"/v1/attempts?{query}", **options)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def walked(world: World, query: str) -> list[str]:
    """The ids of every page of a list."""
    found, cursor = [], ""
    while True:
        page = listed(world, f"{query}{cursor}")
        found += [item["id"] for item in page["attempts"]]
        if page["next_cursor"] is None:
            return found
        cursor = f"&cursor={page['next_cursor']}"


@pytest.mark.both_databases
def test_the_list_has_every_attempt_once_newest_first(world: World) -> None:
    """In pages of any size; what begins meanwhile moves nothing."""
    token = world.session()
    begun = [world.begin(token)["id"] for _ in range(7)]
    whole = f"account={world.account}"
    for limit in (1, 3, 7, 100):
        assert walked(world, f"{whole}&limit={limit}") == begun[::-1]
    first = listed(world, f"{whole}&limit=3")
    world.begin(token)
    second = listed(world, f"{whole}&limit=3&cursor={first['next_cursor']}")
    assert [item["id"] for item in second["attempts"]] == begun[::-1][3:6]


@pytest.mark.both_databases
def test_what_ended_since_is_listed_however_long_ago_it_began(world: World) -> None:
    """A server that was away finds what it has missed: also a form that was sent again and again."""
    token, now = world.session(), datetime.now(UTC)
    ended, late, older, running = (world.begin(token)["id"] for _ in range(4))
    long_ago, before = now - timedelta(hours=7), now - timedelta(hours=5)
    world.change(ended, created_at=long_ago, settled_at=now)
    world.change(late, created_at=long_ago, settled_at=before, late_success_at=now)
    world.change(older, created_at=long_ago, settled_at=before)
    world.change(running, created_at=long_ago)
    since = (now - timedelta(minutes=1)).isoformat().replace("+00:00", "Z")
    for more in ("", "&user=ada", "&limit=1"):
        found = walked(world, f"account={world.account}&since={since}{more}")
        assert sorted(found) == sorted([ended, late]), more


@pytest.mark.both_databases
def test_the_list_of_a_whole_product_goes_on_after_a_page(world: World) -> None:
    """Without any filter the cursor alone says where."""
    begun = [world.begin(world.session())["id"] for _ in range(2)]
    first = listed(world, "limit=1")
    second = listed(world, f"limit=1&cursor={first['next_cursor']}")
    assert [item["id"] for page in (first, second) for item in page["attempts"]] == begun[::-1]


def test_since_the_beginning_of_time_is_everything(world: World) -> None:
    """A server that has listed nothing yet may send its language's zero time."""
    begun = world.begin(world.session())["id"]
    assert walked(world, f"account={world.account}&since=0001-01-01T00:00:00Z") == [begun]


@pytest.mark.both_databases
def test_the_list_is_filtered_by_what_is_asked(world: World) -> None:
    """By account, user, connector, status and time; all of them together."""
    ada, bob = world.session(), world.session(user="bob")
    connected, waiting = world.connect(ada), world.begin(bob)["id"]
    other = world.begin(ada, "sandbox-isolated")["id"]
    world.read(connected)
    whole = f"account={world.account}"
    assert walked(world, f"{whole}&status=connected") == [connected]
    assert walked(world, f"{whole}&user=bob") == [waiting]
    assert walked(world, f"{whole}&connector=sandbox-isolated&user=ada&status=created") == [other]
    assert walked(world, f"{whole}&user=nobody") == []
    [item] = listed(world, f"{whole}&status=connected")["attempts"]
    read = world.read(connected)
    assert item == {name: value for name, value in read.items() if name != "timeline"}
    assert (item["account"], item["user"]) == (world.account, "ada")
    future = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    assert walked(world, f"{whole}&since={future.replace('+', '%2B')}") == []
    assert len(walked(world, f"{whole}&since={item['created_at']}")) == 3, "a + that came as a space"


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("status=gone", "status"),
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=ten", "limit"),
        ("limit=%C2%B2", "limit"),
        ("limit=", "limit"),
        ("since=yesterday", "since"),
        ("since=2026-01-01", "since"),
        ("since=2026-01-01T00:00:00", "since"),
        ("since=0001-01-01T00:00:00%2B23:00", "since"),
        ("cursor=", "cursor"),
        ("cursor=x", "cursor"),
        ("cursor=WyIyMDI2LTAxLTAxIiwgMV0", "cursor"),
        ("cursor=" + "A" * 400, "cursor"),
        ("cursor=%C3%A9", "cursor"),
        ("account=", "account"),
        ("account=" + "a" * 256, "account"),
        ("acount=acme", "acount"),
    ],
)
def test_a_faulty_question_is_refused_by_its_name(world: World, query: str, named: str) -> None:
    """Nothing is guessed: a typing error in a name would list everything."""
    for path in ("attempts", "webhook-deliveries"):
        refused = world.server("GET", f"/v1/{path}?{query}")
        assert (refused.status_code, refused.json()["code"]) == (422, "invalid_request")
    refused = world.server("GET", f"/v1/attempts?{query}")
    assert refused.json()["detail"].startswith(f"{named}: ")


def test_an_attempt_that_was_not_launched_in_time_is_listed_as_it_is_read(world: World) -> None:
    """Expired, since its time was over; it is found by that status and that time only."""
    lapsed, left = (world.begin(world.session())["id"] for _ in range(2))
    now = datetime.now(UTC)
    earlier, before = now - timedelta(hours=1), now - timedelta(minutes=1)
    world.change(lapsed, created_at=earlier, expires_at=now - timedelta(seconds=1))
    whole = f"account={world.account}"
    found = {item["id"]: item for item in listed(world, whole)["attempts"]}
    for attempt, status in ((lapsed, "expired"), (left, "created")):
        read = world.read(attempt, "")
        assert found[attempt] == {name: value for name, value in read.items() if name != "timeline"}
        assert read["status"] == status
        assert walked(world, f"{whole}&status={status}") == [attempt]
    assert found[lapsed]["settled_at"] == found[lapsed]["expires_at"]
    for since, ids in ((before, [left, lapsed]), (now, [])):
        assert walked(world, f"{whole}&since={since.isoformat().replace('+00:00', 'Z')}") == ids


def test_no_page_may_read_the_lists(world: World) -> None:
    """They are for a secret key; the preflight of the path is still the widget's."""
    token = world.session()
    for path in ("/v1/attempts", "/v1/webhook-deliveries"):
        assert world.page("GET", path, token).status_code == 401
    asked = {"Origin": ORIGIN, "Access-Control-Request-Method": "POST"}
    origin = {"Origin": "https://app.example"}
    preflight = world.server("OPTIONS", "/v1/attempts", headers=asked | origin)
    assert preflight.headers["Access-Control-Allow-Origin"] == "https://app.example"


@pytest.mark.both_databases
def test_the_delivery_log_tells_what_was_sent(studio: StudioWorld) -> None:
    """Of the product of the key alone: where, how often, what came back, and when it is tried again."""
    services: Services = studio.world.bff_app.extensions[EXTENSION]
    webhooks = services.webhooks.service
    with open_receiver() as receiver:
        endpoint = WebhookEndpoint(studio.product, receiver.url, ("*",), (Secret(new_secret()),))
        webhooks.endpoints.replace(studio.product, [endpoint])
        assert webhooks.test(studio.product, endpoint.id).status == "delivered"
        receiver.says = 500
        assert webhooks.test(studio.product, endpoint.id).status == "failed"
    path = f"/v1/webhook-deliveries?endpoint={endpoint.id}"
    told = studio.world.server("GET", path, key=studio.secret_key).json()
    assert told["next_cursor"] is None
    failed, delivered = told["deliveries"]
    assert delivered["event"]["type"] == "webhook.test"
    assert delivered["endpoint"] == {"id": endpoint.id, "url": endpoint.url}
    assert (delivered["response_status"], delivered["error"], delivered["attempts"]) == (204, None, 1)
    assert (failed["response_status"], failed["error"]) == (500, "refused")
    only = studio.world.server("GET", f"{path}&status=failed&event=webhook.test", key=studio.secret_key)
    assert only.json()["deliveries"] == [failed]
    assert studio.world.server("GET", path).json()["deliveries"] == [], "the key of another product"
    webhooks.endpoints.replace(studio.product, [])


@pytest.mark.both_databases
def test_a_page_looks_through_so_many_and_says_where_to_go_on(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A filter that no index knows costs a bounded look; going on finds all that match."""
    monkeypatch.setattr(pages, "ROWS_SCANNED", 3)
    token = world.session()
    wanted = world.begin(world.session(user="bob"))["id"]
    for _ in range(7):
        world.begin(token)
    whole = f"account={world.account}&user=bob"
    first = listed(world, whole)
    assert first["attempts"] == []
    assert first["next_cursor"]
    assert walked(world, whole) == [wanted]


def test_a_long_list_is_read_by_its_index(tmp_path: Any) -> None:
    """However many attempts there are, a page reads its own rows: no scan, no sort of all."""
    core = build_core(sqlite_url(tmp_path, "bff"))
    engine = core.attempts._engine
    launched = core.launched()
    with engine.begin() as connection:
        row = dict(zip(attempts.c.keys(), connection.execute(attempts.select()).one(), strict=True))
        more = [
            row
            | {
                "id": f"att_{number}",
                "launch_token_sha256": f"t{number}",
                "return_secret_sha256": None,
                "idempotency_sha256": None,
                "created_at": row["created_at"] + timedelta(seconds=number),
            }
            for number in range(1, 200)
        ]
        connection.execute(insert(attempts), more)
    found = AttemptList(engine)
    after = Cursor(row["created_at"] + timedelta(seconds=100), "att_100")
    page, further = found.page(AttemptFilter("demo", account=ADA.account.id), 5, after)
    assert [each.id for each in page] == [f"att_{number}" for number in (99, 98, 97, 96, 95)]
    assert further is not None
    for wanted in (AttemptFilter("demo"), AttemptFilter("demo", account="acme", user="ada")):
        plans = plans_of(engine, wanted, after)
        assert any("INDEX ix_attempts_" in plan for plan in plans), plans
        assert not any("SCAN attempts" in plan for plan in plans), plans
    assert isinstance(core.attempts, DatabaseAttempts)
    assert launched.id == row["id"]


def plans_of(engine: Any, wanted: AttemptFilter, after: Cursor) -> list[str]:
    """How SQLite goes about the statements of a page."""
    plans: list[str] = []

    def explain(connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.startswith("SELECT"):
            driver = connection.connection.driver_connection
            plans.extend(row[3] for row in driver.execute("EXPLAIN QUERY PLAN " + statement, parameters))

    event.listen(engine, "before_cursor_execute", explain)
    try:
        AttemptList(engine).page(wanted, 5, after)
    finally:
        event.remove(engine, "before_cursor_execute", explain)
    return plans
