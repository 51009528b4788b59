"""One tenant's things are nobody else's, and what cannot be decided is denied (A13 to A15)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests
from flask import Request
from flask.testing import FlaskClient
from sqlalchemy import Engine, delete, text, update
from structlog.testing import capture_logs

from bff.storage.tables import metadata, product_origins, secret_keys
from bff.studio.access import Role
from bff.web.kit.services import EXTENSION
from tests.support.mounted import create_host
from tests.support.routes import routes
from tests.support.studio import Page, StudioWorld, open_studio
from tests.support.world import (
    HOST,
    OPENED_FOR,
    OTHER_HOST,
    OTHER_SECRET_KEY,
    SECRET_KEY,
    World,
    build_bff,
)

pytestmark = pytest.mark.one_database

SESSION = {"user": {"id": "ada"}, "account": {"id": "acme"}}


def strangers(world: World) -> Iterator[tuple[str, dict[str, str]]]:
    """Everybody to whom this account's things are nothing, by name, as the headers of their calls."""
    other_account = replace(world, account=world.account + "-two")
    for name, token, origin in (
        ("another user of the account", world.session(user="grace"), HOST),
        ("the same user in another account", other_account.session(), HOST),
        ("a user of both other ids", other_account.session(user="grace"), HOST),
        ("the same ids in another product", world.session(key=OTHER_SECRET_KEY), OTHER_HOST),
    ):
        yield name, {"Authorization": f"Bearer {token}", "Origin": origin, "X-Hitchpost": "1"}
    yield "another product's server", {"Authorization": f"Bearer {OTHER_SECRET_KEY}"}


def test_a13_anothers_attempt_is_not_there(world: World) -> None:
    """Every route with an attempt's id, for everybody else: the same 404 as for an id that is none."""
    token = world.session()
    mine = world.connect(token)
    before = world.read(mine)
    assert before["status"] == "connected"
    for who, headers in strangers(world):
        for method in ("GET", "POST"):
            for rule in routes(world.bff_app, method, "/v1/attempts/", {"attempt_id": "ID"}):
                found = [
                    requests.request(
                        method, world.bff + rule.replace("ID", named), headers=headers, json={}, timeout=20
                    )
                    for named in (mine, "att_" + "x" * 24)
                ]
                expected = 401 if who.endswith("server") and method == "POST" else 404
                assert [answer.status_code for answer in found] == [expected] * 2, (who, method, rule)
                told = [
                    re.sub(r"req_\w+", "", answer.text).replace(mine, "att_" + "x" * 24) for answer in found
                ]
                assert told[0] == told[1]
    assert world.read(mine) == before


def test_a13_connections_are_the_products_own(world: World) -> None:
    """A server sees the accounts of its own product's connectors; a page its own, and no other."""
    token = world.session()
    world.connect(token)
    path = f"/v1/connections?account={world.account}"
    mine = world.server("GET", path).json()["connections"]
    assert [item["connector"] for item in mine if item["authenticated"]] == ["sandbox"]
    # The other product offers the same connector: it is told of its own only, and of no other account.
    theirs = world.server("GET", path, key=OTHER_SECRET_KEY).json()["connections"]
    assert {item["connector"] for item in theirs} <= {"sandbox"}
    seen = world.page("GET", path, token).json()["connections"]
    assert [item["id"] for item in seen] == [item["id"] for item in mine]
    assert world.page("GET", "/v1/connections?account=acme", token).status_code == 422
    assert world.page("GET", path, "no-session").status_code == 401
    assert world.server("GET", path, key="sk_nobody").status_code == 401


@pytest.mark.parametrize(
    "field", ["account", "account_id", "user", "product", "tenant", "principal", "status"]
)
def test_a13_who_it_is_for_comes_from_the_session(world: World, field: str) -> None:
    """No field, query or header names another account, user or product: refused, or nothing to us."""
    token = world.session()
    for value in ("zeta", {"id": "zeta"}):
        body = {"connector": "sandbox", field: value}
        assert world.page("POST", "/v1/attempts", token, json=body).status_code == 422
    answer = world.page(
        "POST",
        f"/v1/attempts?{field}=zeta",
        token,
        json={"connector": "sandbox"},
        headers={f"X-{field}": "zeta", f"X-Forwarded-{field}": "zeta", f"X-Hitchpost-{field}": "zeta"},
    )
    attempt = world.bff_app.extensions[EXTENSION].attempts.store.get(answer.json()["id"])
    assert (attempt.product, attempt.account.id, attempt.user.id) == ("demo", world.account, "ada")


def test_a13_the_studio_is_one_products(studio: StudioWorld) -> None:
    """What is another product's, by its name, number or draft, is not there for an editor of this one."""
    with open_studio(studio.world) as theirs:
        stranger = theirs.editor()
        stranger.post("messages", {"name": "secret-plan"})
        stranger.publish()
        editor = studio.editor()
        assert stranger.get("messages/secret-plan").status_code == 200
        assert editor.get("messages/secret-plan").status_code == 404
        assert editor.post("messages/secret-plan/remove").status_code in {303, 404, 422}
        assert stranger.get("messages/secret-plan").status_code == 200
        assert editor.get("history/2").status_code == 404
        draft = editor.get("session").json()["token"]
        for key in (theirs.product, theirs.product + "~draft"):
            page = editor.get(f"../connect/opening?product={key}&origin={studio.world.bff}")
            assert page.status_code in {403, 404}
        config = studio.world.page("GET", "/v1/config", draft, origin=studio.world.bff).json()
        assert config["product"]["key"] == studio.product + "~draft"


def test_a13_nothing_is_asked_without_a_tenant(world: World) -> None:
    """A call of nobody ends before the partner service hears of it."""
    before = len(world.partner_calls.seen)
    for method in ("GET", "POST"):
        for path in routes(world.bff_app, method, "/v1/"):
            for headers in ({}, {"Authorization": "Bearer x"}, {"Authorization": "Bearer "}):
                own = headers | {"Origin": HOST, "X-Hitchpost": "1"}
                body = {"connector": "sandbox", **SESSION}
                assert requests.request(
                    method, world.bff + path, headers=own, json=body, timeout=20
                ).status_code in {401, 422}
    assert len(world.partner_calls.seen) == before


class Broken:
    """A BFF of this test's own, in use when something breaks."""

    def __init__(self, folder: Path, partner: str) -> None:
        self.app = build_bff("https://bff.example", folder, partner)
        self.client: FlaskClient = self.app.test_client()
        self.token = self.session().json["token"]
        self.attempt = self.begin().json
        self.cookie = self._sign_in()

    @property
    def engine(self) -> Engine:
        """Its database."""
        engine = self.app.extensions[EXTENSION].attempts.store._engine
        assert isinstance(engine, Engine)
        return engine

    def session(self) -> Any:
        """The host's server asks for a session."""
        headers = {"Authorization": f"Bearer {SECRET_KEY}"}
        return self.client.post("/v1/sessions", json=SESSION, headers=headers)

    def page(self, method: str, path: str, **options: Any) -> Any:
        """A page's call."""
        headers = {"Authorization": f"Bearer {self.token}", "Origin": HOST}
        return self.client.open(path, method=method, headers=headers, **options)

    def begin(self) -> Any:
        """Begin an attempt."""
        return self.page("POST", "/v1/attempts", json={"connector": "sandbox"})

    def studio(self) -> Any:
        """An editor looks at a page."""
        return self.client.get("/studio/messages", base_url="https://bff.example")

    def forget_what_is_kept(self) -> None:
        """What was read a moment ago is read anew: the memory of two seconds is over."""
        services = self.app.extensions[EXTENSION]
        for kept in (
            services.products.stored._products,
            services.products.stored._origins,
            services.sessions.ends._ends,
            services.sessions.ends._last,
        ):
            kept.clear()

    def everything(self) -> list[Any]:
        """Each kind of call that a check stands before."""
        self.forget_what_is_kept()
        launch = {"launch_token": self.attempt["launch_token"], **OPENED_FOR}
        return [
            self.session(),
            self.begin(),
            self.page("GET", "/v1/config"),
            self.page("GET", f"/v1/attempts/{self.attempt['id']}"),
            self.page("POST", f"/v1/attempts/{self.attempt['id']}/cancel", json={}),
            self.client.post("/connect/launch", data=launch, headers={"Origin": "https://bff.example"}),
            self.studio(),
        ]

    def _sign_in(self) -> None:
        token = self.app.extensions[EXTENSION].teams.studio.invite("demo", "ada@acme.example", Role.PUBLISHER)
        self.client.post(
            f"/studio/enter/{token.reveal()}",
            headers={"Origin": "https://bff.example"},
            base_url="https://bff.example",
        )
        assert self.studio().status_code == 200


@pytest.fixture
def broken(world: World, tmp_path: Path) -> Iterator[Broken]:
    """A BFF with a database of its own."""
    made = Broken(tmp_path, world.partner)
    # What goes wrong here is logged in full, which takes longer than all the rest.
    with capture_logs():
        yield made
    made.engine.dispose()


def is_denied(answer: Any) -> None:
    """Nothing was given: no success, no redirect, no token, no word of what broke."""
    assert answer.status_code in {401, 403, 404, 410, 500, 503}, answer.text
    assert "token" not in (answer.get_json(silent=True) or {})
    assert "Location" not in answer.headers
    assert "Access-Control-Allow-Credentials" not in answer.headers
    assert not re.search(r"sqlalchemy|sqlite|psycopg|Traceback|SELECT", answer.text)


def test_a14_a_store_that_is_gone_denies(broken: Broken) -> None:
    """Every table dropped under a running BFF: no check lets anybody through."""
    with broken.engine.begin() as connection:
        for table in reversed(metadata.sorted_tables):
            table.drop(connection)
    for answer in broken.everything():
        is_denied(answer)


RESTS: dict[str, list[int]] = {
    "ended_sessions": [1, 2, 3, 4],
    "secret_keys": [0],
    "products": [1, 2, 3, 4],
    "product_origins": [1, 2, 3, 4],
    "attempts": [1, 3, 4, 5],
    "studio_sessions": [6],
}
"""Which kinds of call, by their number in ``everything``, rest on a table."""


def test_a14_one_table_that_is_gone_opens_nothing(broken: Broken) -> None:
    """Each alone: what rests on it is denied, and nobody gets what they would not get otherwise."""
    for table, resting in RESTS.items():
        # A kept connection of SQLite's takes the tables that it knew for those that there are.
        broken.engine.dispose()
        with broken.engine.begin() as connection:
            connection.execute(text(f"ALTER TABLE {table} RENAME TO gone"))
        answers = broken.everything()
        for number in resting:
            is_denied(answers[number])
        broken.engine.dispose()
        with broken.engine.begin() as connection:
            connection.execute(text(f"ALTER TABLE gone RENAME TO {table}"))


def test_a14_a_session_is_denied_while_its_end_cannot_be_looked_up(broken: Broken) -> None:
    """A token that was good a moment ago is not taken on trust."""
    assert broken.page("GET", f"/v1/attempts/{broken.attempt['id']}").status_code == 200
    with broken.engine.begin() as connection:
        connection.execute(text("ALTER TABLE ended_sessions RENAME TO gone"))
    broken.forget_what_is_kept()
    answer = broken.page("GET", f"/v1/attempts/{broken.attempt['id']}")
    assert (answer.status_code, answer.json["code"]) == (500, "internal_error")


def test_a14_a_key_or_an_origin_that_is_gone_denies(broken: Broken) -> None:
    """A secret key that was taken away: 401. An origin that is registered no longer: 403."""
    with broken.engine.begin() as connection:
        connection.execute(delete(secret_keys))
    assert broken.session().status_code == 401
    with broken.engine.begin() as connection:
        here = product_origins.c.origin == HOST
        connection.execute(update(product_origins).where(here).values(origin="https://moved.example"))
    broken.forget_what_is_kept()
    for answer in (broken.begin(), broken.page("GET", "/v1/config")):
        assert (answer.status_code, answer.json["code"]) == (403, "origin_not_allowed")
        assert "Access-Control-Allow-Origin" not in answer.headers


def test_a14_a_session_of_no_product_is_none(broken: Broken) -> None:
    """The product is gone: its tokens sign nobody in, and no other product stands in."""
    with broken.engine.begin() as connection:
        connection.execute(text("DELETE FROM products WHERE key = 'demo'"))
    broken.forget_what_is_kept()
    for answer in (broken.begin(), broken.page("GET", "/v1/config"), broken.session()):
        assert (answer.status_code, answer.json["code"]) == (401, "not_signed_in")


@pytest.mark.parametrize("failure", [RuntimeError("x"), KeyError("user"), LookupError(), ValueError()])
def test_a14_a_host_that_cannot_say_who_it_is_denies(
    world: World, tmp_path: Path, failure: Exception
) -> None:
    """`identify` breaks: nobody is signed in, and nothing of the error is told."""

    def identify(_request: Request) -> None:
        raise failure

    app = create_host("https://host.example", tmp_path, world.partner, identify)
    headers = {"X-Hitchpost": "1", "Origin": "https://host.example", "Sec-Fetch-Site": "same-origin"}
    client = app.test_client()
    with capture_logs():
        answers = [
            client.get("/hitchpost/v1/config", headers=headers),
            client.post("/hitchpost/v1/attempts", headers=headers, json={"connector": "sandbox"}),
        ]
    for answer in answers:
        assert (answer.status_code, answer.json["code"]) == (500, "internal_error")


def test_a15_an_unknown_field_is_refused(world: World) -> None:
    """422, naming it, on every route that takes a body; also one level down."""
    headers = {"Authorization": f"Bearer {SECRET_KEY}"}
    token = world.session()
    for path in routes(world.bff_app, "POST", "/v1/"):
        own = headers if path.startswith(("/v1/sessions", "/v1/sign-in", "/v1/connections")) else {}
        sender = own or {"Authorization": f"Bearer {token}", "Origin": HOST}
        body: dict[str, Any] = {"json": {"is_admin": True}}
        if path == "/v1/press":
            body = {"data": {"launch_token": world.begin(token)["launch_token"], "is_admin": "yes"}}
        answer = requests.post(world.bff + path, headers=sender, timeout=20, **body)
        assert answer.status_code == 422, path
        assert "is_admin: is not known here" in answer.json()["detail"]
    deeper = {"user": {"id": "ada", "role": "owner"}, "account": {"id": "a"}}
    told = world.server("POST", "/v1/sessions", json=deeper)
    assert told.status_code == 422
    assert "user.role: is not known here" in told.json()["detail"]


@pytest.mark.parametrize(
    "body",
    [
        '{"user": {"id": "ada"}, "user": {"id": "grace"}, "account": {"id": "acme"}}',
        '{"user": {"id": "ada", "id": "grace"}, "account": {"id": "acme"}}',
        '{"user": {"id": "ada"}, "account": {"id": "acme"}, "account": {"id": "acme"}}',
        '{"user": {"id": "ada"}, "account": {"id": "acme", "\\u0069d": "zeta"}}',
        '{"user": {"id": "ada"}, "account": {"id": "acme"}, "expires_in": 1, "expires_in": 86400}',
    ],
)
def test_a15_a_name_that_stands_twice_is_refused(world: World, body: str) -> None:
    """Of two readers one takes the first and one the last: 400, naming it, however it is spelt."""
    answer = world.server("POST", "/v1/sessions", data=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed_request")
    assert "stands twice" in answer.json()["detail"]


def test_a15_a_parameter_that_comes_twice_is_refused(world: World) -> None:
    """On the API's routes, whoever calls."""
    token = world.session()
    account = f"account={world.account}"
    assert world.server("GET", f"/v1/connections?{account}").status_code == 200
    assert world.server("GET", f"/v1/connections?{account}&account=zeta").status_code == 400
    assert world.page("GET", "/v1/config?locale=de&locale=fr", token).status_code == 400


def test_a15_a_forms_token_that_comes_twice_is_refused(studio: StudioWorld) -> None:
    """The Studio's too; a field that a form repeats by its nature stays."""
    editor = studio.editor()
    csrf = editor.csrf
    assert editor.post("messages", [("name", "one"), ("csrf", csrf)], csrf=csrf).status_code == 400
    assert editor.get("messages/one").status_code == 404
    assert editor.save("words", {}).status_code == 200
    assert Page(editor.get("messages").text).csrf == csrf


@pytest.mark.parametrize("name", ["Authorization", "Origin", "X-Hitchpost"])
def test_a15_a_header_that_comes_twice_is_no_header(world: World, name: str) -> None:
    """Two values are neither of the two."""
    token = world.session()
    sound = {"Authorization": f"Bearer {token}", "Origin": HOST, "X-Hitchpost": "1"}
    if name == "X-Hitchpost":
        del sound["Authorization"]
    both = sound | {name: f"{sound[name]},{sound[name]}"}
    answer = requests.post(
        f"{world.bff}/v1/attempts", json={"connector": "sandbox"}, headers=both, timeout=20
    )
    assert answer.status_code in {401, 403, 422}
