"""What the bench needs beside the product: the peers, pinned, in ``.build/bench``; wrk by apt."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
PEERS: Final = ROOT / "bench/peers"
BUILD: Final = ROOT / ".build/bench"
PROGRAMS: Final = ("wrk", "node", "npm")


class NotInstalled(Exception):
    """Something that the bench needs is not there and cannot be brought."""


@dataclass(frozen=True)
class Installed:
    """``python`` has the peers' packages, and ``node_modules`` theirs."""

    python: Path
    node_modules: Path


def install() -> Installed:
    """Bring everything; quick when it is there. Raises ``NotInstalled``."""
    subprocess.run([ROOT / "scripts/install-packages"], check=True)
    if lacking := [name for name in PROGRAMS if shutil.which(name) is None]:
        raise NotInstalled(f"the bench needs {', '.join(lacking)}; see CONTRIBUTING.md")
    venv, node = BUILD / "venv", BUILD / "node"
    _once(venv, [PEERS / "requirements.txt"], lambda: _install_python(venv))
    _once(node, [PEERS / "package.json", PEERS / "package-lock.json"], lambda: _install_node(node))
    return Installed(venv / "bin/python", node / "node_modules")


def _install_python(venv: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", venv], check=True)
    options = ("--quiet", "--disable-pip-version-check", "--require-hashes")
    subprocess.run(
        [venv / "bin/python", "-m", "pip", "install", *options, "-r", PEERS / "requirements.txt"], check=True
    )


def _install_node(node: Path) -> None:
    node.mkdir(parents=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(PEERS / name, node)
    options = ("--silent", "--no-audit", "--no-fund", "--ignore-scripts")
    subprocess.run(["npm", "ci", *options], cwd=node, check=True)


def _once(folder: Path, pins: list[Path], make: Callable[[], None]) -> None:
    """Make ``folder`` anew when the pins are not those that it was made from."""
    wanted = hashlib.sha256(b"".join(pin.read_bytes() for pin in pins)).hexdigest()
    stamp = folder / ".installed"
    if stamp.exists() and stamp.read_text() == wanted:
        return
    print(f"setting up the bench's peers in {folder.relative_to(ROOT)}", flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    make()
    stamp.write_text(wanted)
