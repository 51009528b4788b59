"""A press: what a launch will wait for is minted ahead of it, and used by it alone."""

from __future__ import annotations

import secrets
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine

from bff.common.errors import LaunchPostponed, LaunchRefused
from bff.common.secret import Secret, fingerprint
from bff.connect.attempt import Attempt, Delivery, Status
from bff.connect.idempotency import IdempotentBegin
from bff.connect.new_attempt import UNLAUNCHED_LIFE, BeginRequest
from bff.upstream.protocol import Connector
from bff.upstream.sign_in_forms import AuthKind, SignInForm
from tests.support.waiting import wait_for
from tests.support.watched_core import ACME, ADA, HOST, PRODUCT, PUBLIC, WatchedCore, build_watched_core


def begin(core: WatchedCore, **more: object) -> tuple[Attempt, Secret]:
    """An attempt waits for its click."""
    return core.connect.begin(PRODUCT, ADA, BeginRequest("crm", HOST, **more))  # type: ignore[arg-type]


def launch(core: WatchedCore, token: Secret) -> str:
    """The URL that the browser is sent to."""
    return core.connect.launch(core.connect.peek(token)).url.reveal()


def mints(core: WatchedCore) -> int:
    """How often a token was asked for."""
    return len(core.partner.of("mint"))


def stored(core: WatchedCore, attempt: Attempt) -> Attempt:
    """The attempt as it is stored."""
    found = core.attempts.get(attempt.id)
    assert found is not None
    return found


def test_a_launch_uses_what_was_minted_at_the_press(core: WatchedCore) -> None:
    """It asks for nothing itself; the attempt tells when each of the two was."""
    attempt, token = begin(core)
    core.connect.press(attempt)
    pressed = core.clock()
    core.later.run()
    asked = len(core.partner.asked)
    core.clock.tick(0.3)
    assert "token=token-0" in launch(core, token)
    assert (mints(core), len(core.partner.asked)) == (1, asked)
    now = stored(core, attempt)
    assert (now.minted_at, now.launched_at) == (pressed, core.clock())
    assert now.sign_in_token_sha256 == fingerprint("token-0")
    assert (now.status, now.account_connector_id) == (Status.LAUNCHED, 7)


def test_a_press_that_comes_after_its_launch_mints_nothing(core: WatchedCore) -> None:
    """On a busy server the launch may overtake it. Nobody would use the token."""
    attempt, token = begin(core)
    launch(core, token)
    core.connect.press(attempt)
    core.later.run()
    assert mints(core) == 1


def test_a_press_changes_nothing_that_is_stored(core: WatchedCore) -> None:
    """The attempt is as it was, and may be launched or not."""
    attempt, _ = begin(core)
    core.connect.press(attempt)
    core.later.run()
    assert core.partner.of("mint") == [[ACME, "ada"]]
    assert stored(core, attempt) == attempt


def test_a_launch_waits_for_what_is_under_way(core: WatchedCore) -> None:
    """It asks for no token of its own meanwhile."""
    attempt, token = begin(core)
    core.connect.press(attempt)
    finish = core.later.start()
    with ThreadPoolExecutor(1) as pool:
        launching = pool.submit(launch, core, token)
        wait_for(lambda: stored(core, attempt).status is Status.LAUNCHED)
        assert mints(core) == 0
        finish()
        assert "token=token-0" in launching.result(20)
    assert mints(core) == 1


def test_a_press_that_is_still_queued_delays_no_launch(core: WatchedCore) -> None:
    """The launch mints as ever, and the press never does."""
    attempt, token = begin(core)
    core.connect.press(attempt)
    launch(core, token)
    core.later.run()
    assert mints(core) == 1


def test_ten_seconds_after_the_press_a_launch_mints_anew(core: WatchedCore) -> None:
    """What was told of the account then is no news; nor does a second press mint again."""
    attempt, token = begin(core)
    core.connect.press(attempt)
    core.later.run()
    core.clock.tick(10)
    core.connect.press(attempt)
    core.later.run()
    core.partner.authenticated = True
    assert "token=token-1" in launch(core, token)
    assert mints(core) == 2
    assert stored(core, attempt).authenticated_before is True


def test_where_a_form_replaces_the_sign_in_a_press_mints_nothing(
    core: WatchedCore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody would use the token: the form mints one when it is submitted."""
    form = SignInForm(auth=AuthKind.API_KEY)
    monkeypatch.setattr(core.partner, "find_connector", lambda _, name: Connector(1, name, form=form))
    attempt, token = begin(core)
    core.connect.press(attempt)
    core.later.run()
    assert "/connect/form/" in launch(core, token)
    assert mints(core) == 0


@pytest.mark.parametrize("fault", ["find", "list", "mint"])
def test_what_failed_before_the_launch_is_tried_again(core: WatchedCore, fault: str) -> None:
    """The user waits only now: an outage that is over costs them nothing."""
    attempt, token = begin(core)
    core.clock.tick(400)  # past the catalogue's freshness
    core.partner.fails.add(fault)
    core.connect.press(attempt)
    core.later.run()
    assert stored(core, attempt).status is Status.CREATED
    core.partner.fails.clear()
    launch(core, token)
    assert stored(core, attempt).status is Status.LAUNCHED


def test_what_fails_while_the_launch_waits_is_the_launchs_own_failure(core: WatchedCore) -> None:
    """Told at once, with its code: another try could make the user wait as long again."""
    attempt, token = begin(core)
    core.connect.press(attempt)
    finish = core.later.start()
    with ThreadPoolExecutor(1) as pool:
        launching = pool.submit(launch, core, token)
        wait_for(lambda: stored(core, attempt).status is Status.LAUNCHED)
        core.partner.fails.add("mint")
        finish()
        with pytest.raises(LaunchPostponed):
            launching.result(20)
    assert mints(core) == 1
    assert stored(core, attempt).status is Status.LAUNCHED


def test_a_launch_that_fails_again_is_given_back(core: WatchedCore) -> None:
    """As without any press."""
    attempt, token = begin(core)
    core.partner.fails.add("mint")
    core.connect.press(attempt)
    core.later.run()
    with pytest.raises(LaunchPostponed):
        launch(core, token)
    core.partner.fails.clear()
    assert "token=" in launch(core, token)


@pytest.mark.parametrize("end", ["cancelled", "cancelled elsewhere", "expired"])
def test_what_was_minted_for_an_attempt_that_ended_goes_to_nobody(core: WatchedCore, end: str) -> None:
    """It is dropped with the attempt, or at the launch that is refused."""
    attempt, token = begin(core)
    peeked = core.connect.peek(token)
    if end == "expired":
        core.clock.tick(UNLAUNCHED_LIFE.total_seconds() - 1)
    core.connect.press(attempt)
    core.later.run()
    if end == "cancelled":
        core.connect.cancel(attempt)
    elif end == "expired":
        core.clock.tick(1)
        with pytest.raises(LaunchRefused):
            core.connect.peek(token)
    else:  # by another worker, after this one had looked
        core.poller.settle(attempt, {"status": Status.CANCELLED, "error_code": "cancelled"})
        with pytest.raises(LaunchRefused):
            core.connect.launch(peeked)
    assert core.prefetcher._kept == {}


def test_cancelled_between_press_and_launch_stays_cancelled(core: WatchedCore) -> None:
    """The token of the press is told to nobody."""
    attempt, token = begin(core)
    core.connect.press(attempt)
    core.later.run()
    core.connect.cancel(attempt)
    with pytest.raises(LaunchRefused):
        launch(core, token)
    now = stored(core, attempt)
    assert (now.status, now.sign_in_token_sha256) == (Status.CANCELLED, None)


def test_return_delivery_comes_back_to_the_page_that_was_minted_for(core: WatchedCore) -> None:
    """Its secret is made at the press, and kept as a hash from the launch on."""
    attempt, token = begin(core, delivery=Delivery.RETURN)
    core.connect.press(attempt)
    core.later.run()
    secret = core.tokens[-1]
    url = launch(core, token)
    assert core.tokens[-1] == secret
    assert f"{PUBLIC}/connect/return/{secret}".replace(":", "%3A").replace("/", "%2F") in url
    assert stored(core, attempt).return_secret_sha256 == fingerprint(secret)


def test_each_attempt_has_what_was_minted_for_it(core: WatchedCore) -> None:
    """Two buttons pressed, launched in the other order."""
    (one, first), (other, second) = begin(core), begin(core)
    core.connect.press(one)
    core.connect.press(other)
    core.later.run()
    assert "token=token-1" in launch(core, second)
    assert "token=token-0" in launch(core, first)


def test_a_worker_that_did_not_hear_of_the_press_launches_as_ever(
    core: WatchedCore, core_engine: Engine
) -> None:
    """What the first one minted goes to nobody."""
    attempt, token = begin(core)
    core.connect.press(attempt)
    core.later.run()
    other = build_watched_core(core_engine)
    launch(other, token)
    assert (mints(core), mints(other)) == (1, 1)
    with pytest.raises(LaunchRefused):
        launch(core, token)
    assert core.prefetcher._kept == {}


def test_an_attempt_that_is_begun_by_its_click_is_pressed_once(core: WatchedCore) -> None:
    """A repeat of the request begins nothing new: another worker would not know of the first press."""
    idempotent_begin = IdempotentBegin(core.connect, core.attempts, core.clock, secrets.token_urlsafe)
    asked, key, told = BeginRequest("crm", HOST), secrets.token_urlsafe(), list[str]()
    for _ in range(3):
        attempt, _ = idempotent_begin.begin(PRODUCT, ADA, asked, key, lambda new: told.append(new.id))
    assert told == [attempt.id]
