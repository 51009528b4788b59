"""How the package is built: the version of each build, and what lies beside the package in a checkout."""

from __future__ import annotations

import hashlib
import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).resolve().parent
BASE = "0.1.0"
"""The release that is being worked on; the tag ``v{BASE}`` is on its commit."""
CHOSEN = "HITCHPOST_BUILD_VERSION"
"""A variable with the version to build, for builds whose sources have no history (an image, say)."""
SOURCES = ("bff", "templates", "static", "pyproject.toml")

INCLUDED = {
    "templates": "bff/_templates",
    "static/pages": "bff/_static/pages",
    "static/studio": "bff/_static/studio",
    "static/demo": "bff/_static/demo",
    "static/partner": "bff/_static/partner",
    "static/widget/dist": "bff/_static/widget/dist",
}


def version() -> str:
    """The version of what lies here (PEP 440), the same each time: no two builds that differ share one.

    The release at its tag; at any other commit ``{BASE}.post{time of the commit}+g{commit}``, so that a newer
    build replaces an older one, also from a shallow clone; with what the sources hold where there is no
    history. (A source distribution has its version in PKG-INFO, and this is not asked.)
    """
    if chosen := os.environ.get(CHOSEN, "").strip():
        return chosen
    if _git("rev-parse", "--show-toplevel") != str(ROOT):
        return f"{BASE}+src.{_digest(_sources())}"
    changed = _git("diff", "HEAD", "--binary")
    dirty = f".d{_digest(changed.encode())}" if changed else ""
    commit, when = (_git("log", "-1", "--format=%H %ct") or "0 0").split()
    if not dirty and f"v{BASE}" in (_git("tag", "--points-at", "HEAD") or "").split():
        return BASE
    return f"{BASE}.post{datetime.fromtimestamp(int(when), UTC):%Y%m%d%H%M%S}+g{commit[:10]}{dirty}"


def _git(*arguments: str) -> str | None:
    """What git says; None without git, or where this is no checkout."""
    try:
        told = subprocess.run(["git", "-C", str(ROOT), *arguments], capture_output=True, check=False)  # noqa: S603, S607
    except OSError:
        return None
    return told.stdout.decode(errors="replace").strip() if told.returncode == 0 else None


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:10]


def _sources() -> bytes:
    """Names and contents of all that is built from, in one order."""
    found = [path for name in SOURCES for path in (ROOT / name, *(ROOT / name).rglob("*")) if path.is_file()]
    kept = sorted(path for path in found if "__pycache__" not in path.parts)
    return b"".join(
        str(path.relative_to(ROOT)).encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest()
        for path in kept
    )


class CustomBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """An editable install reads the checkout itself and needs none of this."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Raises ``RuntimeError`` when the widget is not built: a wheel without it would serve nothing."""
        if version == "editable":
            return
        root = Path(self.root)
        if not (root / "static/widget/dist/hitchpost.js").is_file():
            raise RuntimeError("the widget is not built; run `make build` first")
        build_data["force_include"] |= {str(root / source): target for source, target in INCLUDED.items()}
