"""Connectors that are not plain OAuth, with the strict stand-in for Cyclr: by its AuthType and Parameters."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bff.cli.main import main
from bff.content.entries import path_of_word
from bff.content.store import ContentStore
from bff.serving.database import open_database
from tests.support.connections import hear_of, named
from tests.support.cyclr.control import Habits, Release
from tests.support.cyclr.world import CyclrWorld, open_cyclr_world
from tests.support.forms import open_form
from tests.support.waiting import wait_for
from tests.support.world import CLIENT_ID, CLIENT_SECRET, HOST, SECRET_KEY

NAMES = {
    "key": "Key CRM",
    "shop": "Shop CRM",
    "basic": "Basic CRM",
    "client": "Client CRM",
    "fields": "Fields CRM",
    "feed": "Feed",
    "region": "Region CRM",
    "double": "Double CRM",
}
CONNECTORS = "\n".join(
    f'[product.connector.{key}]\nname = "{name}"\nreference = "{name}"' for key, name in NAMES.items()
)
CONNECTORS += "\nmultiple = true"
PRODUCTS = f"""
[[product]]
key = "demo"
name = "Demo SaaS"
origins = ["{HOST}"]
secret_keys = ["{SECRET_KEY}"]
connectors = [{", ".join(f'"{key}"' for key in NAMES)}]
{CONNECTORS}
[product.messages.default]
kind = "sealed"
text = "connected:{{connector}}"
"""


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CyclrWorld]:
    """The stand-in and a BFF."""
    with open_cyclr_world(tmp_path_factory.mktemp("forms"), products_text=PRODUCTS) as world:
        cyclr = world.cyclr
        cyclr.release(1, "Key CRM", auth_type="ApiKey", auth_description="Settings, then API.")
        cyclr.release(2, "Shop CRM", plain_keys=("Shop",))
        cyclr.release(3, "Basic CRM", auth_type="Basic", plain_keys=("Domain",))
        cyclr.release(4, "Client CRM", oauth2_type="ClientCredentials", keys=("ClientId", "ClientSecret"))
        cyclr.release(5, "Fields CRM", auth_type="AuthFields")
        cyclr.release(6, "Feed", auth_type="None")
        cyclr.release(7, "Region CRM", plain_keys=("Region",), values={"Region": ("eu", "us")})
        cyclr.release(8, "Double CRM", auth_type="ApiKey", keys=("Second",))
        yield world


@pytest.fixture
def world(shared: CyclrWorld, request: pytest.FixtureRequest) -> CyclrWorld:
    """The same with the usual habits, and an account of the test's own."""
    shared.cyclr.habits = Habits()
    return replace(shared, account=f"acme-{request.node.name}")


def test_an_api_key_becomes_the_auth_value(world: CyclrWorld) -> None:
    """It is nobody else's doing, so this user is named, also at the connection; one refused is told so."""
    world.cyclr.habits.refused_values = frozenset({"wrong"})
    form = open_form(world, world.session(), "key")
    assert "Settings, then API." in form.page.text
    assert form.send("")["faults"] == {"v0": "Fill this in."}
    assert "did not accept" in form.send("wrong")["faults"]["v0"]
    assert "end" in form.send("right")
    (installed,) = world.cyclr.of(world.account)
    assert (installed.auth_value, installed.authenticated) == ("right", True)
    told = world.read(form.attempt)
    assert (told["status"], told["attributed"], bool(told["receipt"])) == ("connected", True, True)
    [made] = world.server("GET", f"/v1/connections?account={world.account}").json()["connections"]
    assert (made["connected_by"], made["sequence"]) == ("ada", 1)


def test_a_further_connection_takes_no_secret_of_another(world: CyclrWorld) -> None:
    """A secret that is left empty is missing, though one is set for the connection that is there."""
    assert "end" in open_form(world, world.session(), "double").send("second-one", "key-one")
    further = open_form(world, world.session(), "double")
    assert set(further.send("", "")["faults"]) == {"v0", "v1"}
    assert [item.properties["Second"] for item in world.cyclr.of(world.account)] == ["second-one"]
    assert "end" in further.send("second-two", "key-two")
    assert [item.properties["Second"] for item in world.cyclr.of(world.account)] == [
        "second-one",
        "second-two",
    ]


def test_an_answer_that_leaves_the_flag_out_is_asked_for(world: CyclrWorld) -> None:
    """Neither the list nor the answer to what was typed says whether it is connected: one question does."""
    world.cyclr.habits.lists_say_authenticated = world.cyclr.habits.changes_say_authenticated = False
    form = open_form(world, world.session(), "key")
    assert "end" in form.send("right")
    assert world.read(form.attempt)["status"] == "connected"


def test_of_several_installs_the_one_in_use_fills_the_form(world: CyclrWorld) -> None:
    """Also where lists do not say which that is."""
    world.cyclr.habits.lists_say_authenticated = False
    release: Release = next(one for one in world.cyclr.releases if one.name == "Basic CRM")
    world.cyclr.install(world.account, release)
    used = world.cyclr.install(world.account, release, "Second", authenticated=True)
    used.properties["Domain"] = "in-use"
    assert 'value="in-use"' in open_form(world, world.session(), "basic").page.text


def test_a_user_name_and_password_are_sent_as_basic(world: CyclrWorld) -> None:
    """Joined and in base64, as its documentation has it; what it needs besides is a property."""
    form = open_form(world, world.session(), "basic")
    form.send("example", "ada", "pass: word ")
    (installed,) = world.cyclr.of(world.account)
    assert installed.auth_value == base64.b64encode(b"ada:pass: word ").decode()
    assert installed.properties == {"Domain": "example"}


def test_a_key_is_changed_at_a_reconnect(world: CyclrWorld) -> None:
    """The flag was set before and says nothing; the partner service took the new one, which does."""
    open_form(world, world.session(), "key").send("first")
    form = open_form(world, world.session(), "key")
    form.send("second")
    told = world.read(form.attempt)
    assert (told["status"], told["attributed"]) == ("connected", True)
    assert world.cyclr.of(world.account)[0].auth_value == "second"


def test_somebody_elses_connection_is_not_this_users(world: CyclrWorld) -> None:
    """While one user looks at the form, another connects: nothing is claimed for the first."""
    form = open_form(world, world.session(), "key")
    open_form(world, world.session(user="grace"), "key").send("hers")
    assert world.read(form.attempt)["status"] == "launched"
    assert form.send(action="cancel")["end"]["title"] == "Access was declined"


@pytest.mark.parametrize("end", ["cancel", "expire"])
def test_a_connection_whose_answer_was_lost_is_found(world: CyclrWorld, end: str) -> None:
    """At the end of the attempt, or before: the flag was unset, and nobody else has sent anything."""
    hear_of(world)
    form = open_form(world, world.session(), "key")
    world.cyclr.habits.lost_answers = ["change_installed"]
    assert "end" not in form.send("right")
    if end == "cancel":
        form.send(action="cancel")
    else:
        world.change(form.attempt, expires_at=datetime.now(UTC) - timedelta(seconds=1))
    told = world.read(form.attempt)
    assert (told["status"], told["attributed"], named(world)) == ("connected", True, ["connected"])


def test_a_connection_whose_answer_was_lost_is_a_late_success(world: CyclrWorld) -> None:
    """Where the partner service does not say how it stands before the user gives up, either."""
    hear_of(world)
    form = open_form(world, world.session(), "key")
    world.cyclr.habits.lost_answers = ["change_installed"]
    form.send("right")
    world.cyclr.habits.busy = {"get_installed": (503, None)}
    form.send(action="cancel")
    assert (form.status(), named(world)) == ("cancelled", [])
    world.cyclr.habits.busy = {}
    wait_for(lambda: world.read(form.attempt)["late_success"] is not None, 20)
    assert (form.status(), named(world)) == ("cancelled", ["connected"])


def test_a_form_sent_again_after_a_lost_answer_makes_a_new_connection(world: CyclrWorld) -> None:
    """No reconnect: the user has connected once, though the first answer is lost and nobody could ask."""
    hear_of(world)
    form = open_form(world, world.session(), "key")
    world.cyclr.habits.lost_answers = ["change_installed"]
    form.send("right")
    world.cyclr.habits.busy = {"get_installed": (503, None)}
    assert "end" in form.send("right")
    assert (form.status(), named(world)) == ("connected", ["connected"])


def test_who_was_refused_is_credited_with_nothing(world: CyclrWorld) -> None:
    """Somebody sets the key at the partner service while the form is still open."""
    world.cyclr.habits.refused_values = frozenset({"wrong"})
    form = open_form(world, world.session(), "key")
    assert "faults" in form.send("wrong")
    world.cyclr.of(world.account)[0].authenticated = True
    assert form.status() == "launched"
    assert form.send(action="cancel")["end"]["title"] == "Access was declined"


def test_a_shop_is_named_first_and_can_be_mended(world: CyclrWorld) -> None:
    """No "Bad Request": the third party says that there is no such shop, and a new click asks again."""
    session = world.session()
    wrong = open_form(world, session, "shop").send("nowhere")["go"]
    assert "no such shop" in world.sign_in(wrong).text
    form = open_form(world, session, "shop")
    assert 'value="nowhere"' in form.page.text
    world.sign_in(form.send("north")["go"])
    assert world.read(form.attempt)["status"] == "connected"
    assert world.cyclr.of(world.account)[0].properties == {"Shop": "north"}


def test_a_region_is_chosen_from_those_that_cyclr_lists(world: CyclrWorld) -> None:
    """Nothing else is set; one that is listed no more is asked for anew, whoever set it."""
    release: Release = next(one for one in world.cyclr.releases if one.name == "Region CRM")
    world.cyclr.install(world.account, release).properties["Region"] = "mars"
    form = open_form(world, world.session(), "region")
    shown = re.findall(r'<option value="([^"]*)"[^>]*>', form.page.text)
    assert (shown, "mars" in form.page.text) == (["", "eu", "us"], False)
    for wrong in ("", "mars"):
        assert form.send(wrong)["faults"] == {"v0": "Choose one from the list."}
    world.sign_in(form.send("us")["go"])
    assert world.read(form.attempt)["status"] == "connected"
    assert world.cyclr.of(world.account)[0].properties == {"Region": "us"}


def test_what_the_host_has_set_is_not_asked_for(world: CyclrWorld) -> None:
    """By the API, before any click."""
    release: Release = next(one for one in world.cyclr.releases if one.name == "Shop CRM")
    world.cyclr.install(world.account, release).properties["Shop"] = "south"
    attempt = world.begin(world.session(), "shop")
    launched = world.launch(attempt["launch_token"])
    assert "/connectorauth/" in launched.headers["Location"]


def test_a_client_of_the_users_own_connects_without_consent(world: CyclrWorld) -> None:
    """Client credentials at Cyclr: the properties are set, and its page comes back at once."""
    form = open_form(world, world.session(), "client")
    world.sign_in(form.send("id", "secret")["go"])
    assert world.read(form.attempt)["status"] == "connected"


@pytest.mark.parametrize("connector", ["fields", "feed"])
def test_what_cannot_be_connected_here_is_said_before_a_window_opens(
    world: CyclrWorld, connector: str
) -> None:
    """By the configuration, and by a refusal to begin, in words; a link to it is not minted either."""
    world.cyclr.add_account(world.account)  # The stand-in tells its catalogue to accounts that exist only.
    session = world.session()
    told = world.page("GET", "/v1/config", session).json()["connectors"]
    error = next(one["error"] for one in told if one["key"] == connector)
    assert error["code"] == "connector_unavailable"
    assert next(one["error"] for one in told if one["key"] == "key") is None
    refused = world.page("POST", "/v1/attempts", session, json={"connector": connector})
    assert refused.status_code == 502
    assert refused.json()["code"] == "connector_unavailable"
    assert refused.json()["error"]["code"] == "connector_unavailable"
    assert mint(world, connector) == "connector_unavailable"


def test_what_cannot_be_connected_is_said_in_the_teams_words(world: CyclrWorld) -> None:
    """Which may name the connector and the product, as after a launch."""
    world.cyclr.add_account(world.account)
    store = ContentStore(open_database(world.bff_database), lambda: datetime.now(UTC))
    title = "{connector_name} is not for {product_name} yet"
    path = path_of_word("error_connector_unavailable_title")
    store.publish("demo", {**store.published("demo").content, path: title}, "test")
    session = world.session()

    def told() -> set[str]:
        connectors = world.page("GET", "/v1/config", session).json()["connectors"]
        return {one["error"]["title"] for one in connectors if one["error"]}

    wait_for(lambda: told() == {"Fields CRM is not for Demo SaaS yet", "Feed is not for Demo SaaS yet"}, 20)


def test_operators_are_told_what_no_click_connects(
    world: CyclrWorld, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By ``hitchpost connectors check``, before any user finds out."""
    for name, value in {
        "PUBLIC_URL": world.bff,
        "DATABASE_URL": world.bff_database,
        "SECRET_KEYS": "k" * 40,
        "PARTNER_API_URL": world.cyclr.api,
        "PARTNER_SERVICE_URL": world.cyclr.service,
        "PARTNER_CLIENT_ID": CLIENT_ID,
        "PARTNER_CLIENT_SECRET": CLIENT_SECRET,
    }.items():
        monkeypatch.setenv(f"HITCHPOST_{name}", value)
    world.cyclr.add_account(world.account)
    assert main(["connectors", "check"]) != 0
    told = capsys.readouterr().err
    assert "demo/fields: no click connects 'Fields CRM'" in told
    assert "demo/key" not in told


def test_no_link_is_minted_to_a_connector_with_a_form(world: CyclrWorld) -> None:
    """It would lead to "Bad Request"."""
    assert mint(world, "key") == "connector_unavailable"


def mint(world: CyclrWorld, connector: str) -> str:
    """What the host's server is told that wants a link."""
    body = {
        "user": {"id": "ada"},
        "account": {"id": world.account},
        "connector": connector,
        "target_origin": HOST,
    }
    return str(world.server("POST", "/v1/sign-in-urls", json=body).json()["code"])
