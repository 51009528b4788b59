"""Where a run took place, and which versions it compared: what makes its figures worth repeating."""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

from bench.install import PEERS, Installed

OURS: Final = ("flask", "werkzeug", "gunicorn", "requests", "sqlalchemy", "psycopg")
PROGRAMS: Final = {
    "wrk": ("wrk", "--version"),
    "node": ("node", "--version"),
    "nginx": ("nginx", "-v"),
    "redis-server": ("redis-server", "--version"),
    "chromium": ("chromium", "--version"),
    "firefox": ("firefox-esr", "--version"),
}
NUMBER: Final = re.compile(r"\d+(?:\.\d+)+")


def machine() -> dict[str, str]:
    """Cores, processor, memory, kernel: nothing that names the machine or its owner."""
    return {
        "cores": str(os.cpu_count()),
        "processor": _processor(),
        "memory": f"{memory_bytes() / 2**30:.0f} GiB",
        "kernel": f"{platform.system()} {platform.release()}",
    }


def memory_bytes() -> int:
    """How much memory this machine has."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def versions(installed: Installed) -> dict[str, str]:
    """The version of everything that takes part, by its name; what is not here is left out."""
    return dict(_own()) | dict(_peers(installed)) | dict(_programs())


def _own() -> Iterator[tuple[str, str]]:
    yield "Hitchpost", _package("hitchpost")
    yield "Python", platform.python_version()
    yield "SQLite", sqlite3.sqlite_version
    for name in OURS:
        yield f"{name} (Hitchpost's)", _package(name)


def _peers(installed: Installed) -> Iterator[tuple[str, str]]:
    wanted = [re.split(r"[\[=<>~ ]", line)[0] for line in (PEERS / "requirements.in").read_text().split()]
    command: list[str | Path] = [
        installed.python,
        "-m",
        "pip",
        "list",
        "--format=json",
        "--disable-pip-version-check",
    ]
    found = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    have = {package["name"].lower(): package["version"] for package in found}
    yield from ((f"{name} (peers')", have[name.lower()]) for name in wanted if name.lower() in have)
    package: Mapping[str, str] = json.loads((PEERS / "package.json").read_text())["dependencies"]
    yield from package.items()


def _programs() -> Iterator[tuple[str, str]]:
    servers = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    programs = PROGRAMS | ({"PostgreSQL": (str(servers[-1]), "--version")} if servers else {})
    for name, command in programs.items():
        if shutil.which(command[0]) and (found := NUMBER.search(_said(command))):
            yield name, found[0]


def _said(command: tuple[str, ...]) -> str:
    # Some tell their version on the error output, and end with another status than 0.
    ended = subprocess.run(
        command, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=30
    )
    return ended.stdout


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _package(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
