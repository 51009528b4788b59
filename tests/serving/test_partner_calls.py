"""What operators see of the calls between the two programs."""

from __future__ import annotations

from pathlib import Path

from tests.serving.test_metrics import numbers
from tests.support.databases import sqlite_url
from tests.support.ports import free_port
from tests.support.programs import Program, run_bff, run_partner
from tests.support.waiting import wait_for
from tests.support.world import World

LAUNCHES = 60
MOST_ASKED = 8
"""Tries while all those launches come: a quarter of a second after the first, and each twice as long."""


def world_of(bff: Program, partner: Program) -> World:
    """Drives both as a host and its users do."""
    return World(bff.url, partner.url, "", None, bff.log.parent, None, "", "")  # type: ignore[arg-type]


def test_a_wrong_partner_secret_is_seen_and_not_tried_all_the_time(tmp_path: Path) -> None:
    """A line and a number for each try, a line that says which setting, and an open breaker."""
    at = f"127.0.0.1:{free_port()}"
    with (
        run_partner(tmp_path, sqlite_url) as partner,
        run_bff(
            tmp_path,
            sqlite_url,
            partner=partner.url,
            metrics_bind=at,
            partner_client_secret="wrong",
        ) as bff,
    ):
        world = world_of(bff, partner)
        session = world.session()
        for _ in range(LAUNCHES):
            attempt = world.begin(session)
            assert world.launch(attempt["launch_token"]).status_code == 503
        told = world.read(attempt["id"])
        assert (told["status"], told["error"]["code"]) == ("failed", "partner_unavailable")
        tries = [line for line in bff.lines() if line.get("path") == "/oauth/token"]
        assert 0 < len(tries) <= MOST_ASKED
        assert {line["status"] for line in tries} <= {400, 401}
        assert "HITCHPOST_PARTNER_CLIENT_SECRET" in bff.line(event="no access token")["error_text"]
        counted = 'hitchpost_upstream_seconds_count{path="/oauth/token",status="4xx"}'
        assert numbers(f"http://{at}")[counted] >= len(tries)

        def is_open() -> bool:
            world.launch(world.begin(session)["launch_token"])
            return numbers(f"http://{at}")['hitchpost_breaker{state="open",upstream="partner"}'] == 1

        assert wait_for(is_open)
