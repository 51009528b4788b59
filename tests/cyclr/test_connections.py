"""What is known of connections from a partner service that tells one flag; and several of one connector."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from bff.connections.health import Health
from bff.serving.database import open_database
from bff.storage.tables import attempts, connections, sign_in_urls
from tests.support.connections import connected, events, hear_of, listed, named, shown
from tests.support.cyclr.world import CRM, PRODUCTS, CyclrWorld, open_cyclr_world, stock
from tests.support.world import HOST


@pytest.fixture(autouse=True)
def _server_hears(cyclr_world: CyclrWorld) -> None:
    """Its product has a webhook: else nothing would be recorded."""
    hear_of(cyclr_world)


def forget(world: CyclrWorld) -> None:
    """What was heard a moment ago counts no more."""
    world.bff_app.extensions["hitchpost"].connections.overview._kept.clear()


def look(world: CyclrWorld) -> None:
    """The time has come at which it is looked at unasked."""
    engine = open_database(world.bff_database)
    long_ago = datetime.now(UTC) - timedelta(days=1)
    ours = connections.c.account_id == world.account
    due = ours & connections.c.look_at.is_not(None)
    with engine.begin() as connection:
        connection.execute(update(connections).where(due).values(look_at=long_ago))
    engine.dispose()
    health: Health = world.bff_app.extensions["hitchpost"].connections.health
    health.look()


def disconnect(world: CyclrWorld, connection: str) -> int:
    """The host's server ends a connection."""
    path = f"/v1/connections/{connection}"
    return world.server("DELETE", path, params={"account": world.account}).status_code


def url_body(world: CyclrWorld, connector: str, user: str = "ada", **more: str) -> dict[str, Any]:
    """What the host's server sends to get a URL."""
    return {
        "user": {"id": user},
        "account": {"id": world.account},
        "connector": connector,
        "target_origin": HOST,
        "callback_message": "done",
        **more,
    }


def sign_in_url(world: CyclrWorld, connector: str = "crm", **more: str) -> str:
    """A URL to which the host's server redirects its user."""
    body = url_body(world, connector, **more)
    return str(world.server("POST", "/v1/sign-in-urls", json=body).json()["url"])


def change_connections(world: CyclrWorld, **values: object) -> None:
    """Write into the BFF's database: time has passed, say."""
    engine = open_database(world.bff_database)
    ours = connections.c.account_id == world.account
    with engine.begin() as connection:
        connection.execute(update(connections).where(ours).values(values))
    engine.dispose()


def age_sign_ins(world: CyclrWorld) -> None:
    """Every sign-in was minted too long ago to be finished now."""
    engine = open_database(world.bff_database)
    long_ago = datetime.now(UTC) - timedelta(hours=2)
    with engine.begin() as connection:
        for table in (attempts, sign_in_urls):
            connection.execute(
                update(table).where(table.c.account_id == world.account).values(minted_at=long_ago)
            )
    engine.dispose()


class TestOneFlag:
    """What Cyclr tells, and nothing invented."""

    def test_a_connection_is_told_with_what_is_known_of_it(self, cyclr_world: CyclrWorld) -> None:
        """By whom and since when; nothing of the third party's account or of scopes."""
        connection = connected(cyclr_world, cyclr_world.session(), "crm")
        (found,) = listed(cyclr_world)
        assert (found["id"], found["state"], found["connected_by"]) == (connection, "connected", "ada")
        assert found["connected_at"] is not None
        nothing = ("external_account", "scopes", "expires_at", "reason", "extra")
        assert [found[name] for name in nothing] == [None] * 5
        assert named(cyclr_world) == ["connected"]

    def test_what_was_set_up_by_hand_is_nobodys(self, cyclr_world: CyclrWorld) -> None:
        """It stands, and nothing is told of it."""
        cyclr = cyclr_world.cyclr
        cyclr.install(cyclr_world.account, cyclr.releases[0], authenticated=True)
        (found,) = listed(cyclr_world)
        assert (found["state"], found["connected_by"], found["connected_at"]) == ("connected", None, None)
        assert named(cyclr_world) == []

    def test_answers_that_do_not_say_what_is_connected_end_nothing(self, cyclr_world: CyclrWorld) -> None:
        """Neither lists nor an install: it is asked for by itself, also by the look unasked."""
        habits = cyclr_world.cyclr.habits
        habits.lists_say_authenticated = habits.changes_say_authenticated = False
        connected(cyclr_world, cyclr_world.session(), "crm")
        forget(cyclr_world)
        assert listed(cyclr_world)[0]["state"] == "connected"
        assert shown(cyclr_world, cyclr_world.session(), "crm")["state"] == "connected"
        look(cyclr_world)
        assert named(cyclr_world) == ["connected"]

    def test_a_connection_by_a_url_of_the_hosts_server_is_told(self, cyclr_world: CyclrWorld) -> None:
        """By the next look."""
        cyclr_world.sign_in(sign_in_url(cyclr_world))
        assert listed(cyclr_world)[0]["state"] == "connected"
        assert named(cyclr_world) == ["connected"]

    def test_a_flag_that_falls_by_itself_asks_for_a_new_sign_in(self, cyclr_world: CyclrWorld) -> None:
        """Nobody had to look: it is told once, with the one reason that is known."""
        connected(cyclr_world, cyclr_world.session(), "crm")
        cyclr_world.cyclr.of(cyclr_world.account)[0].authenticated = False
        look(cyclr_world)
        look(cyclr_world)
        (_, (name, data)) = events(cyclr_world)
        assert (name, data["reason"]) == ("needs_reconnect", "unauthenticated")
        told = shown(cyclr_world, cyclr_world.session(), "crm")
        assert told["state"] == "needs_reconnect"
        assert told["connections"][0]["reason_text"] == "The connection is no longer signed in."
        connected(cyclr_world, cyclr_world.session(), "crm")
        assert named(cyclr_world) == ["connected", "needs_reconnect", "reconnected"]

    def test_a_sign_in_elsewhere_that_heals_a_connection_is_told(self, cyclr_world: CyclrWorld) -> None:
        """By the usual look: the flag came back without an attempt, and nobody opened a page."""
        connected(cyclr_world, cyclr_world.session(), "crm")
        (item,) = cyclr_world.cyclr.of(cyclr_world.account)
        item.authenticated = False
        look(cyclr_world)
        look(cyclr_world)
        item.authenticated = True
        look(cyclr_world)
        assert named(cyclr_world) == ["connected", "needs_reconnect", "reconnected"]

    def test_a_first_connection_by_a_url_is_told_though_nobody_lists(self, cyclr_world: CyclrWorld) -> None:
        """It is looked for soon, and as long as the URL can be used."""
        url = sign_in_url(cyclr_world)
        look(cyclr_world)
        assert named(cyclr_world) == []
        cyclr_world.sign_in(url)
        look(cyclr_world)
        assert named(cyclr_world) == ["connected"]

    def test_a_first_connection_of_two_who_gave_up_is_told_though_nobody_lists(
        self, cyclr_world: CyclrWorld
    ) -> None:
        """One of them finished it after all: nobody can tell which, so that it is neither's success."""
        urls, given_up = [], []
        for user in ("ada", "grace"):
            token = cyclr_world.session(user=user)
            attempt = cyclr_world.begin(token, "crm")
            urls.append(cyclr_world.launch(attempt["launch_token"]).headers["Location"])
            given_up.append((token, attempt["id"]))
        for token, attempt_id in given_up:
            cyclr_world.page("POST", f"/v1/attempts/{attempt_id}/cancel", token, json={})
        cyclr_world.sign_in(urls[0])
        for _, attempt_id in given_up:
            cyclr_world.change(attempt_id, recheck_at=datetime.now(UTC) - timedelta(seconds=1))
        cyclr_world.bff_app.extensions["hitchpost"].upkeep.housekeeping.recheck_given_up()
        assert [(name, data["connected_by"]) for name, data in events(cyclr_world)] == [("connected", None)]

    def test_a_connection_by_a_url_after_an_end_is_told_and_stands(self, cyclr_world: CyclrWorld) -> None:
        """It was minted after the end."""
        disconnect(cyclr_world, connected(cyclr_world, cyclr_world.session(), "crm"))
        cyclr_world.sign_in(sign_in_url(cyclr_world))
        look(cyclr_world)
        assert cyclr_world.cyclr.of(cyclr_world.account)[0].authenticated
        assert named(cyclr_world) == ["connected", "disconnected", "connected"]

    def test_a_url_that_nobody_uses_is_not_looked_for_long(self, cyclr_world: CyclrWorld) -> None:
        """No longer than it can be used."""
        sign_in_url(cyclr_world)
        age_sign_ins(cyclr_world)
        look(cyclr_world)
        cyclr_world.cyclr.forget_what_was_asked()
        look(cyclr_world)
        assert cyclr_world.cyclr.counts() == {}

    def test_an_install_that_is_deleted_there_is_a_connection_that_has_ended(
        self, cyclr_world: CyclrWorld
    ) -> None:
        """By nobody that is known; it is listed no more."""
        connected(cyclr_world, cyclr_world.session(), "crm")
        cyclr_world.cyclr.installed.clear()
        forget(cyclr_world)
        assert listed(cyclr_world) == []
        (_, (name, data)) = events(cyclr_world)
        assert (name, data["reason"], data["disconnected_by"]) == ("disconnected", "removed", None)

    def test_an_outage_ends_nothing(self, cyclr_world: CyclrWorld) -> None:
        """Neither busy answers nor an unasked look during one are taken for an end."""
        connected(cyclr_world, cyclr_world.session(), "crm")
        cyclr_world.cyclr.habits.busy = {"*": (503, None)}
        look(cyclr_world)
        forget(cyclr_world)
        assert listed(cyclr_world)[0]["state"] == "unknown"
        assert named(cyclr_world) == ["connected"]

    def test_a_look_unasked_costs_one_call_an_account(self, cyclr_world: CyclrWorld) -> None:
        """And an account where nothing is connected costs none."""
        cyclr_world.cyclr.install(cyclr_world.account, cyclr_world.cyclr.releases[1])
        connected(cyclr_world, cyclr_world.session(), "crm")
        listed(cyclr_world)
        cyclr_world.cyclr.forget_what_was_asked()
        look(cyclr_world)
        assert cyclr_world.cyclr.counts() == {"list_installed": 1}
        disconnect(cyclr_world, listed(cyclr_world)[0]["id"])
        cyclr_world.cyclr.forget_what_was_asked()
        look(cyclr_world)
        assert cyclr_world.cyclr.counts() == {}


class TestRenamed:
    """The operator has given a connector of the product file another key; its reference is the same."""

    @pytest.fixture
    def renamed(self, cyclr_world: CyclrWorld) -> str:
        """A connection from before that."""
        connection = connected(cyclr_world, cyclr_world.session(), "crm")
        change_connections(cyclr_world, connector_key="old-crm", connector_name="Old CRM")
        forget(cyclr_world)
        return connection

    def test_it_can_be_ended(self, cyclr_world: CyclrWorld, renamed: str) -> None:
        """By the host's server, which is told of it under the key of today."""
        assert disconnect(cyclr_world, renamed) == 204
        assert events(cyclr_world)[-1][1]["connector"] == "crm"

    def test_a_page_can_reconnect_and_end_it(self, cyclr_world: CyclrWorld, renamed: str) -> None:
        """By its id, and by the key of today."""
        token = cyclr_world.session()
        again = cyclr_world.begin(token, "crm", connection=renamed)
        assert f"id={renamed}&" in cyclr_world.launch(again["launch_token"]).headers["Location"]
        assert cyclr_world.page("DELETE", f"/v1/connections/{renamed}", token).status_code == 204

    def test_it_is_known_in_an_outage(self, cyclr_world: CyclrWorld, renamed: str) -> None:
        """Since it was last listed."""
        assert [each["id"] for each in listed(cyclr_world)] == [renamed]
        cyclr_world.cyclr.habits.busy = {"*": (503, None)}
        (found,) = listed(cyclr_world)
        assert (found["id"], found["connector"], found["state"]) == (renamed, "crm", "unknown")

    @pytest.mark.parametrize("sign_in_again", [False, True])
    def test_what_is_told_of_it_names_the_key_of_today(
        self, cyclr_world: CyclrWorld, renamed: str, sign_in_again: bool
    ) -> None:
        """Though nobody has listed it since."""
        (item,) = cyclr_world.cyclr.of(cyclr_world.account)
        item.authenticated = False
        if sign_in_again:
            assert connected(cyclr_world, cyclr_world.session(), "crm") == renamed
        else:
            look(cyclr_world)
        assert events(cyclr_world)[-1][1]["connector"] == "crm"


class TestEnd:
    """A connection is ended there."""

    def test_it_is_de_authenticated_once(self, cyclr_world: CyclrWorld) -> None:
        """The one install stays, for the host's automations refer to it."""
        connection = connected(cyclr_world, cyclr_world.session(), "crm")
        assert [disconnect(cyclr_world, connection) for _ in range(2)] == [204, 404]
        (item,) = cyclr_world.cyclr.of(cyclr_world.account)
        assert (item.id, item.authenticated) == (int(connection), False)
        assert len(cyclr_world.cyclr.asked("deauthenticate")) == 1
        assert named(cyclr_world) == ["connected", "disconnected"]

    def test_an_end_that_the_partner_service_refuses_is_none(self, cyclr_world: CyclrWorld) -> None:
        """It stands, and can be ended later."""
        connection = connected(cyclr_world, cyclr_world.session(), "crm")
        cyclr_world.cyclr.habits.busy = {"deauthenticate": (503, None)}
        assert disconnect(cyclr_world, connection) == 503
        cyclr_world.cyclr.habits.busy = {}
        forget(cyclr_world)
        assert listed(cyclr_world)[0]["state"] == "connected"
        assert named(cyclr_world) == ["connected"]

    def test_a80_a_sign_in_under_way_connects_nothing_for_long(self, cyclr_world: CyclrWorld) -> None:
        """Cyclr cannot end it: what it connects is ended again, and nobody is told that it stood."""
        connection = connected(cyclr_world, cyclr_world.session(), "crm")
        attempt = cyclr_world.begin(cyclr_world.session(user="grace"), "crm")
        url = cyclr_world.launch(attempt["launch_token"]).headers["Location"]
        assert disconnect(cyclr_world, connection) == 204
        assert cyclr_world.read(attempt["id"])["status"] == "cancelled"
        cyclr_world.sign_in(url)
        (item,) = cyclr_world.cyclr.of(cyclr_world.account)
        assert item.authenticated
        forget(cyclr_world)
        assert listed(cyclr_world)[0]["state"] == "disconnected"
        look(cyclr_world)
        assert not item.authenticated
        assert named(cyclr_world) == ["connected", "disconnected"]
        # A sign-in of today's own is not taken for that one.
        assert connected(cyclr_world, cyclr_world.session(), "crm") == connection
        look(cyclr_world)
        assert item.authenticated

    def test_the_same_call_again_leaves_what_was_connected_since(self, cyclr_world: CyclrWorld) -> None:
        """Its first call ended one, but Cyclr's answer was lost, so that nobody could say so."""
        world = cyclr_world
        session, habits = world.session(), world.cyclr.habits
        call = {"params": {"account": world.account}, "headers": {"Idempotency-Key": "of one job"}}
        path = f"/v1/connections/{connected(world, session, 'crm')}"
        habits.lost_answers = ["deauthenticate"] * 6
        assert world.server("DELETE", path, **call).status_code == 503
        habits.lost_answers = []
        connected(world, session, "crm")
        assert [world.server("DELETE", path, **call).status_code for _ in range(2)] == [204, 204]
        assert listed(world)[0]["state"] == "connected"

    def test_the_same_call_again_ends_what_its_first_one_could_not(self, cyclr_world: CyclrWorld) -> None:
        """Cyclr had refused. Nobody has connected since, though the grant may have been lost."""
        world = cyclr_world
        call = {"params": {"account": world.account}, "headers": {"Idempotency-Key": "of one job"}}
        # Not read since: the end finds that this sign-in has succeeded.
        world.connect(world.session(), "crm")
        (item,) = world.cyclr.of(world.account)
        path = f"/v1/connections/{item.id}"
        world.cyclr.habits.busy = {"deauthenticate": (503, None)}
        assert world.server("DELETE", path, **call).status_code == 503
        world.cyclr.habits.busy = {}
        assert world.server("DELETE", path, **call).status_code == 204
        assert not item.authenticated
        assert named(world) == ["connected", "disconnected"]

    @pytest.mark.parametrize("sign_in", ["finished", "declined", "returned"])
    def test_what_was_set_up_there_after_an_end_stands(self, cyclr_world: CyclrWorld, sign_in: str) -> None:
        """No sign-in was open at the end: what connected it was somebody in Cyclr's console."""
        connection = connected(cyclr_world, cyclr_world.session(), "crm")
        (item,) = cyclr_world.cyclr.of(cyclr_world.account)
        if sign_in != "finished":
            token = cyclr_world.session(user="grace")
            attempt = cyclr_world.begin(token, "crm")
            cyclr_world.launch(attempt["launch_token"])
            refused = {"status": "declined", "return_error": "access_denied"}
            over = {"returned_at": datetime.now(UTC)} | (refused if sign_in == "declined" else {})
            cyclr_world.change(attempt["id"], **over)
        assert disconnect(cyclr_world, connection) == 204
        item.authenticated = True
        forget(cyclr_world)
        assert listed(cyclr_world)[0]["state"] == "connected"
        look(cyclr_world)
        assert item.authenticated
        assert named(cyclr_world) == ["connected", "disconnected", "connected"]

    def test_what_no_open_sign_in_can_have_connected_any_more_stands(self, cyclr_world: CyclrWorld) -> None:
        """One was open at the end, and ran out before somebody connected it in Cyclr's console."""
        first = cyclr_world.connect(cyclr_world.session(), "crm")
        attempt = cyclr_world.begin(cyclr_world.session(user="grace"), "crm")
        cyclr_world.launch(attempt["launch_token"])
        assert disconnect(cyclr_world, cyclr_world.read(first)["connection"]["id"]) == 204
        now = datetime.now(UTC)
        long_ago, half_an_hour_ago = now - timedelta(minutes=70), now - timedelta(minutes=30)
        cyclr_world.change(first, minted_at=long_ago, settled_at=long_ago)
        cyclr_world.change(attempt["id"], minted_at=long_ago)
        change_connections(cyclr_world, changed_at=half_an_hour_ago, seen_at=half_an_hour_ago)
        look(cyclr_world)
        cyclr_world.cyclr.of(cyclr_world.account)[0].authenticated = True
        forget(cyclr_world)
        assert listed(cyclr_world)[0]["state"] == "connected"
        assert named(cyclr_world) == ["connected", "disconnected", "connected"]

    def test_a80_a_late_success_undoes_no_end(self, cyclr_world: CyclrWorld) -> None:
        """It is looked for unasked, and began before the end: what it connects is ended again."""
        token = cyclr_world.session(user="grace")
        attempt = cyclr_world.begin(token, "crm")
        url = cyclr_world.launch(attempt["launch_token"]).headers["Location"]
        cyclr_world.page("POST", f"/v1/attempts/{attempt['id']}/cancel", token, json={})
        (item,) = cyclr_world.cyclr.of(cyclr_world.account)
        item.authenticated = True  # by hand, in Cyclr's console
        forget(cyclr_world)
        (standing,) = (each for each in listed(cyclr_world) if each["state"] == "connected")
        assert disconnect(cyclr_world, standing["id"]) == 204
        told = named(cyclr_world)
        cyclr_world.sign_in(url)
        assert item.authenticated
        cyclr_world.change(attempt["id"], recheck_at=datetime.now(UTC) - timedelta(seconds=1))
        cyclr_world.bff_app.extensions["hitchpost"].upkeep.housekeeping.recheck_given_up()
        assert named(cyclr_world) == told
        look(cyclr_world)
        assert not item.authenticated
        assert named(cyclr_world) == told

    def test_cyclr_gives_no_access_tokens(self, cyclr_world: CyclrWorld) -> None:
        """That is said plainly."""
        connection = connected(cyclr_world, cyclr_world.session(), "crm")
        path = f"/v1/connections/{connection}/token"
        answer = cyclr_world.server("POST", path, params={"account": cyclr_world.account})
        assert (answer.status_code, answer.json()["code"]) == (501, "not_supported_by_partner")


@pytest.fixture(scope="module")
def shared_many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CyclrWorld]:
    """A product whose users may connect several mailboxes."""
    text = PRODUCTS.replace('reference = "Mail"\n', 'reference = "Mail"\nmultiple = true\n')
    with open_cyclr_world(tmp_path_factory.mktemp("many"), products_text=text) as world:
        hear_of(world)
        yield world


@pytest.fixture
def many(shared_many: CyclrWorld, request: pytest.FixtureRequest) -> CyclrWorld:
    """The same as it was at first, for an account of one's own."""
    shared_many.cyclr.reset()
    stock(shared_many.cyclr)
    return replace(shared_many, account=f"many-{request.node.name[:60]}")


class TestSeveral:
    """Several accounts of one connector."""

    def test_users_add_one_after_the_other(self, many: CyclrWorld) -> None:
        """Each is a connection of its own, with its own events; all are listed."""
        first, second = (connected(many, many.session(user=user), "mail") for user in ("ada", "grace"))
        told = shown(many, many.session(), "mail")
        assert (told["state"], told["multiple"]) == ("connected", True)
        assert [(each["id"], each["connected_by"]) for each in told["connections"]] == [
            (first, "ada"),
            (second, "grace"),
        ]
        assert [item.name for item in many.cyclr.of(many.account)] == ["Mail", "Mail 2"]
        assert [(name, data["id"]) for name, data in events(many)] == [
            ("connected", first),
            ("connected", second),
        ]

    def test_named_exactly_that_one_is_reconnected(self, many: CyclrWorld) -> None:
        """Nothing is installed for it, and no other changes."""
        first, second = (connected(many, many.session(), "mail") for _ in range(2))
        attempt = many.begin(many.session(), "mail", connection=first)
        url = many.launch(attempt["launch_token"]).headers["Location"]
        assert f"id={first}&" in url
        assert len(many.cyclr.of(many.account)) == 2
        assert second != first

    def test_a_try_that_was_given_up_leaves_no_heap_of_installs(self, many: CyclrWorld) -> None:
        """What it had installed is used by the next."""
        connected(many, many.session(), "mail")
        for _ in range(3):
            token = many.session()
            attempt = many.begin(token, "mail")
            assert many.launch(attempt["launch_token"]).status_code == 303
            many.page("POST", f"/v1/attempts/{attempt['id']}/cancel", token, json={})
        assert [item.name for item in many.cyclr.of(many.account)] == ["Mail", "Mail 2"]

    def test_a_launch_that_is_tried_again_uses_what_it_had_installed(self, many: CyclrWorld) -> None:
        """The install was done, and the sign-in token was not to be had: three times."""
        connected(many, many.session(), "mail")
        attempt = many.begin(many.session(), "mail")
        many.cyclr.habits.busy = {"sign_in_token": (503, None)}
        for _ in range(3):
            assert many.launch(attempt["launch_token"]).status_code == 503
            assert [item.name for item in many.cyclr.of(many.account)] == ["Mail", "Mail 2"]
        many.cyclr.habits.busy = {}
        assert many.launch(attempt["launch_token"]).status_code == 303
        assert [item.name for item in many.cyclr.of(many.account)] == ["Mail", "Mail 2"]

    def test_what_a_failed_launch_had_installed_is_used_by_the_next_click(self, many: CyclrWorld) -> None:
        """At once, not when its time is over: users press again."""
        connected(many, many.session(), "mail")
        for _ in range(3):
            many.cyclr.habits.busy = {"sign_in_token": (401, None)}
            attempt = many.begin(many.session(), "mail")
            assert many.launch(attempt["launch_token"]).status_code in {502, 503}
            assert many.read(attempt["id"])["status"] == "failed"
        many.cyclr.habits.busy = {}
        connected(many, many.session(), "mail")
        assert [item.name for item in many.cyclr.of(many.account)] == ["Mail", "Mail 2"]

    def test_an_install_whose_process_died_right_after_is_used_by_the_next(self, many: CyclrWorld) -> None:
        """Nothing was noted of it here: it stands for nothing, and nobody is at it."""
        connected(many, many.session(), "mail")
        mail = next(release for release in many.cyclr.releases if release.name == "Mail")
        many.cyclr.install(many.account, mail, "Mail 2")
        connected(many, many.session(), "mail")
        assert [item.name for item in many.cyclr.of(many.account)] == ["Mail", "Mail 2"]

    def test_an_install_whose_answer_was_lost_is_found(self, many: CyclrWorld) -> None:
        """The call is made again, and refused by the name that the first one took."""
        connected(many, many.session(), "mail")
        many.cyclr.habits.lost_answers = ["install"]
        connected(many, many.session(), "mail")
        assert [item.name for item in many.cyclr.of(many.account)] == ["Mail", "Mail 2"]

    def test_two_who_add_at_once_get_one_each(self, many: CyclrWorld) -> None:
        """Else the second sign-in would take the first one's place."""
        connected(many, many.session(), "mail")
        tokens = [many.begin(many.session(user=f"user-{n}"), "mail")["launch_token"] for n in range(3)]
        with ThreadPoolExecutor(3) as pool:
            urls = [answer.headers["Location"] for answer in pool.map(many.launch, tokens)]
        assert len({url.partition("id=")[2].partition("&")[0] for url in urls}) == 3

    @pytest.mark.parametrize("first", ["url", "attempt"])
    def test_a_url_of_the_hosts_server_and_a_user_get_one_each(self, many: CyclrWorld, first: str) -> None:
        """Whichever is first. Neither takes the place of what is connected."""
        there = connected(many, many.session(), "mail")

        def of_attempt() -> str:
            attempt = many.begin(many.session(), "mail")
            return many.launch(attempt["launch_token"]).headers["Location"]

        def of_url() -> str:
            return sign_in_url(many, "mail", user="grace")

        urls = [of_url(), of_attempt()] if first == "url" else [of_attempt(), of_url()]
        for url in urls:
            many.sign_in(url)
        assert len({there, *(url.partition("id=")[2].partition("&")[0] for url in urls)}) == 3
        assert [each["state"] for each in listed(many)] == ["connected"] * 3

    def test_a_url_that_names_a_connection_is_for_exactly_that_one(self, many: CyclrWorld) -> None:
        """Nothing is installed for it; one that is not the account's is refused."""
        first, _ = (connected(many, many.session(), "mail") for _ in range(2))
        assert f"id={first}&" in sign_in_url(many, "mail", connection=first)
        assert len(many.cyclr.of(many.account)) == 2
        refused = many.server("POST", "/v1/sign-in-urls", json=url_body(many, "mail", connection="99999"))
        assert (refused.status_code, refused.json()["code"]) == (404, "connection_not_found")

    def test_a_url_that_could_not_be_minted_leaves_its_install_to_the_next(self, many: CyclrWorld) -> None:
        """At once, not when its claim is over."""
        connected(many, many.session(), "mail")
        for _ in range(2):
            many.cyclr.habits.busy = {"sign_in_token": (401, None)}
            answer = many.server("POST", "/v1/sign-in-urls", json=url_body(many, "mail"))
            assert answer.status_code in {502, 503}
        many.cyclr.habits.busy = {}
        sign_in_url(many, "mail")
        assert [item.name for item in many.cyclr.of(many.account)] == ["Mail", "Mail 2"]

    def test_ended_a_further_one_is_deleted(self, many: CyclrWorld) -> None:
        """And the others stand."""
        first, second = (connected(many, many.session(), "mail") for _ in range(2))
        assert disconnect(many, second) == 204
        forget(many)
        assert [each["id"] for each in listed(many) if each["state"] == "connected"] == [first]
        assert [item.id for item in many.cyclr.of(many.account)] == [int(first)]
        refused = many.page(
            "POST", "/v1/attempts", many.session(), json={"connector": "mail", "connection": second}
        )
        assert (refused.status_code, refused.json()["code"]) == (404, "connection_not_found")

    def test_one_that_needs_a_new_sign_in_is_nobody_elses_place(self, many: CyclrWorld) -> None:
        """A further account is installed beside it."""
        first, second = (connected(many, many.session(), "mail") for _ in range(2))
        lost = next(item for item in many.cyclr.of(many.account) if item.id == int(first))
        lost.authenticated = False
        look(many)
        third = connected(many, many.session(), "mail")
        assert third not in {first, second}

    def test_without_leave_for_several_none_is_chosen_silently(self, many: CyclrWorld) -> None:
        """Of several that were set up by hand the user has to say which; a named one is reconnected."""
        crm = next(release for release in many.cyclr.releases if release.id == CRM)
        one = many.cyclr.install(many.account, crm, authenticated=True)
        many.cyclr.install(many.account, crm, "Second", authenticated=True)
        attempt = many.begin(many.session(), "crm")
        page = many.launch(attempt["launch_token"])
        assert page.status_code == 409
        assert "Several accounts are connected" in page.text
        told = many.read(attempt["id"])
        assert (told["status"], told["error"]["code"]) == ("failed", "several_connections")
        named_one = many.begin(many.session(), "crm", connection=str(one.id))
        assert f"id={one.id}&" in many.launch(named_one["launch_token"]).headers["Location"]
