"""A program that is started with what is another's ends at once, and says which setting it is."""

from __future__ import annotations

import base64
import json
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import pytest

from bff.serving.database import open_database
from tests.partner.test_grants import environment as grants_environment
from tests.support.databases import SCHEMAS, sqlite_url
from tests.support.ports import free_port
from tests.support.programs import bff_environment, environment, partner_environment
from tests.support.third_party import Connection, ThirdParty
from tests.support.world import World

OTHERS: Final = {"bff": "partner", "partner": "bff"}
"""The program whose database each is started with."""
MODULES: Final = {"bff": ("bff", "serve"), "partner": ("bff.partner", "serve")}
PREFIXES: Final = {"bff": "HITCHPOST_", "partner": "HITCHPOST_EMBEDDED_"}
ENVIRONMENTS: Final = {"bff": bff_environment, "partner": partner_environment}
NOBODY: Final = "http://127.0.0.1:9"
FIELDS: Final = {"cannot start": "error_text", "unknown settings": "advice"}
"""Where a line of the log says what it tells."""


def started(module: Sequence[str], own: Mapping[str, str], *events: str) -> tuple[int, list[str]]:
    """The exit status, and what each line of the log says that tells of one of these, in their order."""
    ended = subprocess.run(
        [sys.executable, "-m", *module], env=environment(own), capture_output=True, timeout=60, check=False
    )
    lines = [json.loads(line) for line in ended.stdout.splitlines()]
    told = [line[FIELDS[event]] for event in events for line in lines if line["event"] == event]
    return ended.returncode, told


def refused(module: Sequence[str], own: Mapping[str, str]) -> tuple[int, str]:
    """The exit status, and the one line of the log that says why."""
    status, (told,) = started(module, own, "cannot start")
    return status, told


@pytest.mark.parametrize("program", ["bff", "partner"])
def test_the_other_programs_database_is_refused(tmp_path: Path, program: str) -> None:
    """Exit status 2, and not a table is made there.

    A misspelt setting is one line of the log, with the nearest name, however many workers there are.
    """
    url, port = sqlite_url(tmp_path, OTHERS[program]), free_port()
    own = ENVIRONMENTS[program](tmp_path, NOBODY, port, url)
    own |= {f"{PREFIXES[program]}WORKER_S": "1", f"{PREFIXES[program]}WORKERS": "2"}
    status, (advice, *refusals) = started(MODULES[program], own, "unknown settings", "cannot start")
    assert "WORKER_S: is no setting, and is ignored; did you mean HITCHPOST_" in advice
    assert status == 2
    assert refusals
    for refusal in refusals:  # Each worker may say so before the other one has ended the program.
        assert "DATABASE_URL: this is the database of another program" in refusal
    engine = open_database(url)
    assert SCHEMAS[OTHERS[program]].fault(engine) is None
    engine.dispose()


@pytest.mark.one_database
def test_a_replaced_encryption_key_is_refused(world: World, third: ThirdParty) -> None:
    """Before anybody's connection is found to be lost."""
    Connection(world, third.offer(world)).connect()
    keys = f"k2:{base64.b64encode(b'0123456789abcdef' * 2).decode()}"
    own = grants_environment(world) | {
        "HITCHPOST_EMBEDDED_BIND": f"127.0.0.1:{free_port()}",
        "HITCHPOST_EMBEDDED_ENCRYPTION_KEYS": keys,
    }
    status, told = refused(MODULES["partner"], own)
    assert (status, "key 'k1', which is not here" in told) == (2, True)


def test_a68_a_faulty_product_file_stops_the_first_start(tmp_path: Path) -> None:
    """Each fault is one line of the log, as `check-config` prints it, and nothing of the insides beside it.

    Where nobody has been served yet, waiting would hide the fault: there is an exit status.
    """
    path = tmp_path / "faulty.toml"
    path.write_text('[[product]]\nkey = "shop"\nname = "Shop"\n')
    url = sqlite_url(tmp_path, "bff")
    own = bff_environment(tmp_path, NOBODY, free_port(), url)
    ended = subprocess.run(
        [sys.executable, "-m", "bff", "serve"],
        env=environment(own | {"HITCHPOST_PRODUCTS": str(path)}),
        capture_output=True,
        timeout=60,
        check=False,
    )
    lines = [json.loads(line) for line in ended.stdout.splitlines()]
    assert [(line["event"], line["error_text"], "error_at" in line) for line in lines] == [
        ("cannot start", f"{path}: shop: {key}: Field required", False) for key in ("origins", "connectors")
    ]
    assert (ended.returncode, ended.stderr) == (2, b"")


def test_an_address_that_is_another_programs_is_named_by_its_setting(tmp_path: Path) -> None:
    """In one line of the log. The exit status is 1: a supervisor may try again, as the other one may end.

    Each program tries for five seconds: all at the same time.
    """
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = f"127.0.0.1:{other.getsockname()[1]}"
        url = sqlite_url(tmp_path, "own")
        cases = [
            (prefix + name, MODULES[program], ENVIRONMENTS[program](tmp_path, NOBODY, free_port(), url))
            for program, prefix in PREFIXES.items()
            for name in ("BIND", "METRICS_BIND")
        ]
        with ThreadPoolExecutor(len(cases)) as pool:
            jobs = {
                setting: pool.submit(refused, module, own | {setting: taken})
                for setting, module, own in cases
            }
    for setting, job in jobs.items():
        status, told = job.result()
        assert status == 1
        assert told.startswith(f"{setting}: {taken} cannot be listened on: address already in use;")


@pytest.mark.parametrize("address", ["192.0.2.1:9101", "nowhere.invalid:9101", "[2001:db8::1]:9101"])
def test_an_address_of_another_machine_is_refused_at_the_start(tmp_path: Path, address: str) -> None:
    """Exit status 2: no new try can help (RFC 5737, 3849 and 6761: nobody has these)."""
    own = bff_environment(tmp_path, NOBODY, free_port(), sqlite_url(tmp_path, "own"))
    status, told = refused(MODULES["bff"], own | {"HITCHPOST_BIND": address})
    assert status == 2
    assert told.startswith(f"HITCHPOST_BIND: {address} cannot be listened on: ")
