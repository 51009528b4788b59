"""The whole product as a user starts it: `hitchpost demo`, in a folder and on ports of its own."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from bff.testing import Running as Stack
from bff.testing import run_hitchpost

__all__ = ["ROOT", "Stack", "invite", "run_demo"]

ROOT: Final = Path(__file__).parents[2]


@contextlib.contextmanager
def run_demo(folder: Path, environment: Mapping[str, str] | None = None) -> Iterator[Stack]:
    """Run the demo until the block ends. Raises ``DidNotStart`` with its output."""
    with run_hitchpost(folder=folder, environment=environment) as running:
        yield running


def invite(stack: Stack, email: str) -> str:
    """The link that ``hitchpost studio invite`` prints."""
    ours = {
        "HITCHPOST_PUBLIC_URL": stack.bff,
        "HITCHPOST_DATABASE_URL": f"sqlite:///{stack.folder / 'bff.db'}",
    }
    command = [sys.executable, "-m", "bff", "studio", "invite", email, "--product", stack.product]
    told = subprocess.run(
        [*command, "--role", "publisher"],
        env=os.environ | ours,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    link, mail = told.stdout.splitlines()
    assert mail.startswith(f"mailto:{email}?subject=")
    return link
