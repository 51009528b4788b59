"""A connection's life: what pages and servers are told of it, and how it ends."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from sqlalchemy import select, update

from bff.content.product import DisconnectPolicy
from bff.partner.account_connectors import credentials, store
from bff.partner.grants import revocation
from bff.partner.storage import tables
from bff.products.store import DatabaseProducts
from tests.partner.conftest import client_of
from tests.support.connections import connected, events, listed, named, shown
from tests.support.databases import DatabaseUrl
from tests.support.fault_proxy import Fault
from tests.support.faulty_world import FaultyWorld, open_faulty_world
from tests.support.studio import StudioWorld
from tests.support.world import HOST, OTHER_SECRET_KEY, SANDBOX_SECRET, World
from tests.web.test_products_apart import sets

pytestmark = [pytest.mark.usefixtures("server_hears"), pytest.mark.one_database]


def end(world: World, connection: str, token: str | None = None) -> requests.Response:
    """Somebody ends a connection: the page of ``token``, or the host's server."""
    path = f"/v1/connections/{connection}"
    if token is not None:
        return world.page("DELETE", path, token)
    return world.server("DELETE", path, params={"account": world.account})


def partner_has(world: World, connection: str) -> dict[str, Any]:
    """What the partner service says of it."""
    path = f"/v1.0/account/connectors/{connection}"
    found: dict[str, Any] = client_of(world).call("GET", path, account=world.account).json()
    return found


class TestOneReference:
    """Two connectors of a product may be one at the partner service, for two texts."""

    def test_it_is_the_connection_of_the_one_that_was_pressed(self, world: World) -> None:
        """It is listed once, and the other has none to end."""
        pressed = connected(world, world.session(), "google-drive")
        assert [(each["id"], each["connector"]) for each in listed(world)] == [(pressed, "google-drive")]
        assert shown(world, world.session(), "google-drive")["state"] == "connected"
        other = shown(world, world.session(), "sandbox")
        assert (other["state"], other["connections"]) == ("disconnected", [])

    def test_pressed_last_it_belongs_to_the_other(self, world: World) -> None:
        """It is the same connection still, under the same id."""
        first, second = (connected(world, world.session(), key) for key in ("sandbox", "google-drive"))
        assert first == second
        assert [(each["id"], each["connector"]) for each in listed(world)] == [(first, "google-drive")]
        assert [data["connector"] for _, data in events(world)] == ["sandbox", "google-drive"]

    def test_a_session_of_the_other_neither_sees_nor_ends_it(self, world: World) -> None:
        """It may not use the one that was pressed."""
        pressed = connected(world, world.session(), "google-drive")
        token = world.session(connectors=["sandbox"])
        assert shown(world, token, "sandbox")["state"] == "disconnected"
        assert end(world, pressed, token).status_code == 404
        assert end(world, pressed, world.session(connectors=["google-drive"])).status_code == 204


class TestGone:
    """A page asks for a connection that somebody has ended since, or that never was."""

    @pytest.mark.parametrize("act", ["reconnect", "disconnect"])
    def test_the_page_says_so_in_the_readers_language(self, world: World, act: str) -> None:
        """It asked for nothing impossible, and nobody needs to be told: the user connects again."""
        gone, token = connected(world, world.session()), world.session()
        assert end(world, gone).status_code == 204
        asked = {"connector": "sandbox", "connection": "99999" if act == "reconnect" else gone}
        call = ("POST", "/v1/attempts") if act == "reconnect" else ("DELETE", f"/v1/connections/{gone}")
        for language, title in (("en", "This connection has ended"), ("de", "Diese Verbindung ist beendet")):
            headers = {"Accept-Language": language}
            refused = world.page(*call, token, json=asked, headers=headers)
            assert (refused.status_code, refused.json()["code"]) == (404, "connection_not_found")
            error = refused.json()["error"]
            assert (error["code"], error["title"]) == ("connector_unavailable", title)

    def test_the_window_says_so_that_was_opened_for_it(self, world: World) -> None:
        """It ended between the press and the launch."""
        attempt = world.begin(world.session(), "sandbox")
        world.change(attempt["id"], wanted_connection=99999)
        refused = world.launch(attempt["launch_token"])
        assert refused.status_code == 404
        assert "This connection has ended" in refused.text


class TestTold:
    """What is told of a connection that stands."""

    def test_a_server_is_told_whose_it_is_since_when_and_by_whom(self, world: World) -> None:
        """In the form of the contract; what nobody knows is null."""
        connection = connected(world, world.session())
        (found,) = (each for each in listed(world) if each["connector"] == "sandbox")
        since = found.pop("connected_at")
        assert since is not None
        assert found.pop("last_seen_at") >= since
        assert found == {
            "id": connection,
            "connector": "sandbox",
            "name": "Sandbox CRM",
            "state": "connected",
            "external_account": "ada@sandbox.example",
            "connected_by": "ada",
            "connected_by_name": "Ada",
            "scopes": ["contacts.read", "contacts.write"],
            "missing_scopes": [],
            "expires_at": found["expires_at"],
            "reason": None,
            "reason_text": None,
            "extra": None,
            "sequence": 1,
            "may_disconnect": True,
            "authenticated": True,
            "last_state": None,
        }

    def test_a_page_is_told_the_same_of_its_own_account(self, world: World) -> None:
        """In the configuration, and in the list; of no other account, whatever it asks for."""
        token = world.session()
        connected(world, token)
        told = shown(world, token)
        assert (told["state"], told["multiple"]) == ("connected", False)
        answer = world.page("GET", "/v1/connections", token)
        assert answer.headers["Access-Control-Allow-Origin"] == HOST
        of_sandbox = [each for each in answer.json()["connections"] if each["connector"] == "sandbox"]
        assert told["connections"] == of_sandbox
        refused = world.page("GET", "/v1/connections", token, params={"account": "another"})
        assert (refused.status_code, refused.json()["code"]) == (422, "invalid_request")

    def test_a_page_that_asks_again_and_again_is_not_asked_for_each_time(self, world: World) -> None:
        """No user uses up what the partner service takes of all; the host's server is told what is now."""
        token = world.session()
        connection = connected(world, token)
        world.page("GET", "/v1/connections", token)
        before = len(world.partner_calls.seen)
        for _ in range(3):
            told = world.page("GET", "/v1/connections", token).json()["connections"]
            assert {(each["id"], each["state"]) for each in told} == {(connection, "connected")}
        assert len(world.partner_calls.seen) == before
        listed(world)
        assert len(world.partner_calls.seen) > before

    def test_a_sign_in_is_told_once_whoever_looks_meanwhile(self, world: World) -> None:
        """The event has whose doing it was, though a page looked before the attempt had ended."""
        token = world.session()
        attempt = world.connect(token)
        before = shown(world, token)
        assert before["connections"][0]["state"] == "connected"
        assert named(world) == []
        assert world.read(attempt)["status"] == "connected"
        shown(world, token)
        ((name, data),) = events(world)
        assert (name, data["connected_by"], data["account"]) == ("connected", "ada", world.account)

    def test_while_somebody_signs_in_others_see_it_as_pending(self, world: World) -> None:
        """The connector, and its connection once there is one."""
        attempt = world.begin(world.session(user="grace"))
        token = world.session()
        assert shown(world, token)["state"] == "disconnected"
        world.launch(attempt["launch_token"])
        forget(world)
        told = shown(world, token)
        assert (told["state"], [each["state"] for each in told["connections"]]) == ("pending", ["pending"])
        world.page("POST", f"/v1/attempts/{attempt['id']}/cancel", world.session(user="grace"), json={})
        assert shown(world, token)["state"] == "disconnected"

    def test_what_stood_before_anybody_looked_is_no_news(self, world: World) -> None:
        """After an upgrade, say: it is noted without an event, and nobody is named."""
        account = client_of(world)
        account.call("POST", "/v1.0/accounts", {"Id": world.account, "Name": "Acme"}, account=None)
        made = account.call("POST", "/v1.0/connectors/101/install", {}, account=world.account).json()
        path = f"/v1.0/account/connectors/{made['Id']}"
        account.call("PUT", path, {"AuthValue": "key"}, account=world.account)
        told = shown(world, world.session())
        assert (told["state"], told["connections"][0]["connected_by"]) == ("connected", None)
        assert named(world) == []

    @pytest.mark.both_databases
    def test_a_connection_by_a_url_of_the_hosts_server_is_told(self, world: World) -> None:
        """Though there is no attempt around it: by the next look, and whose it is. So at a reconnect."""
        body = {
            "user": {"id": "ada"},
            "account": {"id": world.account},
            "connector": "sandbox",
            "target_origin": HOST,
            "callback_message": "done",
        }
        world.sign_in(world.server("POST", "/v1/sign-in-urls", json=body).json()["url"])
        listed(world)
        ((name, data),) = events(world)
        assert (name, data["connected_by"], data["external_account"]) == (
            "connected",
            "ada",
            "ada@sandbox.example",
        )
        again = body | {"user": {"id": "grace"}}
        world.sign_in(world.server("POST", "/v1/sign-in-urls", json=again).json()["url"])
        listed(world)
        assert [(name, data["connected_by"]) for name, data in events(world)] == [
            ("connected", "ada"),
            ("reconnected", "grace"),
        ]
        (row,) = shown(world, world.session())["connections"]
        assert row["connected_by"] == "grace"

    def test_a_reconnect_is_told_as_one(self, world: World) -> None:
        """By whom it was this time."""
        connection = connected(world, world.session())
        assert connected(world, world.session(user="grace")) == connection
        assert [(name, data["connected_by"]) for name, data in events(world)] == [
            ("connected", "ada"),
            ("reconnected", "grace"),
        ]

    def test_a_grant_that_is_dead_needs_a_new_sign_in(self, world: World) -> None:
        """Noticed as its token is asked for; told once, with a reason; the next sign-in reconnects it."""
        token = world.session()
        connection = connected(world, token)
        kill_grant(world, int(connection))
        path = f"/v1/connections/{connection}/token"
        refused = world.server("POST", path, params={"account": world.account})
        assert (refused.status_code, refused.json()["code"]) == (409, "needs_reconnect")
        forget(world)
        told = shown(world, token)
        assert told["state"] == "needs_reconnect"
        (shown_one,) = told["connections"]
        assert shown_one["reason"] in {"revoked", "unauthenticated"}
        assert shown_one["reason_text"]
        assert shown_one["may_disconnect"]
        assert named(world) == ["connected", "needs_reconnect"]
        assert connected(world, token) == connection
        assert named(world) == ["connected", "needs_reconnect", "reconnected"]

    def test_another_token_is_given_when_the_third_party_refuses_the_last(self, world: World) -> None:
        """Only if asked for: a token that lasts is given again."""
        path = f"/v1/connections/{connected(world, world.session())}/token"

        def token(body: dict[str, object] | None) -> str:
            answer = world.server("POST", path, json=body, params={"account": world.account})
            return str(answer.json()["access_token"])

        first = token(None)
        assert token({"force": False}) == first
        assert token({"force": True}) != first
        refused = world.server("POST", path, json={"force": "yes"}, params={"account": world.account})
        assert (refused.status_code, refused.json()["code"]) == (422, "invalid_request")

    def test_a_grant_that_dies_while_somebody_signs_in_is_told_at_once(self, world: World) -> None:
        """It is none of that sign-in's doing: who asks for a token is refused, and the event is there."""
        token = world.session()
        connection = connected(world, token)
        attempt, browser = world.begin(token, connection=connection), requests.Session()
        url = world.launch(attempt["launch_token"], browser=browser).headers["Location"]
        kill_grant(world, int(connection))
        path = f"/v1/connections/{connection}/token"
        assert world.server("POST", path, params={"account": world.account}).status_code == 409
        assert named(world) == ["connected", "needs_reconnect"]
        world.sign_in(url, browser=browser)
        assert world.read(attempt["id"])["status"] == "connected"
        assert named(world) == ["connected", "needs_reconnect", "reconnected"]

    def test_a_grant_that_dies_before_its_sign_in_was_told_is_told_after_it(self, world: World) -> None:
        """Else the next sign-in, if it is told first, would hide that it was lost."""
        token = world.session()
        first = world.connect(token)
        [connection] = [each["id"] for each in listed(world)]
        kill_grant(world, int(connection))
        path = f"/v1/connections/{connection}/token"
        assert world.server("POST", path, params={"account": world.account}).status_code == 409
        assert named(world) == ["connected", "needs_reconnect"]
        assert connected(world, token) == connection
        assert world.read(first)["status"] == "connected"
        assert named(world) == ["connected", "needs_reconnect", "reconnected"]

    def test_two_sign_ins_of_which_the_later_is_told_first_are_no_reconnect(self, world: World) -> None:
        """A host hears of a connection as connected before anything else, whichever page looks first."""
        token = world.session()
        first, second = world.connect(token), world.connect(token)
        assert world.read(second)["status"] == "connected"
        assert world.read(first)["status"] == "connected"
        assert named(world) == ["connected"]


def kill_grant(world: World, number: int) -> None:
    """The third party has taken access away, and the access token that is kept has run out."""
    service, table = world.partner_service, tables.account_connector
    with service.database.writing() as connection:
        row = connection.execute(select(table).where(table.c.id == number)).one()
        context = store.sealed_in(row, "credentials")
        kept = credentials.unseal(service.vault, row.credentials, context)
        over = replace(kept, expires_at=datetime.now(UTC) - timedelta(seconds=5))
        sealed = credentials.seal(service.vault, over, context)
        connection.execute(update(table).where(table.c.id == number).values(credentials=sealed))
    ours = ("hitchpost", SANDBOX_SECRET)
    url = f"{world.sandbox}/revoke"
    assert requests.post(url, data={"token": kept.refresh_token}, auth=ours, timeout=10).ok


def forget(world: World) -> None:
    """What was heard a moment ago counts no more."""
    world.bff_app.extensions["hitchpost"].connections.overview._kept.clear()


class TestOutage:
    """While the partner service is away."""

    @pytest.fixture
    def apart(self, tmp_path: Path, database_url: DatabaseUrl) -> Iterator[FaultyWorld]:
        """A world whose partner service may go away."""
        with open_faulty_world(tmp_path, database_url) as world:
            yield world

    def test_what_is_known_is_told_with_its_age(self, apart: FaultyWorld) -> None:
        """Nobody is told "disconnected" because a service is away; of nothing known nothing is told."""
        token = apart.session()
        connection = connected(apart, token)
        seen_at = listed(apart)[0]["last_seen_at"]
        apart.before_partner.switch(Fault.REFUSE)
        forget(apart)
        (one,) = listed(apart)
        told = shown(apart, token)
        away = apart.server("GET", "/v1/connections", params={"account": "nobody"})
        assert (one["id"], one["state"], one["last_state"]) == (connection, "unknown", "connected")
        assert one["last_seen_at"] == seen_at
        assert (told["state"], told["last_state"]) == ("unknown", "connected")
        assert told["last_seen_at"] == seen_at
        assert (away.status_code, away.json()["code"]) == (503, "partner_unavailable")


class TestEnd:
    """How a connection ends."""

    @pytest.mark.parametrize("by_page", [True, False])
    def test_it_ends_at_the_partner_service_and_the_third_party(self, world: World, by_page: bool) -> None:
        """The grant is revoked; asked again there is nothing to end; who did it is told."""
        token = world.session()
        connection = connected(world, token)
        revoked = len(revocations(world))
        ended = end(world, connection, token if by_page else None)
        assert (ended.status_code, ended.text) == (204, "")
        assert len(revocations(world)) == revoked + 1
        assert partner_has(world, connection)["Authenticated"] is False
        again = end(world, connection, token if by_page else None)
        assert (again.status_code, again.json()["code"]) == (404, "connection_not_found")
        assert shown(world, token)["state"] == "disconnected"
        (_, (name, data)) = events(world)
        assert (name, data["disconnected_by"]) == ("disconnected", "user:ada" if by_page else "server")
        assert (data["state"], data["external_account"], data["sequence"]) == ("disconnected", None, 2)

    @pytest.mark.parametrize("policy", ["account", "owner"])
    def test_the_same_call_again_is_answered_as_before(self, studio: StudioWorld, policy: str) -> None:
        """Its first answer was lost. Another call is told that nothing is to end, and so is another user."""
        sets(studio, disconnect=DisconnectPolicy(policy))
        world = replace(studio.world, account="again-" + studio.product)
        token, attempt = TestPolicy().signed_in_at(studio, world, "ada", "ada@sandbox.example")
        told = world.page("GET", f"/v1/attempts/{attempt}", token, origin=studio.origin).json()
        path = f"/v1/connections/{told['connection']['id']}"

        def ends(key: str | None, token: str = token) -> int:
            headers = {} if key is None else {"Idempotency-Key": key}
            return world.page("DELETE", path, token, origin=studio.origin, headers=headers).status_code

        assert [ends("one"), ends("one"), ends("two"), ends(None), ends("one")] == [204, 204, 404, 404, 204]
        assert ends("one", world.session(key=studio.secret_key, user="grace")) == 404
        stranger = replace(world, account="stranger-" + world.account)
        assert ends("one", stranger.session(key=studio.secret_key)) == 404
        assert ends("k" * 256) == 422

    @pytest.mark.both_databases
    def test_the_same_call_again_leaves_what_was_connected_since(self, world: World) -> None:
        """Its first answer was lost, and a user has connected again before it came a second time."""
        token = world.session()
        connection = connected(world, token)
        call: dict[str, Any] = {
            "params": {"account": world.account}, "headers": {"Idempotency-Key": "of one job"}
        }  # fmt: skip
        path = f"/v1/connections/{connection}"
        assert world.server("DELETE", path, **call).status_code == 204
        assert connected(world, token) == connection
        assert world.server("DELETE", path, **call).status_code == 204
        assert partner_has(world, connection)["Authenticated"] is True

    def test_a80_only_who_has_it_can_end_it(self, world: World) -> None:
        """Not another account, product or session, nor a page that may not offer its connector."""
        connection = connected(world, world.session())
        path = f"/v1/connections/{connection}"
        stranger = replace(world, account="stranger-" + world.account)
        narrow = world.session(connectors=["sandbox-isolated"])
        answers = [
            stranger.page("DELETE", path, stranger.session()),
            stranger.server("DELETE", path, params={"account": stranger.account}),
            world.server("DELETE", path, key=OTHER_SECRET_KEY, params={"account": world.account}),
            world.page("DELETE", path, narrow),
            world.page("DELETE", "/v1/connections/no-number", world.session()),
            world.page("DELETE", "/v1/connections/99999999999", world.session()),
            world.page("DELETE", f"/v1/connections/0{connection}", world.session()),
            world.server("POST", f"/v1/connections/0{connection}/token", params={"account": world.account}),
        ]
        assert [(each.status_code, each.json()["code"]) for each in answers] == [
            (404, "connection_not_found")
        ] * len(answers)
        assert listed(world)[0]["state"] == "connected"

    def test_a80_a_page_of_another_site_ends_nothing(self, world: World) -> None:
        """Without a registered origin nothing is done, whatever token comes with it."""
        token = world.session()
        connection = connected(world, token)
        for origin in (None, "https://evil.example", "null"):
            refused = world.page("DELETE", f"/v1/connections/{connection}", token, origin=origin)
            assert (refused.status_code, refused.json()["code"]) == (403, "origin_not_allowed")
        assert listed(world)[0]["state"] == "connected"

    @pytest.mark.both_databases
    def test_two_ends_at_once_are_one(self, world: World) -> None:
        """Whoever comes second is told the same, or that it is gone; one event tells of it."""
        connection = connected(world, world.session())
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(lambda _: end(world, connection).status_code, range(4)))
        assert 204 in answers
        assert set(answers) <= {204, 404}
        assert named(world) == ["connected", "disconnected"]
        assert partner_has(world, connection)["Authenticated"] is False

    def test_a80_a_sign_in_that_is_under_way_ends_with_it(self, world: World) -> None:
        """Its attempt is cancelled, and what its user does then connects nothing and leaves no grant."""
        connection = connected(world, world.session())
        browser, attempt = requests.Session(), world.begin(world.session(user="grace"))
        url = world.launch(attempt["launch_token"], browser=browser).headers["Location"]
        assert end(world, connection).status_code == 204
        assert world.read(attempt["id"])["status"] == "cancelled"
        revoked = len(revocations(world))
        world.sign_in(url, browser=browser)
        assert partner_has(world, connection)["Authenticated"] is False
        # Those of other tests may wait there too, and come first.
        revocation.retry_revocations(world.partner_service, 10_000)
        assert len(revocations(world)) > revoked
        forget(world)
        assert listed(world)[0]["state"] == "disconnected"
        assert named(world) == ["connected", "disconnected"]

    def test_a_sign_in_that_had_succeeded_is_told_and_then_ended(self, world: World) -> None:
        """Both are told, in their order, though its page had not looked yet."""
        attempt = world.connect(world.session())
        connection = listed(world)[0]["id"]
        assert end(world, connection).status_code == 204
        assert world.read(attempt)["status"] == "connected"
        assert named(world) == ["connected", "disconnected"]

    def test_another_account_that_waits_for_a_choice_is_let_go(self, world: World) -> None:
        """Nobody can take it afterwards in place of what has ended."""
        token = world.session()
        connection = connected(world, token)
        browser, attempt = requests.Session(), world.begin(token)
        url = world.launch(attempt["launch_token"], browser=browser).headers["Location"]
        world.sign_in(url, account="grace@sandbox.example", browser=browser)
        assert world.read(attempt["id"])["error"]["code"] == "account_mismatch"
        end(world, connection)
        chosen = world.page("POST", f"/v1/attempts/{attempt['id']}/accept", token, json={})
        assert (chosen.status_code, chosen.json()["code"]) == (410, "expired")
        assert partner_has(world, connection)["Authenticated"] is False

    def test_after_an_end_it_can_be_connected_again(self, world: World) -> None:
        """The same connection, whose events go on counting."""
        token = world.session()
        connection = connected(world, token)
        end(world, connection)
        assert connected(world, token) == connection
        assert [data["sequence"] for _, data in events(world)] == [1, 2, 3]
        assert named(world) == ["connected", "disconnected", "connected"]


def revocations(world: World) -> list[tuple[str, str]]:
    """The third party was told to end a grant."""
    return [seen for seen in world.sandbox_calls.seen if "revoke" in seen[1]]


class TestPolicy:
    """Who may end a connection is the product's choice."""

    @contextlib.contextmanager
    def product(self, studio: StudioWorld, **said: Any) -> Iterator[World]:
        """A product of this test's own whose file says this."""
        sets(studio, **said)
        yield replace(studio.world, account="policy-" + studio.product)

    @pytest.mark.parametrize(
        ("policy", "owner", "other"),
        [("account", 204, 204), ("owner", 204, 403), ("server", 403, 403)],
    )
    def test_a80_who_may_not_end_it_may_not_replace_its_account(
        self, studio: StudioWorld, policy: str, owner: int, other: int
    ) -> None:
        """With the account that signed in at a reconnect. The page is told with the attempt that failed."""
        with self.product(studio, disconnect=DisconnectPolicy(policy)) as world:
            for user, expected in (("grace", other), ("ada", owner)):
                self.signed_in_at(studio, world, "ada", "ada@sandbox.example")
                token, attempt = self.signed_in_at(studio, world, user, "grace@sandbox.example")
                ended_before = revocations(world)
                path = f"/v1/attempts/{attempt}"
                told = world.page("GET", path, token, origin=studio.origin).json()
                assert (told["error"]["code"], told["may_accept"]) == ("account_mismatch", expected == 204)
                answer = world.page("POST", path + "/accept", token, origin=studio.origin, json={})
                again = world.page("POST", path + "/accept", token, origin=studio.origin, json={})
                codes = [each.json().get("code") for each in (answer, again)]
                assert codes == ([None] if expected == 204 else ["not_allowed"]) * 2
                assert (revocations(world) == ended_before) is (expected == 403)
                named: dict[str, Any] = {"key": studio.secret_key, "params": {"account": world.account}}
                found = world.server("GET", "/v1/connections", **named).json()["connections"]
                stands = next(each for each in found if each["connector"] == "sandbox")
                account = "grace@sandbox.example" if expected == 204 else "ada@sandbox.example"
                assert stands["external_account"] == account
                world.server("DELETE", f"/v1/connections/{stands['id']}", **named)

    def test_a80_of_two_connectors_with_one_reference_either_may_accept(self, studio: StudioWorld) -> None:
        """The one has made the connection, the other reconnects it: its owner may take the new account."""
        registered = DatabaseProducts(studio.engine).registration(studio.product)
        assert registered is not None
        first = next(each for each in registered.connectors if each.key == "sandbox")
        both = (first, replace(first, key="second"))
        with self.product(studio, disconnect=DisconnectPolicy.OWNER, connectors=both) as world:
            self.signed_in_at(studio, world, "ada", "ada@sandbox.example")
            for user, code in (("grace", "not_allowed"), ("ada", None)):
                again = self.signed_in_at(studio, world, user, "grace@sandbox.example", "second")
                path = f"/v1/attempts/{again[1]}/accept"
                answer = world.page("POST", path, again[0], origin=studio.origin, json={})
                assert answer.json().get("code") == code, answer.text

    def signed_in_at(
        self, studio: StudioWorld, world: World, user: str, account: str, connector: str = "sandbox"
    ) -> tuple[str, str]:
        """The session of a user who has signed in with this third-party account, and the attempt."""
        token = world.session(key=studio.secret_key, user=user)
        asked = {"origin": studio.origin, "json": {"connector": connector}}
        begun = world.page("POST", "/v1/attempts", token, **asked).json()
        opened_for = {"product": studio.product, "origin": studio.origin}
        url = world.launch(begun["launch_token"], opened_for=opened_for).headers["Location"]
        world.sign_in(url, account=account)
        world.server("GET", f"/v1/attempts/{begun['id']}?hint=message", key=studio.secret_key)
        return token, begun["id"]

    @pytest.mark.parametrize(
        ("policy", "owner", "other"),
        [("account", 204, 204), ("owner", 204, 403), ("server", 403, 403)],
    )
    def test_a80_pages_may_as_the_product_file_says(
        self, studio: StudioWorld, policy: str, owner: int, other: int
    ) -> None:
        """And the page is told beforehand; the host's server always may."""
        with self.product(studio, disconnect=DisconnectPolicy(policy)) as world:
            opened_for = {"product": studio.product, "origin": studio.origin}
            for user, expected in (("grace", other), ("ada", owner)):
                ada = world.session(key=studio.secret_key)
                asked = {"origin": studio.origin, "json": {"connector": "sandbox"}}
                begun = world.page("POST", "/v1/attempts", ada, **asked).json()
                url = world.launch(begun["launch_token"], opened_for=opened_for).headers["Location"]
                world.sign_in(url)
                hint = f"/v1/attempts/{begun['id']}?hint=message"
                connection = world.server("GET", hint, key=studio.secret_key).json()["connection"]["id"]
                token = world.session(key=studio.secret_key, user=user)
                told = world.page("GET", "/v1/connections", token, origin=studio.origin).json()
                (may,) = {each["may_disconnect"] for each in told["connections"]}
                path = f"/v1/connections/{connection}"
                answer = world.page("DELETE", path, token, origin=studio.origin)
                assert (answer.status_code, may) == (expected, expected == 204), user
                if expected == 403:
                    assert answer.json()["code"] == "not_allowed"
            account = {"account": world.account}
            last = world.server("DELETE", path, key=studio.secret_key, params=account)
            assert last.status_code == (404 if owner == 204 else 204)


class TestTokens:
    """An access token of a connection, for the host's server."""

    def token(self, world: World, connection: str, **more: Any) -> requests.Response:
        """It is asked for."""
        asked = {"params": {"account": world.account}} | more
        return world.server("POST", f"/v1/connections/{connection}/token", **asked)

    def test_it_can_be_used_at_the_third_party(self, world: World) -> None:
        """With when it ends, and for what it is; no cache keeps it."""
        connection = connected(world, world.session())
        answer = self.token(world, connection)
        assert answer.status_code == 200, answer.text
        assert answer.headers["Cache-Control"] == "no-store"
        told = answer.json()
        assert (told["token_type"], told["scopes"]) == ("Bearer", ["contacts.read", "contacts.write"])
        assert told["access_token"]
        assert told["expires_at"] is not None
        assert self.token(world, connection, json={}).json()["access_token"] == told["access_token"]

    def test_a81_no_log_has_one(self, world: World, capfd: pytest.CaptureFixture[str]) -> None:
        """It is told that one was given, of which connection, and no more."""
        connection = connected(world, world.session())
        told = self.token(world, connection).json()
        out, err = capfd.readouterr()
        assert told["access_token"] not in out + err
        given = [line for line in out.splitlines() if "access token given" in line]
        assert sum(f"connection={connection}" in line for line in given) == 1

    def test_a81_no_page_and_no_other_server_gets_one(self, world: World) -> None:
        """Nor is one given for what has ended."""
        token = world.session()
        connection = connected(world, token)
        path = f"/v1/connections/{connection}/token"
        assert world.page("POST", path, token, json={}).status_code == 401
        for other in (
            self.token(world, connection, key=OTHER_SECRET_KEY),
            self.token(replace(world, account="other-" + world.account), connection),
            self.token(world, "12345678"),
        ):
            assert (other.status_code, other.json()["code"]) == (404, "connection_not_found")
        end(world, connection)
        assert self.token(world, connection).json()["code"] == "connection_not_found"
        preflight = requests.options(
            world.bff + path,
            headers={"Origin": HOST, "Access-Control-Request-Method": "POST"},
            timeout=10,
        )
        assert "Access-Control-Allow-Origin" not in preflight.headers


class TestSeveral:
    """Several account connectors of one connector, where the product wants one connection."""

    def test_none_of_them_is_chosen_silently(self, world: World) -> None:
        """Unless one alone is connected; a connection that is named is reconnected."""
        token, account = world.session(), client_of(world)
        first = connected(world, token)
        install = {"Name": "Second"}
        made = account.call("POST", "/v1.0/connectors/101/install", install, account=world.account).json()
        assert connected(world, token) == first
        path = f"/v1.0/account/connectors/{made['Id']}"
        account.call("PUT", path, {"AuthValue": "key"}, account=world.account)
        attempt = world.begin(token)
        assert world.launch(attempt["launch_token"]).status_code == 409
        told = world.read(attempt["id"])
        assert (told["status"], told["error"]["code"]) == ("failed", "several_connections")
        assert connected(world, token, connection=first) == first
        ids = {each["id"] for each in listed(world) if each["connector"] == "sandbox"}
        assert ids == {first, str(made["Id"])}


class TestNamed:
    """An attempt that names the connection to reconnect."""

    def test_it_reconnects_exactly_that_one(self, world: World) -> None:
        """And another connector's, account's or product's is none of its own."""
        token = world.session()
        connection = connected(world, token)
        assert connected(world, token, connection=connection) == connection
        asked = {"connector": "sandbox-isolated", "connection": connection}
        stranger = replace(world, account="other-" + world.account)
        refused = [
            world.page("POST", "/v1/attempts", token, json=asked),
            stranger.page(
                "POST",
                "/v1/attempts",
                stranger.session(),
                json={"connector": "sandbox", "connection": connection},
            ),
            world.page("POST", "/v1/attempts", token, json={"connector": "sandbox", "connection": "1234567"}),
        ]
        assert [(each.status_code, each.json()["code"]) for each in refused] == [
            (404, "connection_not_found")
        ] * 3
