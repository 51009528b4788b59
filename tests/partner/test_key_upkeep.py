"""A key that its third party takes no more is noticed although nobody uses it, and only then."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from flask import Response, request
from sqlalchemy import create_engine, text

from bff.partner import clock
from bff.partner.storage.database import MIGRATIONS
from tests.partner.test_typed_credentials import connection, fields, give
from tests.support.third_party import Connection, ThirdParty, refused
from tests.support.world import World

pytestmark = pytest.mark.one_database


def wait_of(installed: Connection) -> timedelta:
    """How long until it is looked at again."""
    again = installed.row().next_refresh_at
    assert again is not None
    found: timedelta = again - clock.now()
    return found


@pytest.fixture
def typed(partner_world: World, third: ThirdParty) -> Connection:
    """A key that was good when it was typed."""
    installed = connection(partner_world, third)
    assert give(installed, "k-1").status_code == 200
    return installed


@pytest.mark.parametrize(("status", "reason"), [(401, "revoked"), (403, "refused")])
def test_a_key_that_is_refused_needs_the_user_and_heals(
    typed: Connection, third: ThirdParty, status: int, reason: str
) -> None:
    """It is kept: tried again in an hour, then ever more seldom, and connected should it be taken again."""
    third.says["me"] = lambda _: refused("no", status)
    typed.look()
    assert (typed.grant_state(), typed.told()["Authenticated"]) == (("needs_reconnect", reason), False)
    assert wait_of(typed) < timedelta(hours=1.2)
    typed.look()
    assert timedelta(hours=1.7) < wait_of(typed) < timedelta(hours=2.3)
    third.says["me"] = lambda _: {}
    typed.look()
    assert typed.grant_state() == ("connected", None)
    third.says["me"] = lambda _: refused("no", status)
    typed.look()
    third.says["me"] = lambda _: {}
    assert give(typed, "k-2").status_code == 200
    assert typed.grant_state() == ("connected", None)


def test_a_key_that_an_answer_does_not_call_good_needs_the_user(
    partner_world: World, third: ThirdParty
) -> None:
    """Where a service answers every key with 200: a wrong one is told when typed, a lost one by the look.

    A page in place of JSON says nothing of the key.
    """
    check = {
        "url": f"{third.url}/me",
        "headers": {"X-Key": "{api_key}"},
        "good_at": "session.is_logged_in",
    }
    installed = connection(partner_world, third, check=check)
    says = third.says
    says["me"] = lambda _: {"session": {"is_logged_in": request.headers.get("X-Key") == "k-1"}}
    wrong = give(installed, "k-2")
    assert (wrong.status_code, fields(wrong)) == (422, {"api_key": "refused"})
    assert give(installed, "k-1").status_code == 200
    says["me"] = lambda _: Response("<p>We shall be back soon.</p>", content_type="text/html")
    installed.look()
    assert installed.grant_state() == ("connected", None)
    says["me"] = lambda _: {"session": {"is_logged_in": False}}
    installed.look()
    assert installed.grant_state() == ("needs_reconnect", "revoked")


GOOGLE = {
    "code": 400,
    "message": "API key not valid. Please pass a valid API key.",
    "status": "INVALID_ARGUMENT",
}
DEAD_KEYS = {
    "Google": (400, {"error": GOOGLE}),
    "by its code": (422, {"error": "invalid_api_key"}),
    "in words": (404, {"message": "This access token was deleted"}),
    "Slack": (200, {"ok": False, "error": "invalid_auth"}),
    "401 in the body": (200, {"statusCode": 401}),
}


def test_a_key_is_found_dead_however_it_is_told(typed: Connection, third: ThirdParty) -> None:
    """By an error that says so, whatever its status."""
    for name, (status, body) in DEAD_KEYS.items():
        dead = Response(json.dumps(body), status, content_type="application/json")
        third.says["me"] = lambda _, dead=dead: dead  # type: ignore[misc]
        typed.look()
        assert (name, typed.grant_state()) == (name, ("needs_reconnect", "revoked"))
        third.says["me"] = lambda _: {}
        typed.look()
        assert typed.grant_state() == ("connected", None)


def test_a_rejection_may_say_nothing_of_the_key(typed: Connection, third: ThirdParty) -> None:
    """A service may be gone, or be paid no more."""
    for status in (400, 402, 404, 410, 422):
        third.says["me"] = lambda _, status=status: refused("no", status)  # type: ignore[misc]
        typed.look()
        told = typed.grant_state(), typed.row().rejected_since is not None
        assert (status, told) == (status, (("connected", None), True))
        third.says["me"] = lambda _: {}
        typed.look()
        assert typed.row().rejected_since is None


@pytest.mark.both_databases
def test_a_rejection_that_says_nothing_of_the_key_costs_a_connection_after_three_days(
    typed: Connection, third: ThirdParty
) -> None:
    """It was taken before. Anything else in between begins the days anew; so does another key."""
    long_ago = clock.now() - timedelta(days=3, minutes=1)
    authenticated_at = long_ago - timedelta(days=1)
    third.says["me"] = lambda _: refused("no", 404)
    typed.change(authenticated_at=authenticated_at)
    typed.look()
    assert (typed.grant_state(), typed.row().rejected_since > clock.now() - timedelta(minutes=1)) == (
        ("connected", None),
        True,
    )
    typed.change(rejected_since=long_ago)
    third.says["me"] = lambda _: refused("no", 503)
    typed.look()
    assert typed.row().rejected_since is None
    third.says["me"] = lambda _: refused("no", 404)
    typed.change(rejected_since=long_ago, authenticated_at=long_ago + timedelta(minutes=1))
    typed.look()
    assert typed.grant_state() == ("connected", None)
    typed.change(rejected_since=long_ago, authenticated_at=authenticated_at)
    typed.look()
    assert typed.grant_state() == ("needs_reconnect", "refused")
    third.says["me"] = lambda _: {}
    typed.look()
    assert typed.grant_state() == ("connected", None)


def limited() -> Response:
    """What GitHub answers to whom it was asked by too often."""
    answer = refused("rate limit", 403)
    answer.headers["X-RateLimit-Remaining"] = "0"
    return answer


NOTHING_SAID = [
    *(lambda status=status: refused("no", status) for status in (302, 400, 404, 408, 429, 500, 503)),
    limited,
]


def test_what_says_nothing_of_the_key_costs_no_connection(typed: Connection, third: ThirdParty) -> None:
    """However often: it is looked at again later, at most a day apart."""
    for say in NOTHING_SAID:
        third.says["me"] = lambda _, say=say: say()  # type: ignore[misc]
        typed.look()
        assert typed.grant_state() == ("connected", None)
    assert timedelta(hours=20) < wait_of(typed) < timedelta(hours=27)


def test_a_third_party_that_is_away_costs_no_connection(partner_world: World, third: ThirdParty) -> None:
    """Nobody answers at all."""
    installed = connection(partner_world, third)
    assert give(installed, "k-1").status_code == 200
    assert installed.item.check is not None
    nowhere = installed.item.check.model_copy(update={"url": "http://127.0.0.1:9/me"})
    gone = installed.item.model_copy(update={"check": nowhere})
    others = [one for one in partner_world.partner_service.catalogue.connectors if one.id != gone.id]
    partner_world.partner_service.catalogue.connectors = (*others, gone)
    installed.look()
    assert installed.grant_state() == ("connected", None)


def test_one_refusal_between_good_answers_is_none(typed: Connection, third: ThirdParty) -> None:
    """A key is refused only if it is refused twice in one look."""
    answers = iter([refused("no", 401), {}])
    third.says["me"] = lambda _: next(answers)
    typed.look()
    assert typed.grant_state() == ("connected", None)


def test_a_good_key_is_looked_at_once_a_day(typed: Connection, third: ThirdParty) -> None:
    """By one request with the key that was typed; from the day on which it was typed."""
    assert timedelta(hours=20) < wait_of(typed) < timedelta(hours=27)
    seen: list[str | None] = []
    third.says["me"] = lambda _: seen.append(request.headers.get("X-Key")) or {}
    typed.look()
    assert (seen, typed.grant_state()) == (["k-1"], ("connected", None))
    assert timedelta(hours=20) < wait_of(typed) < timedelta(hours=27)


@pytest.mark.both_databases
def test_a_key_of_the_hosts_server_is_looked_at_too(partner_world: World, third: ThirdParty) -> None:
    """It is tried as one that was typed."""
    installed = connection(partner_world, third)
    assert installed.api.call("PUT", installed.path, {"AuthValue": "k-1"}).status_code == 200
    assert wait_of(installed) > timedelta(hours=20)
    third.says["me"] = lambda _: refused("no", 401)
    installed.look()
    assert installed.grant_state() == ("needs_reconnect", "revoked")
    assert installed.api.call("PUT", installed.path, {"AuthValue": "k-2"}).status_code == 200
    assert (installed.grant_state(), installed.row().refresh_failures) == (("connected", None), 0)


def test_a_key_that_is_typed_during_the_look_stands(typed: Connection, third: ThirdParty) -> None:
    """What the look found was about the one before."""

    def late(_: dict[str, str]) -> Any:
        if request.headers["X-Key"] == "k-2":
            return {}
        if not replaced:
            replaced.append(give(typed, "k-2").status_code)
        return refused("no", 401)

    replaced: list[int] = []
    third.says["me"] = late
    typed.look()
    assert (replaced, typed.grant_state()) == ([200], ("connected", None))


def test_without_a_check_nothing_is_looked_at(partner_world: World, third: ThirdParty) -> None:
    """There is nothing to try it with."""
    installed = connection(partner_world, third, check=None)
    answer = give(installed, "k-1")
    assert answer.status_code == 200, fields(answer)
    assert installed.row().next_refresh_at is None


def test_keys_from_before_get_their_time(tmp_path: Path) -> None:
    """Those that are in use, each at another moment of a day; a grant keeps its own."""
    engine, config = create_engine(f"sqlite:///{tmp_path}/partner.db"), Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0007")
        connection.execute(
            text("INSERT INTO account (id, created_at, details) VALUES ('a', '2026-01-01', '{}')")
        )
        for number, key, grant, used in (
            (1, "k", None, 1),
            (2, "k", None, 0),
            (3, None, "g", 1),
            (62, "k", None, 1),
        ):
            row = {"number": number, "name": str(number), "key": key, "grant": grant, "used": used}
            columns = (
                "id, account_id, connector_id, name, auth_value, credentials, authenticated, refresh_failures"
            )
            values = ":number, 'a', 1, :name, :key, :grant, :used, 0"
            connection.execute(text(f"INSERT INTO account_connector ({columns}) VALUES ({values})"), row)
        command.upgrade(config, "0008")
        told = "SELECT id, next_refresh_at FROM account_connector ORDER BY id"
        times = {row.id: row.next_refresh_at for row in connection.execute(text(told))}
    engine.dispose()
    assert [number for number, time in times.items() if time] == [1, 62]
    assert times[1] < times[62]
