"""What is counted: for operators only, at an address of its own, with labels of known values."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import requests

from bff.serving.version import own_version
from tests.support.databases import DatabaseUrl
from tests.support.ports import free_port
from tests.support.programs import run_bff, run_partner
from tests.support.waiting import wait_for
from tests.support.world import World

pytestmark = pytest.mark.one_database


def numbers(url: str) -> dict[str, float]:
    """Each sample by its name and labels."""
    answer = requests.get(f"{url}/metrics", timeout=30)
    assert answer.status_code == 200
    lines = [line.rpartition(" ") for line in answer.text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in lines}


def test_a_click_is_counted_over_all_workers(tmp_path: Path, database_url: DatabaseUrl) -> None:
    """Launches, outcomes, signals, requests, calls to the partner service; no id, no path among labels."""
    at = f"127.0.0.1:{free_port()}"
    with (
        run_partner(tmp_path, database_url) as partner,
        run_bff(tmp_path, database_url, partner=partner.url, metrics_bind=at, workers="2") as bff,
    ):
        world = World(bff.url, partner.url, "", None, tmp_path, None, "", "")  # type: ignore[arg-type]
        attempt = world.connect(world.session())
        wait_for(lambda: world.read(attempt)["status"] == "connected", every=0.2)
        requests.get(f"{bff.url}/canary/{attempt}", timeout=30)
        # A request is counted when its answer has gone out.
        last = 'hitchpost_request_seconds_count{method="GET",route="(none)",status="4xx"}'

        def counted() -> dict[str, float] | None:
            now = numbers(f"http://{at}")
            return now if {last, LAUNCHED} <= now.keys() else None

        found = wait_for(counted)
        assert found[LAUNCHED] == 1
        ended = 'delivery="message",ending="connected",product="demo",status="connected"'
        assert found[f'hitchpost_attempts_total{{connector="sandbox",{ended}}}'] == 1
        assert found[f'hitchpost_build_info{{version="{own_version()}"}}'] == 1
        assert found['hitchpost_signals_total{hint="message"}'] >= 1
        mint = 'path="/v1.0/accounts/{account}/signintoken",status="2xx"'
        assert found[f"hitchpost_upstream_seconds_count{{{mint}}}"] == 1
        assert (
            found['hitchpost_request_seconds_count{method="POST",route="/connect/launch",status="3xx"}'] == 1
        )
        assert found['hitchpost_request_seconds_count{method="GET",route="(none)",status="4xx"}'] == 1
        assert found["hitchpost_threads_busy"] == 0
        text = "\n".join(found)
        assert not re.search(r"att_|canary|acme|127\.0\.0\.1", text)
        assert requests.get(f"{bff.url}/metrics", timeout=30).status_code == 404
        assert requests.get(f"http://{at}/v1/config", timeout=30).status_code == 404
        assert bff.end() == 0


UNMATCHED = 'method="GET",route="(none)",status="4xx"'
LAUNCHED = 'hitchpost_launches_total{connector="sandbox",delivery="message",product="demo"}'
