"""A third party that answers one byte at a time holds up its own sign-ins, and nobody else's."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, urlsplit

import requests

from tests.partner.conftest import Api, api_token
from tests.support.databases import sqlite_url
from tests.support.programs import Program, run_partner
from tests.support.raw_server import FAULTS, answers, play
from tests.support.third_party import tokens
from tests.support.waiting import wait_for
from tests.support.world import World

AT_ONCE: Final = 40
"""Sign-ins at the slow third party: more than there are threads, or connections to a database."""
QUICK: Final = 3.0
"""Seconds, on a machine that does much else meanwhile."""


def entry(number: int, key: str, url: str) -> str:
    """A connector of a catalogue file."""
    return f"""
[[connector]]
id = {number}
key = "{key}"
name = "{key}"
authorize_url = "{url}/authorize"
token_url = "{url}/token"
client_id = "hitchpost"
client_secret = "third-party-secret"
"""


def test_a_third_party_that_trickles_stops_no_other(tmp_path: Path) -> None:
    """With the worker that is the default, one process: all are waited for side by side."""
    catalogue = tmp_path / "own.toml"
    quick = answers(200, json.dumps(tokens()).encode())
    with (
        play(FAULTS["drips a body"]) as (slow_url, asked),
        play(quick) as (quick_url, _),
        ThreadPoolExecutor(AT_ONCE) as pool,
    ):
        catalogue.write_text(entry(1, "slow", slow_url) + entry(2, "quick", quick_url))
        with run_partner(tmp_path, sqlite_url, catalogue=str(catalogue)) as program:
            held = [pool.submit(callback) for callback in pool.map(callback_of, [program] * AT_ONCE)]
            wait_for(lambda: len(asked) >= AT_ONCE)
            began = time.perf_counter()
            assert callback_of(program, "2")().status_code == 200
            assert time.perf_counter() - began < QUICK
            assert not any(one.done() for one in held)


def callback_of(program: Program, connector: str = "1") -> Callable[[], requests.Response]:
    """Begin a sign-in in a browser of its own; what brings the third party's answer."""
    world = World("", program.url, "", None, program.log.parent, None, "", "")  # type: ignore[arg-type]
    api = Api(world, api_token(program.url).json()["access_token"], "acme-" + secrets.token_hex(8))
    api.call("POST", "/v1.0/accounts", {"Id": api.account, "Name": "Acme"}, account=None)
    browser = requests.Session()
    url = api.sign_in_url(int(api.install(connector)["Id"]), callbackMessage="done")
    sent = browser.get(url, timeout=30, allow_redirects=False)
    state = parse_qs(urlsplit(sent.headers["Location"]).query)["state"][0]
    where = f"{program.url}/connector/callback"
    return lambda: browser.get(where, params={"state": state, "code": "c"}, timeout=60)
