"""How long a thing is good is told in seconds from the answer on: the reader's clock may be hours off."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.support.world import World

pytestmark = pytest.mark.one_database


def test_a_session_and_an_attempt_tell_the_seconds_that_they_have_left(world: World) -> None:
    """An attempt that is asked for again tells what is left by then."""
    who = {"user": {"id": "ada"}, "account": {"id": world.account}}
    session = world.server("POST", "/v1/sessions", json={**who, "expires_in": 300}).json()
    assert session["expires_in"] == 300

    def begin() -> int:
        headers = {"Idempotency-Key": "one"}
        answer = world.page(
            "POST", "/v1/attempts", session["token"], json={"connector": "sandbox"}, headers=headers
        )
        left: int = answer.json()["expires_in"]
        world.change(answer.json()["id"], expires_at=datetime.now(UTC) + timedelta(seconds=100))
        return left

    assert 595 <= begin() <= 600
    assert 95 <= begin() <= 100
