"""The wheel carries all that the programs read at run time."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout, unpacked."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as packed:
        packed.extractall(folder / "site")
    return folder / "site"


def test_the_programs_find_their_files_in_the_wheel(wheel: Path) -> None:
    """Templates, styles, scripts, the widget and the demo's catalogue are found from inside the wheel."""
    code = (
        "import bff.resources as r, bff.partner.resources as p, bff.demo.plan as d;"
        "files = [r.TEMPLATES / 'hitchpost/opening.html', r.PAGE_ASSETS / 'opening.js',"
        " r.WIDGET / 'hitchpost.js', r.WIDGET / 'manifest.json', r.DEMO_ASSETS / 'demo.js',"
        " p.TEMPLATES / 'sandbox/consent.html', p.ASSETS / 'finished.js', d.CATALOGUE];"
        "print(r.__file__, *[f for f in files if not f.is_file()], sep='\\n')"
    )
    environment = {**os.environ, "PYTHONPATH": str(wheel)}
    told = subprocess.run(
        [sys.executable, "-P", "-c", code],
        cwd=wheel,
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    assert told.stdout.splitlines() == [str(wheel / "bff/resources.py")]


def test_the_wheel_has_the_migrations_and_the_types(wheel: Path) -> None:
    """What alembic runs, the marker that type checkers look for, and the providers that ship."""
    assert list((wheel / "bff/storage/migrations/versions").glob("0001*.py"))
    assert (wheel / "bff/py.typed").is_file()
    assert (wheel / "bff/partner/providers/shipped/crm.toml").is_file()
    assert "hitchpost = bff.__main__:main" in next(wheel.glob("*.dist-info/entry_points.txt")).read_text()
