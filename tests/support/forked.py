"""Commands of ``hitchpost``, each in a fork of one interpreter that has loaded them: a start takes a second.

``python -m tests.support.forked`` reads a call a line, and answers with its exit status. A fork runs ``python
-m bff`` from its first line to the interpreter's own end; only what the interpreter does before is left out.
"""

from __future__ import annotations

import contextlib
import json
import os
import runpy
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[2]


@dataclass(frozen=True)
class Commands:
    """The interpreter that is forked. ``folder`` is where standard error goes."""

    process: subprocess.Popen[str]
    folder: Path

    def run(
        self,
        arguments: list[str],
        environment: Mapping[str, str],
        output: str | None = None,
        encoding: str = "utf-8",
    ) -> tuple[int, str]:
        """The exit status, and all complaints. ``output``: the file that takes what is printed.

        Without one it is a pipe that nobody reads. ``encoding`` is the one of a terminal.
        """
        errors = self.folder / "errors"
        call = {"arguments": arguments, "environment": dict(environment), "output": output}
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(call | {"errors": str(errors), "encoding": encoding}) + "\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline()), errors.read_text()


@contextlib.contextmanager
def forked(folder: Path) -> Iterator[Commands]:
    """Start that interpreter; it ends with the block."""
    with subprocess.Popen(
        [sys.executable, "-m", __spec__.name],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield Commands(process, folder)


def _calls() -> Iterator[dict[str, Any]]:
    """Each call, in a process of its own; the first one takes them and waits for their ends."""
    for line in sys.stdin:
        if not (child := os.fork()):
            yield json.loads(line)
            return
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


def _become(call: dict[str, Any]) -> None:
    """Make this process the one that a shell would have started."""
    os.environ.clear()
    os.environ.update(call["environment"])
    sys.argv[1:] = call["arguments"]
    if call["output"] is None:
        reading, writing = os.pipe()
        os.close(reading)
    else:
        writing = _to(call["output"])
    for standing, now in ((0, os.open(os.devnull, os.O_RDONLY)), (1, writing), (2, _to(call["errors"]))):
        os.dup2(now, standing)
        os.close(now)
    assert isinstance(sys.stdout, sys.__stdout__.__class__)
    sys.stdout.reconfigure(encoding=call["encoding"])


def _to(path: str) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)


if __name__ == "__main__":
    import bff.cli.commands  # noqa: F401  # What each command would load by itself.

    for one in _calls():
        _become(one)
        runpy.run_module("bff", run_name="__main__", alter_sys=True)
