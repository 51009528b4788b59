"""npm's ``oidc-provider``, run as a third party that others wrote."""

from __future__ import annotations

import contextlib
import fcntl
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent
CLIENT_ID: Final = "hitchpost-at-oidc"
CLIENT_SECRET: Final = "an oidc client's secret: with / & signs"


@contextlib.contextmanager
def run_oidc_provider(port: int, redirect_uri: str) -> Iterator[None]:
    """Run it on ``port`` until the block ends."""
    _install()
    node = shutil.which("node")
    assert node is not None, "the tests need Node.js 20 or newer"
    process = subprocess.Popen(
        [node, "server.mjs", str(port), CLIENT_ID, CLIENT_SECRET, redirect_uri],
        cwd=FOLDER,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield
    finally:
        process.terminate()
        process.wait(20)


def _install() -> None:
    # Workers of one run share the folder: the first one installs, the others wait for it.
    with (FOLDER / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = FOLDER / "node_modules" / ".installed"
        if not done.exists():
            npm = shutil.which("npm")
            assert npm is not None, "the tests need npm"
            command = [npm, "ci", "--silent", "--no-audit", "--no-fund"]
            subprocess.run(command, cwd=FOLDER, check=True, stdout=subprocess.DEVNULL)
            done.touch()
