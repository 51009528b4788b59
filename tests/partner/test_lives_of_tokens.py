"""Lives that a third party tells once, or of the refresh token only, are those of what follows."""

from __future__ import annotations

import base64
import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from bff.partner import clock
from tests.support.third_party import Connection, ThirdParty, tokens
from tests.support.world import World

pytestmark = pytest.mark.one_database


def left(moment: datetime | None) -> timedelta:
    """How long until then."""
    assert moment is not None
    return moment - clock.now()


def refresh(connection: Connection) -> None:
    """Let its access token end, and ask for another one."""
    connection.age()
    assert connection.access_token().status_code == 200


def test_a_life_that_is_told_once_is_that_of_every_later_token(world: World, third: ThirdParty) -> None:
    """open-connector#266: with the consent only. Else a token that is over would be given out for a day."""
    connection = Connection(world, third.offer(world)).connect()
    third.says["token"] = lambda _: tokens(expires_in=None)
    for _ in range(2):
        refresh(connection)
        assert timedelta(minutes=59) < left(connection.credentials().expires_at) < timedelta(minutes=61)
    assert left(connection.row().next_refresh_at) < timedelta(hours=1)


def jwt(**claims: Any) -> str:
    """A signed token, as far as its reader can tell."""
    parts = ({"alg": "RS256", "typ": "at+jwt"}, claims)
    coded = (base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts)
    return ".".join((*coded, "c2lnbmVk"))


def test_a_life_that_the_token_itself_tells_is_read(world: World, third: ThirdParty) -> None:
    """nango#6775: Zendesk's tokens of half an hour. What the answer tells counts before it."""
    exp = int((clock.now() + timedelta(minutes=30)).timestamp())
    third.says["token"] = lambda _: tokens(expires_in=None, access_token=jwt(exp=exp))
    connection = Connection(world, third.offer(world, expires_in_default=7200)).connect()
    assert timedelta(minutes=29) < left(connection.credentials().expires_at) <= timedelta(minutes=30)
    third.says["token"] = lambda _: tokens(expires_in=600, access_token=jwt(exp=exp))
    refresh(connection)
    assert left(connection.credentials().expires_at) <= timedelta(minutes=10)


@pytest.mark.parametrize("odd", [jwt(exp="soon"), jwt(), jwt(exp=1), "a.b.c", "a.b", "a..c"])
def test_a_token_that_tells_no_life_has_none(world: World, third: ThirdParty, odd: str) -> None:
    """It looks like a JWT, or is one without a time to come."""
    third.says["token"] = lambda _: tokens(expires_in=None, access_token=odd)
    assert Connection(world, third.offer(world)).connect().credentials().expires_at is None


@pytest.mark.parametrize(
    ("life", "grant_life"),
    [(3600, 1800), (None, 8 * 3600), (86400, 3600)],
    ids=["Keycloak", "a day", "a shift"],
)
def test_a_refresh_token_that_ends_first_is_used_in_time(
    world: World, third: ThirdParty, life: int | None, grant_life: int
) -> None:
    """It is looked at before its grant is told to end soon, and is new then."""
    third.says["token"] = lambda _: tokens(expires_in=life, refresh_expires_in=grant_life)
    connection = Connection(world, third.offer(world)).connect()
    ends = connection.credentials().grant_ends_at
    assert connection.row().next_refresh_at < clock.now() + timedelta(seconds=0.85 * grant_life)
    shift = timedelta(seconds=0.82 * grant_life)
    assert ends is not None
    connection.replace_credentials(obtained_at=clock.now() - shift, grant_ends_at=ends - shift)
    assert connection.grant_state() == ("connected", None)
    connection.look()
    assert left(connection.credentials().grant_ends_at) > timedelta(seconds=0.9 * grant_life)


def test_an_end_that_no_refresh_moves_is_told_and_not_asked_for_all_the_time(
    world: World, third: ThirdParty
) -> None:
    """A session's own end: each look comes after half of what is left."""
    ends = clock.now() + timedelta(hours=10)
    third.says["token"] = lambda _: tokens(
        refresh_token="rt", expires_in=86400, refresh_token_expires_at=ends.isoformat()
    )
    connection = Connection(world, third.offer(world)).connect()
    began = clock.now() - timedelta(hours=9.5)
    ends = clock.now() + timedelta(minutes=30)
    connection.replace_credentials(obtained_at=began, grant_ends_at=ends)
    connection.look()
    assert connection.grant_state() == ("needs_reconnect", "expires_soon")
    assert timedelta(minutes=10) < left(connection.row().next_refresh_at) < timedelta(minutes=16)


def test_a_new_refresh_token_lives_as_long_as_the_one_before(world: World, third: ThirdParty) -> None:
    """Its end was told with the consent only."""
    third.says["token"] = lambda _: tokens(refresh_token_expires_in=86400)
    connection = Connection(world, third.offer(world)).connect()
    third.says["token"] = lambda _: tokens()
    began = clock.now() - timedelta(hours=23.9)
    connection.replace_credentials(
        obtained_at=began, expires_at=clock.now(), grant_ends_at=began + timedelta(days=1)
    )
    assert connection.access_token().status_code == 200
    assert left(connection.credentials().grant_ends_at) > timedelta(hours=23)
    assert connection.grant_state() == ("connected", None)


def test_the_same_refresh_token_keeps_its_end(world: World, third: ThirdParty) -> None:
    """However often it is used, its last tenth is told."""
    third.says["token"] = lambda _: tokens(refresh_token="rt", refresh_token_expires_in=86400)
    connection = Connection(world, third.offer(world)).connect()
    third.says["token"] = lambda _: tokens(refresh_token="rt")
    began = clock.now() - timedelta(hours=23)
    ends = began + timedelta(days=1)
    connection.replace_credentials(obtained_at=began, expires_at=clock.now(), grant_ends_at=ends)
    assert connection.access_token().status_code == 200
    assert connection.credentials().grant_ends_at == ends
    assert connection.grant_state() == ("needs_reconnect", "expires_soon")


def test_what_needs_no_user_never_needs_one(world: World, third: ThirdParty) -> None:
    """Client credentials: some third parties tell the end of a refresh token that nobody uses."""
    third.says["token"] = lambda _: tokens(refresh_expires_in=1800)
    connection = Connection(world, third.offer(world, grant="client_credentials"))
    assert connection.start().status_code == 200
    for passed in (timedelta(minutes=28), timedelta(minutes=32)):
        now = clock.now()
        ends = {
            "grant_ends_at": now + timedelta(minutes=30) - passed,
            "expires_at": now + timedelta(minutes=9),
        }
        connection.replace_credentials(obtained_at=now - passed, **ends)
        assert connection.grant_state() == ("connected", None)
