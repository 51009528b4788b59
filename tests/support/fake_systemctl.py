"""Stands in for systemctl where no systemd runs: reads the unit files, and runs what they say.

``fake_systemctl.py ROOT ACTION [UNIT...]``. Of a unit it takes EnvironmentFile, ExecStart and ExecReload;
main processes are remembered in ROOT/run. nginx, whose unit comes with Debian, is run as its own program.
"""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

PATIENCE = 60.0


def assignments(root: Path, name: str) -> list[tuple[str, str]]:
    """The settings of a unit, in order."""
    text = (root / f"etc/systemd/system/{name}.service").read_text()
    lines = [line.partition("=") for line in text.splitlines() if "=" in line and not line.startswith("#")]
    return [(key, value) for key, _, value in lines]


def unit(root: Path, name: str) -> dict[str, str]:
    """The settings of a unit that are used here; the last of several stands."""
    return dict(assignments(root, name))


def environment(root: Path, unit_name: str) -> dict[str, str]:
    """Every EnvironmentFile, later over earlier, on top of what systemd gives: almost nothing."""
    given = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    for path in (value for key, value in assignments(root, unit_name) if key == "EnvironmentFile"):
        for line in Path(path).read_text().splitlines():
            name, _, value = line.partition("=")
            given[name] = shlex.split(value)[0] if value else ""
    return given


def start(root: Path, name: str) -> None:
    """Start a unit's main process."""
    said = unit(root, name)
    log = (root / f"run/{name}.log").open("ab")
    process = subprocess.Popen(
        shlex.split(said["ExecStart"]),
        env=environment(root, name),
        cwd=said["WorkingDirectory"],
        stdout=log,
        stderr=log,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )
    (root / f"run/{name}.pid").write_text(str(process.pid))


def main_process(root: Path, name: str) -> int | None:
    """The id of a unit's main process, if it runs."""
    path = root / f"run/{name}.pid"
    if not path.is_file():
        return None
    number = int(path.read_text())
    try:
        state = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return None
    return None if state == "Z" else number


def stop(root: Path, name: str) -> None:
    """SIGTERM to the main process (KillMode=mixed), and wait for its end."""
    assert unit(root, name)["KillMode"] == "mixed"
    number = main_process(root, name)
    if number is None:
        return
    os.kill(number, signal.SIGTERM)
    until = time.monotonic() + PATIENCE
    while main_process(root, name) is not None:
        if time.monotonic() > until:
            sys.exit(f"{name} does not stop")
        time.sleep(0.05)


def reload(root: Path, name: str) -> None:
    """ExecReload; of nginx, its own."""
    if name == "nginx":
        pid = root / "run/nginx.pid"
        running = pid.is_file() and pid.read_text()  # `nginx -t` leaves an empty one.
        subprocess.run(["nginx", *(["-s", "reload"] if running else [])], check=True)
        return
    command = unit(root, name)["ExecReload"].replace("$MAINPID", str(main_process(root, name)))
    subprocess.run(shlex.split(command), check=True)


def main() -> None:
    """Run one action."""
    root, action, *names = Path(sys.argv[1]), *sys.argv[2:]
    if action == "daemon-reload":
        return
    for name in (name for name in names if not name.startswith("--")):
        if action in {"stop", "restart"}:
            stop(root, name)
        if action in {"enable", "start", "restart"}:
            start(root, name)
        if action == "reload":
            reload(root, name)


if __name__ == "__main__":
    main()
