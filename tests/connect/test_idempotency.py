"""A request that is sent again begins nothing new, and opens no second way in."""

from __future__ import annotations

import secrets
from dataclasses import replace

import pytest

from bff.common.errors import InvalidRequest, LaunchRefused, UnknownConnector
from bff.common.secret import Secret
from bff.connect.attempt import Attempt, Status
from bff.connect.idempotency import IdempotentBegin
from bff.connect.new_attempt import BeginRequest
from bff.identity.principal import AccountRef, Principal, User
from tests.support.watched_core import ADA, HOST, PRODUCT, WatchedCore

ASKED = BeginRequest("crm", HOST, locale="de")


@pytest.fixture
def repeats(core: WatchedCore) -> IdempotentBegin:
    """Over the core of this test."""
    return IdempotentBegin(core.connect, core.attempts, core.clock, secrets.token_urlsafe)


@pytest.fixture
def key() -> str:
    """A key that no test before has used."""
    return secrets.token_urlsafe()


def begun(repeats: IdempotentBegin, key: str, whose: Principal = ADA) -> tuple[Attempt, Secret]:
    """An attempt that may still be launched."""
    attempt, token = repeats.begin(PRODUCT, whose, ASKED, key)
    assert token is not None
    return attempt, token


def test_the_first_request_begins_what_it_asks_for(
    core: WatchedCore, repeats: IdempotentBegin, key: str
) -> None:
    """The key itself is not kept: it is somebody's, and only has to be known again."""
    attempt, token = begun(repeats, key)
    assert (attempt.connector.key, attempt.locale, attempt.user) == ("crm", "de", ADA.user)
    assert core.connect.peek(token) == attempt
    assert key not in repr(attempt)


def test_a24_a_repeat_is_answered_with_the_same_attempt(
    core: WatchedCore, repeats: IdempotentBegin, key: str
) -> None:
    """One launch token is good at a time, the last that was told, and once."""
    first, old = begun(repeats, key)
    again, new = begun(repeats, key)
    assert replace(again, launch_token_sha256="") == replace(first, launch_token_sha256="")
    with pytest.raises(LaunchRefused):
        core.connect.launch(core.connect.peek(old))
    core.connect.launch(core.connect.peek(new))
    with pytest.raises(LaunchRefused):
        core.connect.launch(core.connect.peek(new))


def test_another_request_with_the_same_key_is_refused(repeats: IdempotentBegin, key: str) -> None:
    """And the attempt that stands keeps its token: the refused one changed nothing."""
    attempt, _ = begun(repeats, key)
    with pytest.raises(InvalidRequest, match="Idempotency-Key"):
        repeats.begin(PRODUCT, ADA, replace(ASKED, locale="fr"), key)
    assert begun(repeats, key)[0].id == attempt.id


@pytest.mark.parametrize(
    "whose",
    [
        replace(ADA, user=User("grace")),
        replace(ADA, account=AccountRef("other", "Acme Inc.")),
        replace(ADA, product="second"),
    ],
    ids=["user", "account", "product"],
)
def test_a24_a_key_is_its_principals_own(repeats: IdempotentBegin, key: str, whose: Principal) -> None:
    """Nobody meets another's attempt by guessing a key."""
    assert begun(repeats, key)[0].id != begun(repeats, key, whose)[0].id


def test_another_key_begins_another_attempt(repeats: IdempotentBegin, key: str) -> None:
    """The same button, pressed a second time."""
    assert begun(repeats, key)[0].id != begun(repeats, key + "-2")[0].id


def test_what_a_person_is_called_is_no_part_of_who_they_are(repeats: IdempotentBegin, key: str) -> None:
    """Whoever changes their name between two tries is answered with their attempt."""
    renamed = replace(ADA, user=User("ada", "Ada King"), account=replace(ADA.account, name="Acme AG"))
    assert begun(repeats, key)[0].id == begun(repeats, key, renamed)[0].id


def test_a24_what_was_launched_is_not_launched_again(
    core: WatchedCore, repeats: IdempotentBegin, key: str
) -> None:
    """Its window is open already: a new token would open a second one."""
    attempt, token = begun(repeats, key)
    core.connect.launch(core.connect.peek(token))
    told, none = repeats.begin(PRODUCT, ADA, ASKED, key)
    assert (told.id, told.status, none) == (attempt.id, Status.LAUNCHED, None)
    assert told == core.attempts.get(attempt.id)


def test_an_attempt_past_its_time_gets_no_token(
    core: WatchedCore, repeats: IdempotentBegin, key: str
) -> None:
    """From the very moment on at which a launch would be refused; and the one before is good until then."""
    attempt, _ = begun(repeats, key)
    remaining = (attempt.expires_at - core.clock()).total_seconds()
    core.clock.tick(remaining - 1)
    _, token = begun(repeats, key)
    assert core.connect.peek(token).id == attempt.id
    core.clock.tick(1)
    told, none = repeats.begin(PRODUCT, ADA, ASKED, key)
    assert (told.id, none) == (attempt.id, None)


def test_a24_a_refused_request_keeps_no_key(repeats: IdempotentBegin, key: str) -> None:
    """And the key is as good as new."""
    with pytest.raises(UnknownConnector):
        repeats.begin(PRODUCT, ADA, BeginRequest("nothing", HOST), key)
    begun(repeats, key)
