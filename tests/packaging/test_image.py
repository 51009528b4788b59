"""What gets into the container image, read from the files that say so."""

from __future__ import annotations

import re
from fnmatch import fnmatch
from pathlib import Path
from typing import Final

import pytest
from packaging.utils import canonicalize_name

from tests.house.test_dependencies import direct

ROOT: Final = Path(__file__).parents[2]
DOCKERFILE: Final = (ROOT / "deploy/Dockerfile").read_text().replace("\\\n", " ")


def gets_in(path: str) -> bool:
    """Whether ``.dockerignore`` lets a file into the build; its last line that fits decides."""
    inside = True
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        pattern = line.strip()
        if not pattern or pattern.startswith("#"):
            continue
        ends = not pattern.startswith("!")
        wanted = pattern.removeprefix("!").removeprefix("**/")
        parts = path.split("/")
        places = ["/".join(parts[: count + 1]) for count in range(len(parts))]
        if "**/" in pattern:
            places = parts
        if any(fnmatch(place, wanted) for place in places):
            inside = not ends
    return inside


@pytest.mark.parametrize(
    "path",
    [
        ".git/config", ".demo/demo.json", "tests/conftest.py", "deploy/secrets/secret_keys", ".env",
        "node_modules/x/y.js", ".venv/bin/python", "bff/__pycache__/app.pyc", "hitchpost.db", "bench/web.py",
    ],
)  # fmt: skip
def test_history_secrets_and_tests_stay_out(path: str) -> None:
    """They are in no layer, not even in one that another layer hides."""
    assert not gets_in(path)


@pytest.mark.parametrize(
    "path",
    ["bff/app.py", "templates/error.html", "static/widget/dist/hitchpost.js", "static/pages/opening.js",
     "pyproject.toml", "hatch_build.py", "README.md", "deploy/requirements.lock", "deploy/build.lock"],
)  # fmt: skip
def test_what_the_package_is_made_from_gets_in(path: str) -> None:
    """Without it the image would not be built, or would serve nothing."""
    assert gets_in(path)


def test_every_package_is_installed_with_its_hash() -> None:
    """Nothing comes from a registry without a known content, and the wheel brings nothing along."""
    installs = re.findall(r"pip (?:install|wheel) ([^&\n]+)", DOCKERFILE)
    assert installs
    for install in installs:
        assert "--require-hashes" in install or "--no-deps" in install, install


def test_the_image_has_what_was_tested() -> None:
    """Each package of the image is in the release that the tests run with, with its hashes."""
    ours = (ROOT / "requirements.lock").read_text()
    for name in ("requirements", "build"):
        text = (ROOT / f"deploy/{name}.lock").read_text().replace("\\\n", " ")
        entries = [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]
        assert entries
        for entry in entries:
            assert "--hash=sha256:" in entry
            assert f"\n{entry.split()[0]} " in f"\n{ours}", entry
    there = (ROOT / "deploy/requirements.lock").read_text()
    for wanted in direct():
        assert f"\n{canonicalize_name(wanted.name)}==" in f"\n{there}" or "opentelemetry" in wanted.name


def test_the_last_layer_has_no_tool_and_no_source() -> None:
    """It copies what was installed from the layer before, and nothing of the checkout."""
    last = DOCKERFILE.rsplit("FROM ", 1)[1]
    assert "COPY . " not in last
    assert "USER hitchpost" in last
