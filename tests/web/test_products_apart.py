"""Products on one BFF are apart: in every route, with everything that one of them holds (A66).

Both hosts call their account by the same id and their user by the same id. Whatever the second one sends, it
learns nothing of the first and changes nothing of it. The routes are walked: one that is not in ``MATRIX``
makes this fail.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from sqlalchemy import select

from bff.common.secret import Secret
from bff.products.store import DatabaseProducts
from bff.products.webhook_endpoint import WebhookEndpoint
from bff.storage.tables import metadata
from bff.upstream.account_owners import DatabaseAccountOwners
from bff.upstream.protocol import Owner
from bff.web.kit.services import EXTENSION
from bff.webhooks.log import DeliveryFilter
from tests.partner.conftest import client_of
from tests.support.receiver import new_secret
from tests.support.studio import CONTENT, Editor, StudioWorld, open_studio
from tests.support.world import World, open_world

pytestmark = pytest.mark.one_database

CANARY: Final = "canary"
"""Part of every text that only the first product knows; of no id that the second one sends."""

A: Final = "{first}"
"""Stands for the first product's key, and ``{attempt}`` for the id of an attempt of its own."""

NOTHING: Final[dict[str, Any]] = {}
MATRIX: Final[dict[str, dict[str, Any]]] = {
    "GET /.well-known/jwks.json": NOTHING,
    "GET /connect/assets/<name>": NOTHING,
    "GET /connect/complete/<attempt_id>": {"params": {"code": "c" * 43}},
    "GET /connect/form/<attempt_id>": NOTHING,
    "POST /connect/form/<attempt_id>": {"data": {"form_token": "x", "v0": "sk_sandbox_ada"}},
    "POST /connect/launch": {"data": {"launch_token": "x", "product": A, "origin": "{origin}"}},
    "GET /connect/logo/<name>": NOTHING,
    "GET /connect/look/<product>/<int:version>.css": NOTHING,
    "GET /connect/opening": {"params": {"product": A + "~draft", "origin": "{bff}"}},
    "GET /connect/return/<secret>": NOTHING,
    "POST /connect/return/<secret>": NOTHING,
    "GET /health/live": NOTHING,
    "GET /health/ready": NOTHING,
    "GET /studio/": {"params": {"product": A}},
    "GET /studio/assets/<name>": NOTHING,
    "GET /studio/changes": {"params": {"product": A}},
    "GET /studio/connectors": {"params": {"product": A}},
    "POST /studio/connectors": {"data": {"product": A, "move": "hubspot:up"}},
    "GET /studio/discard": {"params": {"product": A}},
    "POST /studio/discard": {"data": {"product": A, "revision": "1"}},
    "GET /studio/enter/<token>": NOTHING,
    "POST /studio/enter/<token>": {"data": {"product": A}},
    "GET /studio/history": {"params": {"product": A}},
    "GET /studio/history/<int(max=2147483647):number>": {"params": {"product": A}},
    "GET /studio/history/<int(max=2147483647):number>/restore": {"params": {"product": A}},
    "POST /studio/history/<int(max=2147483647):number>/restore": {"data": {"product": A, "expected": "1"}},
    "GET /studio/look": {"params": {"product": A}},
    "POST /studio/look": {"data": {"product": A}},
    "POST /studio/look/<field>": {"data": {"product": A}},
    "GET /studio/messages": {"params": {"product": A}},
    "POST /studio/messages": {"data": {"product": A, "name": "of-the-second"}},
    "GET /studio/messages/<name>": {"params": {"product": A}},
    "POST /studio/messages/<name>": {"data": {"product": A}},
    "POST /studio/messages/<name>/remove": {"data": {"product": A}},
    "GET /studio/news": {"params": {"product": A}},
    "GET /studio/preview": {"params": {"product": A, "scene": "page_interstitial"}},
    "POST /studio/publish": {"data": {"product": A, "revision": "1"}},
    "POST /studio/rebase": {"data": {"product": A}},
    "POST /studio/save": {"json": {"edits": [], "product": A}},
    "GET /studio/session": {"params": {"product": A}},
    "POST /studio/sign-out": {"data": {"csrf": "x", "product": A}},
    "GET /studio/snippet": {"params": {"product": A}},
    "GET /studio/try": {"params": {"product": A}},
    "POST /studio/undo": {"data": {"product": A, "path": "messages/default/text/*/*"}},
    "GET /studio/webhooks": {"params": {"product": A}},
    "POST /studio/webhooks/<endpoint_id>/on": {"data": {"product": A}},
    "POST /studio/webhooks/<endpoint_id>/test": {"data": {"product": A}},
    "POST /studio/webhooks/deliveries/<delivery_id>/again": {"data": {"product": A}},
    "GET /studio/words": {"params": {"product": A}},
    "POST /studio/words": {"data": {"product": A}},
    "GET /v1/advice": {"params": {"product": A, "origin": "{own_origin}"}},
    "GET /v1/attempts": {"params": {"account": "{account}", "user": "ada"}},
    "GET /v1/webhook-deliveries": {"params": {"endpoint": "{endpoint}"}},
    "POST /v1/attempts": {"json": {"connector": "sandbox"}},
    "GET /v1/attempts/<attempt_id>": {"params": {"hint": "message"}},
    "POST /v1/attempts/<attempt_id>/accept": {"json": {}},
    "POST /v1/attempts/<attempt_id>/cancel": {"json": {}},
    "GET /v1/config": {"params": {"product": A}},
    "GET /v1/connections": {"params": {"account": "{account}"}},
    "DELETE /v1/connections/<connection_id>": {"params": {"account": "{account}"}},
    "POST /v1/connections/<connection_id>/token": {"params": {"account": "{account}"}},
    "GET /v1/openapi.json": NOTHING,
    "POST /v1/press": {"data": {"launch_token": "{launch_token}"}},
    "POST /v1/sessions": {"json": {"user": {"id": "ada"}, "account": {"id": "{account}"}}},
    "POST /v1/sessions/end": {"json": {"user": {"id": "ada"}, "account": {"id": "{account}"}}},
    "POST /v1/sessions/exchange": {"json": {"product": A, "assertion": "x.y.z"}},
    "POST /v1/sign-in-urls": {
        "json": {
            "user": {"id": "ada"},
            "account": {"id": "{account}"},
            "connector": "sandbox",
            "target_origin": "{own_origin}",
        }
    },
    "GET /widget/<version>/<name>": NOTHING,
}
"""What the second product sends to each route: the names of the first one's things wherever one fits."""


@dataclass
class Side:
    """One product, with all that it holds for the account of the one id."""

    studio: StudioWorld
    world: World
    editor: Editor
    session: str
    draft: str
    browser: requests.Session
    connected: dict[str, Any]
    waiting: dict[str, Any]
    endpoint: str

    @property
    def delivery(self) -> str:
        """The newest delivery to its server."""
        log = self.world.bff_app.extensions[EXTENSION].webhooks.service.log
        [newest, *_], _ = log.page(DeliveryFilter(self.studio.product), 1)
        return str(newest.id)

    @property
    def connections(self) -> list[dict[str, Any]]:
        """What its server is told of the account."""
        path = f"/v1/connections?account={self.world.account}"
        found: list[dict[str, Any]] = self.world.server("GET", path, key=self.studio.secret_key).json()[
            "connections"
        ]
        return found

    def begin(self, **more: Any) -> dict[str, Any]:
        """An attempt of its user."""
        asked = {"connector": "sandbox", **more}
        page = {"origin": self.studio.origin, "json": asked}
        answer = self.world.page("POST", "/v1/attempts", self.session, **page)
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def connect(self, external: str) -> dict[str, Any]:
        """Its user signs in at the third party."""
        attempt = self.begin()
        opened_for = {"product": self.studio.product, "origin": self.studio.origin}
        launched = self.world.launch(attempt["launch_token"], opened_for=opened_for, browser=self.browser)
        assert launched.status_code == 303, launched.text
        self.world.sign_in(launched.headers["Location"], account=external, browser=self.browser)
        return attempt

    def read(self, attempt: dict[str, Any]) -> dict[str, Any]:
        """An attempt, as its host's server sees it."""
        path = f"/v1/attempts/{attempt['id']}?hint=message"
        found: dict[str, Any] = self.world.server("GET", path, key=self.studio.secret_key).json()
        return found


@contextlib.contextmanager
def side(world: World, name: str) -> Iterator[Side]:
    """A product whose every text has ``name`` in it: a connection, a draft, an attempt that waits."""
    with open_studio(world, {**CONTENT, f"messages/{name}/text/*/*": name}) as studio:
        editor = studio.editor(f"{name}@acme.example")
        editor.post("messages", {"name": f"{name}-draft"})
        who = {
            "user": {"id": "ada", "name": f"{name} person"},
            "account": {"id": world.account, "name": f"{name} inc"},
        }
        told = world.server("POST", "/v1/sessions", key=studio.secret_key, json=who).json()
        draft = editor.get("session").json()["token"]
        endpoint = tell_a_server(studio, name)
        made = Side(studio, world, editor, told["token"], draft, requests.Session(), {}, {}, endpoint)
        made.connected = made.connect(f"{name}@sandbox.example")
        assert made.read(made.connected)["status"] == "connected"
        made.waiting = made.begin()
        while made.world.bff_app.extensions[EXTENSION].webhooks.new_courier()._fan_out.once():
            pass
        yield made


def tell_a_server(studio: StudioWorld, name: str) -> str:
    """A webhook endpoint of the product that takes nothing; its id."""
    secrets = (Secret(new_secret()),)
    endpoint = WebhookEndpoint(studio.product, f"http://127.0.0.1:1/{name}", ("*",), secrets)
    webhooks = studio.world.bff_app.extensions[EXTENSION].webhooks.service
    webhooks.endpoints.replace(studio.product, [endpoint])
    return endpoint.id


@pytest.fixture
def sides(world: World) -> Iterator[tuple[Side, Side]]:
    """Two products that know nothing of each other."""
    with side(world, CANARY) as first, side(world, "second") as second:
        yield first, second


def everything_of(first: Side) -> list[str]:
    """Each row that is the first product's, and what the partner service has for it."""
    marks = first.studio.product, first.connected["id"], first.waiting["id"], CANARY
    with first.studio.engine.connect() as connection:
        rows = [
            f"{table.name}: {row!r}"
            for table in metadata.sorted_tables
            for row in connection.execute(select(table))
            if any(mark in repr(row) for mark in marks)
        ]
    # When an editor was last there is no doing of anybody's.
    found = sorted(row for row in rows if not row.startswith("studio_sessions"))
    told = client_of(first.world).call("GET", "/v1.0/account/connectors", account=first.world.account)
    return [*found, told.text]


def filled(value: Any, names: dict[str, str]) -> Any:
    """The same with the names in place of what stands for them."""
    if isinstance(value, dict):
        return {key: filled(item, names) for key, item in value.items()}
    if isinstance(value, str):
        for name, text in names.items():
            value = value.replace("{" + name + "}", text)
    return value


def callers(second: Side) -> Iterator[tuple[str, requests.Session, dict[str, str]]]:
    """Whatever the second product can call with, by name."""
    studio, bff = second.studio, second.world.bff
    page = {"X-Hitchpost": "1", "Origin": studio.origin}
    key = {"Authorization": f"Bearer {studio.secret_key}"}
    yield "its server", requests.Session(), key
    yield "its server, as its page", requests.Session(), page | key
    yield "its page", second.browser, page | {"Authorization": f"Bearer {second.session}"}
    own = {"Origin": bff, "X-Hitchpost": "1", "X-Hitchpost-Csrf": second.editor.csrf}
    yield "its draft's page", second.browser, own | {"Authorization": f"Bearer {second.draft}"}
    yield "its editor", second.editor.browser, own
    yield "its editor, as JSON", second.editor.browser, own | {"Accept": "application/json"}


def walked(world: World) -> dict[str, str]:
    """Every route by method and rule."""
    return {
        f"{method} {rule.rule}": rule.rule
        for rule in world.bff_app.url_map.iter_rules()
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
    }


def test_a66_every_route_is_in_the_matrix(world: World) -> None:
    """A new route has to be thought of here."""
    assert set(walked(world)) == set(MATRIX)


def test_a66_nothing_of_one_product_is_seen_or_changed_through_another(sides: tuple[Side, Side]) -> None:
    """Each route, with each thing that the second product holds, and the first one's names."""
    first, second = sides
    world, before = first.world, everything_of(first)
    values = {
        "attempt_id": first.connected["id"],
        "connection_id": first.connections[0]["id"],
        "product": first.studio.product,
        "name": f"{CANARY}-draft",
        "secret": "s" * 43,
        "token": "t" * 43,
        "endpoint_id": first.endpoint,
        "delivery_id": first.delivery,
    }
    names = {
        "first": first.studio.product,
        "origin": first.studio.origin,
        "own_origin": second.studio.origin,
        "bff": world.bff,
        "account": world.account,
        "launch_token": first.waiting["launch_token"],
        "endpoint": first.endpoint,
    }
    for route, rule in walked(world).items():
        method = route.partition(" ")[0]
        path = rule
        for name, value in {**values, "number": "1", "version": "1", "field": "logo"}.items():
            for form in (f"<{name}>", f"<int:{name}>"):
                path = path.replace(form, value)
        for who, browser, headers in callers(second):
            if route == "POST /studio/sign-out":
                browser = requests.Session()  # It would end what the rest is called with.  # noqa: PLW2901
            answer = browser.request(
                method,
                world.bff + path,
                headers=headers,
                timeout=30,
                allow_redirects=False,
                **filled(MATRIX[route], names),
            )
            seen = answer.text.replace(f"{CANARY}-draft", "") + str(answer.headers)
            assert CANARY not in seen, (route, who)
            assert answer.status_code < 500, (route, who, answer.text)
    assert everything_of(first) == before


def test_a66_secrets_of_one_attempt_open_nothing_of_another(sides: tuple[Side, Side]) -> None:
    """Launch tokens, launch cookies and return secrets, crossed."""
    first, second = sides
    world = first.world
    returning = first.begin(delivery="return", return_url=first.studio.origin + "/")
    its_own = {"product": first.studio.product, "origin": first.studio.origin}
    url = world.launch(returning["launch_token"], opened_for=its_own).headers["Location"]
    back = parse_qs(urlsplit(url).query)["targetOrigin"][0]
    before = everything_of(first)
    for who, browser, headers in callers(second):
        if headers.get("Origin") != world.bff:
            assert browser.post(back, headers=headers, timeout=10).status_code == 403, who
    own = {"product": second.studio.product, "origin": second.studio.origin}
    for opened_for, origin in ((own, world.bff), ({}, second.studio.origin), (own, second.studio.origin)):
        page = world.launch(first.waiting["launch_token"], origin=origin, opened_for=opened_for)
        assert page.status_code == 200
        assert "Location" not in page.headers
    assert world.press(first.waiting["launch_token"], origin=second.studio.origin).status_code == 403
    complete = f"{world.bff}/connect/complete/{first.connected['id']}"
    assert second.browser.get(complete, params={"code": "c" * 43}, timeout=10).status_code in {403, 404}
    assert everything_of(first) == before


def test_a66_an_account_of_the_same_id_is_another_one(sides: tuple[Side, Side]) -> None:
    """Each product has its own connection; the embedded service has an account for each."""
    first, second = sides
    assert {item["external_account"] for item in first.connections} == {f"{CANARY}@sandbox.example"}
    assert {item["external_account"] for item in second.connections} == {"second@sandbox.example"}
    assert not {item["id"] for item in first.connections} & {item["id"] for item in second.connections}
    receipts = [made.read(made.connected)["receipt"] for made in (first, second)]
    assert receipts[0] != receipts[1]


def test_a66_a_product_that_has_connected_nothing_sees_nothing(world: World) -> None:
    """Before its own first launch, and in what is kept for some seconds."""
    with side(world, CANARY) as first, open_studio(world) as second:
        assert first.connections
        path = f"/v1/connections?account={world.account}"
        assert world.server("GET", path, key=second.secret_key).json() == {"connections": []}
        first_page = world.page("GET", "/v1/config", first.session, origin=first.studio.origin).json()
        assert "connected" in {item["state"] for item in first_page["connectors"]}
        token = world.session(key=second.secret_key)
        page = world.page("GET", "/v1/config", token, origin=second.origin).json()
        assert {item["state"] for item in page["connectors"]} == {"disconnected"}


def test_a66_the_studios_of_two_products_try_out_apart(world: World) -> None:
    """Each has an account of its own, whatever the partner service."""
    with open_studio(world) as one, open_studio(world) as two:
        accounts = []
        for studio in (one, two):
            token = studio.editor().get("session").json()["token"]
            principal = world.bff_app.extensions[EXTENSION].sessions.tokens.read(token)
            accounts.append(principal.account.id)
        assert len(set(accounts)) == 2


def test_a66_of_two_products_at_one_moment_one_becomes_the_owner(world: World, studio: StudioWorld) -> None:
    """However many come at once, and in whatever spelling."""
    owners = DatabaseAccountOwners(studio.engine)
    spellings = [world.account, world.account.upper()] * 10

    def claim(number: int) -> bool:
        return owners.claim(spellings[number], Owner(f"product-{number}", world.account))

    with ThreadPoolExecutor(20) as pool:
        assert sum(pool.map(claim, range(20))) == 1
    assert len(set(owners.of(spellings).values())) == 1


@pytest.fixture(scope="module")
def as_cyclr(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A partner service where an account's id is what its people know a customer by."""
    with open_world(tmp_path_factory.mktemp("cyclr"), tell_sign_ins=False) as world:
        yield world


def sets(studio: StudioWorld, **said: Any) -> None:
    """Its product file says this of accounts from now on."""
    products = DatabaseProducts(studio.engine)
    registration = products.registration(studio.product)
    assert registration is not None
    products.put(replace(registration, **said), CONTENT, [Secret(studio.secret_key)])
    kept = studio.world.bff_app.extensions[EXTENSION].products.stored
    kept.forget(studio.product)
    kept._account_names.clear()


def sign_in_url(studio: StudioWorld, account: str) -> requests.Response:
    """Its server asks for a URL."""
    body = {
        "user": {"id": "ada"},
        "account": {"id": account},
        "connector": "sandbox",
        "target_origin": studio.origin,
    }
    return studio.world.server("POST", "/v1/sign-in-urls", key=studio.secret_key, json=body)


def begin(studio: StudioWorld, account: str) -> requests.Response:
    """Its page prepares an attempt."""
    token = replace(studio.world, account=account).session(key=studio.secret_key)
    asked = {"connector": "sandbox"}
    return studio.world.page("POST", "/v1/attempts", token, origin=studio.origin, json=asked)


def is_refused(answer: requests.Response) -> None:
    """It says what to set, and leaves nothing behind."""
    assert (answer.status_code, answer.json()["code"]) == (403, "account_of_another_product")
    assert "account_prefix" in answer.json()["detail"]
    assert "account_namespace" in answer.json()["detail"]


def test_a66_where_two_products_meet_the_second_is_refused(as_cyclr: World) -> None:
    """In whatever spelling, and at each call that would do something; a prefix keeps them apart."""
    account = "meets"
    with open_studio(as_cyclr) as one, open_studio(as_cyclr) as two:
        late = begin(two, account).json()["launch_token"]
        assert sign_in_url(one, account).status_code == 201
        for spelt in (account, "Meets", "MEETS"):
            is_refused(sign_in_url(two, spelt))
        is_refused(begin(two, "Meets"))
        # What was prepared before is refused as it is launched, and its token stays good.
        opened_for = {"product": two.product, "origin": two.origin}
        assert as_cyclr.launch(late, opened_for=opened_for).status_code == 403
        path = f"/v1/connections?account={account}"
        assert as_cyclr.server("GET", path, key=two.secret_key).json() == {"connections": []}
        assert as_cyclr.server("GET", path, key=one.secret_key).json()["connections"] != []
        sets(two, account_prefix="two-")
        assert sign_in_url(two, account).status_code == 201
        assert as_cyclr.launch(late, opened_for=opened_for).status_code == 303
        found = client_of(as_cyclr).call("GET", "/v1.0/accounts/two-meets", account=None)
        assert found.status_code == 200
        assert sign_in_url(one, account).status_code == 201


def connect(world: World, studio: StudioWorld) -> None:
    """A user of the product connects the sandbox."""
    token = world.session(key=studio.secret_key)
    page = {"origin": studio.origin, "json": {"connector": "sandbox"}}
    attempt = world.page("POST", "/v1/attempts", token, **page).json()
    opened_for = {"product": studio.product, "origin": studio.origin}
    world.sign_in(world.launch(attempt["launch_token"], opened_for=opened_for).headers["Location"])
    world.server("GET", f"/v1/attempts/{attempt['id']}?hint=message", key=studio.secret_key)


def test_what_two_products_shared_has_not_ended_when_they_part(as_cyclr: World) -> None:
    """It is the first one's; the other cannot see whether it stands, and is told so, not of an end."""
    with open_studio(as_cyclr) as one, open_studio(as_cyclr) as two:
        for studio in (one, two):
            sets(studio, account_namespace="couple")
        world = replace(as_cyclr, account="parted")
        connect(world, one)
        path = f"/v1/connections?account={world.account}"

        def states(studio: StudioWorld) -> list[tuple[str, int]]:
            told = world.server("GET", path, key=studio.secret_key).json()["connections"]
            return [(each["state"], each["sequence"]) for each in told]

        before = states(two)
        assert [state for state, _ in before] == ["connected"]
        sets(one, account_namespace=None)
        assert states(one)[0][0] == "connected"
        assert states(two) == [("unknown", before[0][1])]
        sets(one, account_namespace="couple")
        assert states(two) == before


def test_a66_products_that_share_an_account_are_both_told_of_an_end(as_cyclr: World) -> None:
    """One of them ends the connection that both have: for neither it has ended by itself."""
    with open_studio(as_cyclr) as one, open_studio(as_cyclr) as two:
        for studio in (one, two):
            sets(studio, account_namespace="family")
        world = replace(as_cyclr, account="family-account")
        connect(world, one)
        path = f"/v1/connections?account={world.account}"
        mine, theirs = (
            world.server("GET", path, key=studio.secret_key).json()["connections"][0] for studio in (one, two)
        )
        assert (mine["id"], mine["state"], theirs["state"]) == (theirs["id"], "connected", "connected")
        end = f"/v1/connections/{mine['id']}?account={world.account}"
        assert world.server("DELETE", end, key=one.secret_key).status_code == 204
        told = world.server("GET", path, key=two.secret_key).json()["connections"][0]
        assert (told["state"], told["sequence"]) == ("disconnected", theirs["sequence"] + 1)


def test_a66_two_products_that_say_so_share_their_accounts(as_cyclr: World) -> None:
    """Both must: one alone takes nothing. Their attempts stay their own."""
    account = "shared"
    with open_studio(as_cyclr) as one, open_studio(as_cyclr) as two:
        assert sign_in_url(one, account).status_code == 201
        sets(two, account_namespace="company")
        is_refused(sign_in_url(two, account))
        sets(one, account_namespace="company")
        assert sign_in_url(two, account).status_code == 201
        path = f"/v1/connections?account={account}"
        seen = [
            as_cyclr.server("GET", path, key=key).json()["connections"]
            for key in (one.secret_key, two.secret_key)
        ]
        assert [item["id"] for item in seen[0]] == [item["id"] for item in seen[1]] != []
        attempt = begin(one, account).json()["id"]
        assert as_cyclr.server("GET", f"/v1/attempts/{attempt}", key=two.secret_key).status_code == 404
        sets(one, account_namespace=None)
        assert as_cyclr.server("GET", path, key=two.secret_key).json() == {"connections": []}


def test_a66_many_launches_of_two_products_leave_one_owner(as_cyclr: World) -> None:
    """Of two products at one moment each launch of one goes on, and each of the other is refused."""
    with open_studio(as_cyclr) as one, open_studio(as_cyclr) as two, ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda studio: sign_in_url(studio, "raced").status_code, [one, two] * 4))
        assert sorted(answers) == [201] * 4 + [403] * 4
        assert len({*answers[::2]}) == len({*answers[1::2]}) == 1


def test_a66_a_read_makes_nobody_the_owner(as_cyclr: World) -> None:
    """Another product may still be the first to use the account."""
    with open_studio(as_cyclr) as one, open_studio(as_cyclr) as two:
        path = "/v1/connections?account=unused"
        assert as_cyclr.server("GET", path, key=one.secret_key).json() == {"connections": []}
        assert begin(one, "unused").status_code == 201
        assert sign_in_url(two, "unused").status_code == 201
