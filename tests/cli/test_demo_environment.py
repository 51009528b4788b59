"""The demo's folder, and commands that work on the demo."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bff.cli.main import main
from bff.demo.lock import locked
from bff.demo.plan import make_plan, write_environment, write_files


def test_commands_work_on_the_demo_with_its_environment(tmp_path: Path) -> None:
    """Its file, read by a shell, is all that they need; nobody else may read its secrets."""
    folder = tmp_path / "with a blank"
    plan = make_plan({"HITCHPOST_DEMO_DIR": str(folder), "HITCHPOST_DEMO_PORT": "9000"})
    write_files(plan)
    write_environment(plan)
    assert (folder / "env").stat().st_mode & 0o077 == 0
    script = '. "$1/env" && "$2" -m bff products apply "$1/products.toml" && "$2" -m bff webhooks list'
    done = subprocess.run(
        ["/bin/sh", "-c", script, "sh", str(folder), sys.executable],
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "http://localhost:9000/hitchpost" in done.stdout


def test_a_second_demo_in_the_folder_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It would replace the files of the one that runs. It leaves them as they are."""
    monkeypatch.setenv("HITCHPOST_DEMO_DIR", str(tmp_path))
    monkeypatch.setenv("HITCHPOST_DEMO_PORT", "1")
    with locked(tmp_path):
        assert main(["demo"]) == 2
    told = f"HITCHPOST_DEMO_DIR: the demo in {tmp_path} is running; stop it, or set another folder"
    assert told in capsys.readouterr().err.splitlines()
    assert not (tmp_path / "products.toml").exists()


def test_a_demo_that_was_killed_locks_nobody_out(tmp_path: Path) -> None:
    """Its file stays, its lock does not."""
    script = "import sys, time; from pathlib import Path; from bff.demo.lock import locked\n"
    script += "with locked(Path(sys.argv[1])): print('locked', flush=True); time.sleep(60)"
    holder = subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE)
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"locked\n"
        with locked(tmp_path) as is_ours:
            assert not is_ours
        holder.kill()
    with locked(tmp_path) as is_ours:
        assert is_ours
