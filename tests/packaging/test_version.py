"""Each build has a version of its own, with and without a history, and says it."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest
from packaging.version import Version

from bff.cli.main import main as hitchpost
from bff.partner.__main__ import main as partner
from bff.serving.version import own_version

ROOT = Path(__file__).parents[2]


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Sources of their own, without a history yet."""
    monkeypatch.delenv("HITCHPOST_BUILD_VERSION", raising=False)
    shutil.copy(ROOT / "hatch_build.py", tmp_path)
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    (tmp_path / "bff").mkdir()
    (tmp_path / "bff/app.py").write_text("first\n")
    return tmp_path


def version_of(folder: Path) -> str:
    """What a build there would be called."""
    spec = importlib.util.spec_from_file_location("its_build", folder / "hatch_build.py")
    assert spec is not None
    assert spec.loader is not None
    module: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return str(Version(module.version()))


def commit(folder: Path, when: str) -> None:
    """All that is there, at a time."""
    who = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"]
    time = {"GIT_COMMITTER_DATE": when, "GIT_AUTHOR_DATE": when, "PATH": "/usr/bin:/bin", "HOME": str(folder)}
    for arguments in (["init", "-q"], ["add", "-A"], [*who, "commit", "-q", "-m", "change"]):
        subprocess.run(["git", "-C", str(folder), *arguments], env=time, check=True)


def test_a_later_commit_is_a_later_version(checkout: Path) -> None:
    """The same commit is the same version each time; one that is being changed is another."""
    (checkout / ".gitignore").write_text("__pycache__\n")
    commit(checkout, "2026-01-01T00:00:00Z")
    first = version_of(checkout)
    assert version_of(checkout) == first
    (checkout / "bff/app.py").write_text("second\n")
    assert version_of(checkout) != first
    commit(checkout, "2026-01-02T00:00:00Z")
    assert Version(version_of(checkout)) > Version(first) > Version("0.1.0")


def test_a_tagged_commit_is_the_release(checkout: Path) -> None:
    """Nothing is added to it."""
    (checkout / ".gitignore").write_text("__pycache__\n")
    commit(checkout, "2026-01-01T00:00:00Z")
    subprocess.run(["git", "-C", str(checkout), "tag", "v0.1.0"], check=True)
    assert version_of(checkout) == "0.1.0"


def test_without_a_history_it_follows_from_the_sources(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or is what the build was told, as an image's is."""
    first = version_of(checkout)
    assert version_of(checkout) == first
    (checkout / "bff/app.py").write_text("second\n")
    assert version_of(checkout) != first
    monkeypatch.setenv("HITCHPOST_BUILD_VERSION", "0.1.0.post7")
    assert version_of(checkout) == "0.1.0.post7"


@pytest.mark.parametrize("run", [hitchpost, partner], ids=["bff", "partner"])
def test_a_program_says_which_it_is(run: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """`--version`."""
    with pytest.raises(SystemExit) as ended:
        run(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"hitchpost {own_version()}\n"


def test_a_source_distribution_keeps_its_version(tmp_path: Path) -> None:
    """What is built from it, without any history, is called as it is; a wheel says the same."""
    build = [sys.executable, "-m", "hatchling", "build", "--directory"]
    subprocess.run([*build, str(tmp_path), "--target", "sdist"], cwd=ROOT, check=True, capture_output=True)
    (packed,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(packed) as archive:
        archive.extractall(tmp_path, filter="data")
    sources = tmp_path / packed.name.removesuffix(".tar.gz")
    wheel = [*build, str(tmp_path), "--target", "wheel"]
    subprocess.run(wheel, cwd=sources, check=True, capture_output=True, env={"PATH": "/nowhere"})
    (built,) = tmp_path.glob("*.whl")
    assert built.name.split("-")[1] == packed.name.removeprefix("hitchpost-").removesuffix(".tar.gz")
