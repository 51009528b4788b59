"""Connectors that need something typed, from the click to the end, with the embedded service behind them."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from sqlalchemy import update

from bff.serving.database import open_database
from bff.storage.tables import attempts
from bff.web.kit.limits import Purpose, Rates
from bff.web.kit.services import EXTENSION, services_of
from tests.support.connections import listed
from tests.support.databases import DatabaseUrl
from tests.support.dump import dump
from tests.support.forms import ADA, DOWN, GRACE, KEY, SHOP, open_form, products
from tests.support.world import HOST, World, open_world

pytestmark = pytest.mark.one_database


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, database_url: DatabaseUrl) -> Iterator[World]:
    """The three programs, with connectors that have a form."""
    folder, text = tmp_path_factory.mktemp("forms"), products("sandbox", KEY, SHOP)
    more = {"same_browser": "required", "bff_settings": {"products_text": text}}
    with open_world(folder, database_url=database_url, **more) as running:
        yield running


@pytest.fixture
def session(world: World) -> str:
    """Ada's session, in an account of its own."""
    world.account = "acme-" + secrets.token_hex(4)
    return world.session()


def test_a_key_is_tried_before_it_is_connected(world: World, session: str) -> None:
    """A wrong one is told beside its field, and nothing is connected; the right one has a receipt."""
    form = open_form(world, session, KEY)
    told = form.send("sk_wrong")
    assert told["faults"] == {"v0": "Key CRM did not accept this. Check it, and try again."}
    assert form.status() == "launched"
    assert form.send(f"  {ADA} ")["end"]["title"] == "Done. You can close this window."
    told = world.read(form.attempt)
    assert told["status"] == "connected"
    assert told["attributed"] is True
    assert told["receipt"]
    assert told["connection"]["external_account"] == "ada@sandbox.example"
    steps = {step["step"]: step["count"] for step in told["timeline"]}
    assert steps["form_sent"] == 2
    assert {"form_shown", "form_refused", "connected"} <= set(steps)


def test_a_key_makes_a_connection_as_a_sign_in_does(world: World, session: str) -> None:
    """It is known whose doing it was, also while another window is still open, and at a reconnect."""
    open_form(world, session, KEY)
    for user, times in (("ada", 1), ("grace", 2)):
        assert "end" in open_form(world, world.session(user=user), KEY).send(ADA)
        [made] = world.server("GET", f"/v1/connections?account={world.account}").json()["connections"]
        assert (made["state"], made["connected_by"], made["sequence"]) == ("connected", user, times)


def test_a_third_party_that_does_not_answer_is_said_as_that(world: World, session: str) -> None:
    """It is not called wrong, and the same values can be sent again."""
    form = open_form(world, session, KEY)
    told = form.send(DOWN)
    assert told["faults"] == {}
    assert "does not answer" in told["whole"]
    assert "end" in form.send(ADA)


def test_a86_nothing_typed_is_told_to_anybody(
    world: World, session: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """Not to the page again, the host's server or a log, nor kept in the BFF's database."""
    form = open_form(world, session, KEY)
    secret = "sk_never_shown_again"
    answer = form.post(secret)
    assert secret not in answer.text
    assert secret not in form.load().page.text
    assert secret not in str(world.read(form.attempt))
    form.send(ADA)
    assert secret not in dump(world.bff_database)
    assert ADA not in dump(world.partner_database)
    assert secret not in "".join(capfd.readouterr())


def test_cancel_is_a_no(world: World, session: str) -> None:
    """As a No at the third party: declined, and the form is over."""
    form = open_form(world, session, KEY)
    assert form.send(action="cancel")["end"]["title"] == "Access was declined"
    assert form.status() == "declined"
    assert "end" in form.send(ADA)
    assert form.status() == "declined"
    assert form.load().page.status_code == 410


@pytest.mark.both_databases
@pytest.mark.parametrize("is_refused_first", [False, True])
def test_cancel_while_nobody_knows_is_looked_at_again(
    world: World, session: str, is_refused_first: bool
) -> None:
    """The key was stored, its answer was lost, and the partner service is away then: a late success."""
    form = open_form(world, session, KEY)
    if is_refused_first:
        assert form.send("wrong")["faults"]
    with put_is_lost(world):
        form.post(ADA)
        assert form.send(action="cancel")["end"]["title"] == "Cancelled"
        assert form.status() == "cancelled"
    services = services_of(world.bff_app)
    services.attempts.store.plan_recheck(form.attempt, datetime.now(UTC) - timedelta(seconds=1))
    services.upkeep.housekeeping.recheck_given_up()
    assert world.read(form.attempt)["late_success"]["external_account"] == "ada@sandbox.example"
    (stands,) = [each for each in listed(world) if each["connector"] == KEY]
    assert (stands["state"], stands["connected_by"]) == ("connected", "ada")


def test_a_submission_whose_answer_was_lost_has_connected(world: World, session: str) -> None:
    """The next one, however wrong, is told so: it neither asks for a key nor hides the success."""
    form = open_form(world, session, KEY)
    with put_is_lost(world):
        form.post(ADA)
    assert "end" in form.send("wrong")
    told = world.read(form.attempt, "")
    assert (told["status"], told["connection"]["external_account"]) == ("connected", "ada@sandbox.example")


@contextmanager
def put_is_lost(world: World) -> Iterator[None]:
    """The partner service does what it is told, and then neither this nor any later call is answered."""
    calls, is_away = world.partner_calls, threading.Event()
    served = calls.app

    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        if not is_away.is_set() and environ["REQUEST_METHOD"] == "PUT":
            list(served(environ, lambda *_: None))
            is_away.set()
        if is_away.is_set():
            start_response("502 Bad Gateway", [("Content-Type", "text/plain")])
            return [b""]
        answer: list[bytes] = served(environ, start_response)
        return answer

    calls.app = app
    yield
    calls.app = served


def test_cancel_after_a_refused_key_is_a_no(world: World, session: str) -> None:
    """What became of it is known: nothing is looked at again."""
    form = open_form(world, session, KEY)
    assert form.send("wrong")["faults"]
    assert form.send(DOWN)["whole"]
    form.send(action="cancel")
    assert form.status() == "declined"


def test_cancel_after_a_key_that_connected_is_no_no(world: World, session: str) -> None:
    """The worker that tried the key was killed before it noted how that ended."""
    form = open_form(world, session, KEY)
    assert "end" in form.send(ADA)
    engine = open_database(world.bff_database)
    with engine.begin() as connection:
        forgotten = {"status": "launched", "settled_at": None, "attributed": None, "external_account": None}
        connection.execute(update(attempts).where(attempts.c.id == form.attempt).values(forgotten))
    engine.dispose()
    form.send(action="cancel")
    assert form.status() == "connected"


def test_a_shop_is_named_before_the_sign_in(world: World, session: str) -> None:
    """A name that cannot be one is refused here; a good one leads on, and is kept as a property."""
    form = open_form(world, session, SHOP)
    assert form.send("evil.example/x#")["faults"]["v0"].startswith("This does not look right")
    assert form.send("")["faults"] == {"v0": "Fill this in."}
    told = form.send("https://north.shop.example/")
    assert told["go"].startswith(f"{world.partner}/connectorauth/updateaccountconnectoroauth?")
    assert form.status() == "launched"


def test_a_sign_in_url_that_would_end_at_bad_request_is_none(world: World, session: str) -> None:
    """A server cannot send its user to a sign-in whose shop nobody has named; once it is, it can."""
    body = {
        "user": {"id": "ada"},
        "account": {"id": world.account},
        "connector": SHOP,
        "target_origin": HOST,
        "callback_message": "done",
    }
    told = world.server("POST", "/v1/sign-in-urls", json=body)
    assert (told.status_code, told.json()["code"]) == (502, "connector_unavailable")
    assert "shop" in told.json()["detail"]
    open_form(world, session, SHOP).send("north")
    assert world.server("POST", "/v1/sign-in-urls", json=body).status_code == 201


def test_a_sign_in_goes_on_though_the_answer_to_its_form_was_lost(world: World, session: str) -> None:
    """The same browser submits the form again; to any other it is still somebody else's."""
    form, lost = open_form(world, session, SHOP), requests.Session()
    lost.cookies.update(form.browser.cookies)
    first = form.post("north", browser=lost).json()["go"]
    told = form.send("north")
    assert told["again"] is True
    onward = form.send("north")["go"]
    assert onward != first
    assert form.post("north", browser=requests.Session()).status_code == 403
    last = world.sign_in(onward, browser=form.browser)
    assert last.status_code == 200, last.text
    assert form.status() == "connected"


def test_a_sign_in_after_a_form_is_completed_by_the_browser_of_the_form_only(
    world: World, session: str
) -> None:
    """Whoever else is sent its link connects nothing."""
    form = open_form(world, session, SHOP)
    stranger = world.sign_in(form.send("north")["go"], browser=requests.Session())
    assert stranger.status_code == 403
    assert "begun in another browser" in stranger.text
    assert form.status() == "failed"


def test_a_shop_is_asked_for_until_it_has_led_to_a_connection(world: World, session: str) -> None:
    """A wrong one can be mended by the next click; one that the host's server set is not asked for."""
    form = open_form(world, session, SHOP)
    form.send("nowhere")
    again = open_form(world, session, SHOP)
    assert 'value="nowhere"' in again.page.text
    other = world.session(user="grace")
    assert 'value="nowhere"' in open_form(world, other, SHOP).page.text


def test_a85_each_showing_is_sent_once(world: World, session: str) -> None:
    """A double press, or a second window: the later one is told so, and can be sent again."""
    form = open_form(world, session, KEY)
    for _ in range(2):
        token = form.token
        form.send("sk_wrong")
        form.token = token
        told = form.send(ADA)
        assert told["faults"] == {}
        assert "sent already" in told["whole"]
        assert form.status() == "launched"
    assert "end" in form.send(ADA)


@pytest.mark.both_databases
def test_a85_of_two_at_once_one_is_sent(world: World, session: str) -> None:
    """However a page is made to press twice."""
    form = open_form(world, session, KEY)
    for _ in range(2):
        token = form.token

        def post(_: int, token: str = token) -> dict[str, Any]:
            return form.post("sk_wrong", form_token=token).json()  # type: ignore[no-any-return]

        with ThreadPoolExecutor(4) as pool:
            told = list(pool.map(post, range(4)))
        assert sum(bool(one.get("faults")) for one in told) == 1
        form.load()


@pytest.mark.parametrize(
    ("origin", "cookies", "token", "status"),
    [
        ("https://evil.example", True, True, 403),
        ("null", True, True, 403),
        (None, False, True, 403),
        (None, True, False, 200),
    ],
    ids=["another site", "no site", "another browser", "a forged token"],
)
def test_a85_only_the_forms_own_page_and_browser_send_it(
    world: World, session: str, origin: str | None, cookies: bool, token: bool, status: int
) -> None:
    """Nothing is connected by a page elsewhere, nor by a browser that did not launch."""
    form = open_form(world, session, KEY)
    if not token:
        form.token = form.token[:-4] + "AAAA"
    answer = form.post(ADA, origin=origin, browser=None if cookies else requests.Session())
    assert answer.status_code == status
    assert form.status() == "launched"


def test_a85_the_form_is_shown_to_the_browser_that_launched(world: World, session: str) -> None:
    """Forced linking: whoever gets the address of somebody's form sees nothing to fill in."""
    form = open_form(world, session, KEY)
    stranger = requests.get(form.url, timeout=30)
    assert stranger.status_code == 403
    assert "another browser" in stranger.text
    assert "form_token" not in stranger.text


def test_a_form_is_over_with_its_attempt(world: World, session: str) -> None:
    """After its time, and after the page gave up: said in words, and nothing is connected."""
    form = open_form(world, session, KEY)
    world.change(form.attempt, expires_at=datetime.now(UTC) - timedelta(seconds=1))
    assert form.send(ADA)["end"]["title"] == "The time ran out"
    assert form.load().page.status_code == 410
    other = open_form(world, session, KEY)
    world.page("POST", f"/v1/attempts/{other.attempt}/cancel", session, json={})
    assert other.send(ADA)["end"]["title"] == "Cancelled"
    assert not connected(world)


def test_a_form_is_over_with_its_users_session(world: World, session: str) -> None:
    """Nothing can be typed any more, and nothing is connected; a cancel is taken still."""
    form = open_form(world, session, KEY)
    ended = {"user": {"id": "ada"}, "account": {"id": world.account}}
    assert world.server("POST", "/v1/sessions/end", json=ended).status_code == 200
    sent = form.post(ADA)
    assert (sent.status_code, sent.json()["end"]["title"]) == (410, "This sign-in link is no longer good")
    page = form.load().page
    assert (page.status_code, form.token) == (410, "")
    assert not connected(world)
    assert form.send(action="cancel")["end"]["title"] == "Access was declined"


def test_another_account_is_not_connected_in_silence(world: World, session: str) -> None:
    """A reconnect with somebody else's key: asked first, as with a sign-in; then taken."""
    open_form(world, session, KEY).send(ADA)
    form = open_form(world, session, KEY)
    assert form.send(GRACE)["end"]["title"] == "Another account signed in"
    assert form.status() == "failed"
    assert connected(world) == ["ada@sandbox.example"]
    accepted = world.page("POST", f"/v1/attempts/{form.attempt}/accept", session, json={})
    assert accepted.json()["status"] == "connected"
    assert connected(world) == ["grace@sandbox.example"]


def test_a_choice_that_is_sent_again_costs_no_attempt(
    world: World, session: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer to the first was lost: the repeat makes nothing, so it is answered at the limit too."""
    monkeypatch.setitem(limits(world).user, Purpose.ATTEMPT, 3)
    open_form(world, session, KEY).send(ADA)
    form = open_form(world, session, KEY)
    form.send(GRACE)
    answers = [world.page("POST", f"/v1/attempts/{form.attempt}/accept", session, json={}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert world.page("POST", "/v1/attempts", session, json={"connector": KEY}).status_code == 429


def test_a_form_that_was_submitted_already_costs_no_launch(
    world: World, session: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is told so at the limit too."""
    monkeypatch.setitem(limits(world).user, Purpose.LAUNCH, 2)
    form = open_form(world, session, KEY)
    token = form.token
    form.send("sk_wrong")
    form.token = token
    assert form.send(ADA)["again"] is True
    assert "Too many tries" in form.send(ADA)["whole"]


def limits(world: World) -> Rates:
    """How often what may be asked in this world."""
    return world.bff_app.extensions[EXTENSION].limits._rates


def test_a_wrong_key_leaves_a_connection_as_it_was(world: World, session: str) -> None:
    """Reconnect, mistype, give up: what was connected still is."""
    open_form(world, session, KEY).send(ADA)
    form = open_form(world, session, KEY)
    form.send("sk_wrong")
    form.send(action="cancel")
    assert connected(world) == ["ada@sandbox.example"]


def test_the_hosts_plain_message_is_not_lost(world: World, session: str) -> None:
    """No partner service posts it for a form: the server tells the widget to."""
    form = open_form(world, session, KEY, message="done")
    form.send(ADA)
    assert world.read(form.attempt)["unsent"] == {"data": "done", "origin": world.partner}


def test_a86_the_page_keeps_password_managers_out_and_loads_nothing_foreign(
    world: World, session: str
) -> None:
    """No password field, no word that calls one in; and no form of it leaves by itself."""
    page = open_form(world, session, KEY).page
    assert 'type="password"' not in page.text
    assert page.text.count('autocomplete="off"') >= 3
    assert 'spellcheck="false"' in page.text
    assert "form-action 'none'" in page.headers["Content-Security-Policy"]
    assert page.headers["Cache-Control"] == "no-store"


def connected(world: World) -> list[Any]:
    """Whose accounts are connected."""
    found = world.server("GET", f"/v1/connections?account={world.account}").json()["connections"]
    return [one["external_account"] for one in found if one["authenticated"]]
