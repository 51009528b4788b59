"""Commands that work on the demo."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

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
