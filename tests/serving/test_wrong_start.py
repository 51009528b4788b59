"""A program that is started with what is another's ends at once, and says which setting it is."""

from __future__ import annotations

import base64
import json
import socket
import subprocess
import sys
from collections.abc import Mapping
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


def started(
    module: list[str], own: Mapping[str, str], event: str = "cannot start", field: str = "error_text"
) -> tuple[int, str]:
    """The exit status, and the one line of the log that says why, or another."""
    ended = subprocess.run(
        [sys.executable, "-m", *module], env=environment(own), capture_output=True, timeout=60, check=False
    )
    lines = [json.loads(line) for line in ended.stdout.splitlines()]
    (told,) = [line[field] for line in lines if line["event"] == event]
    return ended.returncode, str(told)


@pytest.mark.parametrize("program", ["bff", "partner"])
def test_the_other_programs_database_is_refused(tmp_path: Path, program: str) -> None:
    """Exit status 2, and not a table is made there."""
    url, port = sqlite_url(tmp_path, OTHERS[program]), free_port()
    if program == "bff":
        own = bff_environment(tmp_path, "http://127.0.0.1:9", port, url)
        status, told = started(["bff", "serve"], own)
    else:
        own = partner_environment(tmp_path, "http://127.0.0.1:9", port, url)
        status, told = started(["bff.partner", "serve"], own)
    assert status == 2
    assert "DATABASE_URL: this is the database of another program" in told
    engine = open_database(url)
    assert SCHEMAS[OTHERS[program]].fault(engine) is None
    engine.dispose()


@pytest.mark.parametrize("program", ["bff", "partner"])
def test_a_misspelt_setting_is_one_line_of_the_log(tmp_path: Path, program: str) -> None:
    """Once, however many workers there are, with the nearest name."""
    url, port = sqlite_url(tmp_path, OTHERS[program]), free_port()  # So that it ends at once.
    if program == "bff":
        own = bff_environment(tmp_path, "http://127.0.0.1:9", port, url)
        own |= {"HITCHPOST_WORKER_S": "1", "HITCHPOST_WORKERS": "2"}
        _, told = started(["bff", "serve"], own, "unknown settings", "advice")
    else:
        own = partner_environment(tmp_path, "http://127.0.0.1:9", port, url)
        own |= {"HITCHPOST_EMBEDDED_WORKER_S": "1", "HITCHPOST_EMBEDDED_WORKERS": "2"}
        _, told = started(["bff.partner", "serve"], own, "unknown settings", "advice")
    assert "WORKER_S: is no setting, and is ignored; did you mean HITCHPOST_" in told


def test_a_replaced_encryption_key_is_refused(world: World, third: ThirdParty) -> None:
    """Before anybody's connection is found to be lost."""
    Connection(world, third.offer(world)).connect()
    keys = f"k2:{base64.b64encode(b'0123456789abcdef' * 2).decode()}"
    own = grants_environment(world) | {
        "HITCHPOST_EMBEDDED_BIND": f"127.0.0.1:{free_port()}",
        "HITCHPOST_EMBEDDED_ENCRYPTION_KEYS": keys,
    }
    status, told = started(["bff.partner", "serve"], own)
    assert (status, "key 'k1', which is not here" in told) == (2, True)


def test_each_fault_of_a_file_is_one_line_of_the_log(tmp_path: Path) -> None:
    """As `check-config` prints it, and nothing of the program's insides beside it."""
    path = tmp_path / "faulty.toml"
    path.write_text('[[product]]\nkey = "shop"\nname = "Shop"\n')
    url = sqlite_url(tmp_path, "bff")
    own = bff_environment(tmp_path, "http://127.0.0.1:9", free_port(), url)
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


@pytest.mark.parametrize("name", ["BIND", "METRICS_BIND"])
@pytest.mark.parametrize("program", ["bff", "partner"])
def test_an_address_that_is_another_programs_is_named_by_its_setting(
    tmp_path: Path, program: str, name: str
) -> None:
    """In one line of the log. The exit status is 1: a supervisor may try again, as the other one may end."""
    url, port = sqlite_url(tmp_path, "own"), free_port()
    prefix = "HITCHPOST_" if program == "bff" else "HITCHPOST_EMBEDDED_"
    make = bff_environment if program == "bff" else partner_environment
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = f"127.0.0.1:{other.getsockname()[1]}"
        own = make(tmp_path, "http://127.0.0.1:9", port, url) | {f"{prefix}{name}": taken}
        status, told = started(["bff" if program == "bff" else "bff.partner", "serve"], own)
    assert (status, told.partition(";")[0]) == (
        1,
        f"{prefix}{name}: {taken} cannot be listened on: address already in use",
    )


@pytest.mark.parametrize("address", ["192.0.2.1:9101", "nowhere.invalid:9101", "[2001:db8::1]:9101"])
def test_an_address_of_another_machine_is_refused_at_the_start(tmp_path: Path, address: str) -> None:
    """Exit status 2: no new try can help (RFC 5737, 3849 and 6761: nobody has these)."""
    own = bff_environment(tmp_path, "http://127.0.0.1:9", free_port(), sqlite_url(tmp_path, "own"))
    status, told = started(["bff", "serve"], own | {"HITCHPOST_BIND": address})
    assert status == 2
    assert told.startswith(f"HITCHPOST_BIND: {address} cannot be listened on: ")
