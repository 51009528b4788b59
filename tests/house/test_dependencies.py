"""What the product is made of: no release with a known fault, nothing unpinned, all of it on a list."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path
from typing import Any, Final

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT: Final = Path(__file__).parents[2]
TABLE: Final[dict[str, Any]] = tomllib.loads(
    (Path(__file__).parent / "minimum_versions.toml").read_text(encoding="utf-8")
)
FLOORS: Final = {name: Version(entry["at_least"]) for name, entry in TABLE["floor"].items()}
NODE_LOCKS: Final = ("package-lock.json", "tests/support/oidc_provider/package-lock.json")
PUBLIC_NODE_REGISTRY: Final = "https://registry.npmjs.org/"


def direct() -> list[Requirement]:
    """What pyproject.toml asks for, extras included."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = [text for extra in project["optional-dependencies"].values() for text in extra]
    return [Requirement(text) for text in [*project["dependencies"], *extras]]


def locked() -> dict[str, str]:
    """Each requirement of requirements.lock: its name, and all that stands for it, hashes included."""
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8").replace("\\\n", " ")
    entries = [
        line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")
    ]
    return {canonicalize_name(re.split(r"[\s=\[@;]", entry)[0]): entry for entry in entries}


def pinned(entry: str) -> Version:
    """The one release that an entry of the lock allows."""
    match = re.match(r"[\w.\-\[\],]+==([^\s;]+)", entry)
    assert match, f"not pinned: {entry[:80]}"
    return Version(match[1])


@pytest.mark.parametrize("name", FLOORS)
def test_a64_no_package_is_older_than_its_floor(name: str) -> None:
    """Neither what runs here nor what is pinned has the faults that the table names."""
    assert Version(metadata.version(name)) >= FLOORS[name], TABLE["floor"][name]["why"]
    assert pinned(locked()[name]) >= FLOORS[name], TABLE["floor"][name]["why"]


def test_a64_every_direct_dependency_has_a_floor() -> None:
    """A dependency comes in with the reason for its oldest release, and pyproject.toml allows none older."""
    for wanted in direct():
        name = canonicalize_name(wanted.name)
        assert name in FLOORS, f"{name}: write its floor and the reason into minimum_versions.toml"
        lowest = min(Version(part.version) for part in wanted.specifier if part.operator == ">=")
        assert lowest >= FLOORS[name], f"{name}: pyproject.toml allows {lowest}"
    assert all(entry["why"] for entry in TABLE["floor"].values())


def test_a64_what_was_found_wanting_is_not_installed() -> None:
    """A rejected package comes in by no other package's wish either."""
    assert not set(TABLE["rejected"]) & set(locked())


def test_a64_every_python_package_is_pinned_with_hashes() -> None:
    """One release of each, whose content is known; from the registry, by no address of its own."""
    entries = locked()
    assert set(map(canonicalize_name, (wanted.name for wanted in direct()))) <= set(entries)
    for name, entry in entries.items():
        assert not name.startswith("-"), f"an option in requirements.lock: {entry}"
        assert "://" not in entry, entry
        pinned(entry)
        hashes = re.findall(r"--hash=sha256:([0-9a-f]{64})\b", entry)
        assert hashes, f"{name} has no hash"
        assert entry.count("--hash") == len(hashes), f"{name} has a hash of another kind"


@pytest.mark.parametrize("path", NODE_LOCKS)
def test_a64_every_node_package_is_pinned_with_its_integrity(path: str) -> None:
    """Each by SHA-512, and from no host but the public registry."""
    packages = json.loads((ROOT / path).read_text(encoding="utf-8"))["packages"]
    installed = {name: entry for name, entry in packages.items() if name}
    assert installed
    for name, entry in installed.items():
        assert re.fullmatch(r"sha512-[A-Za-z0-9+/]{86}==", entry.get("integrity", "")), name
        assert entry.get("resolved", PUBLIC_NODE_REGISTRY).startswith(PUBLIC_NODE_REGISTRY), name


def test_a64_a_bill_of_materials_names_the_direct_dependencies(tmp_path: Path) -> None:
    """CycloneDX, as ``make sbom`` writes it: the product, what it asks for, and what that asks for."""
    path = tmp_path / "sbom.json"
    recipe = re.search(r"cyclonedx-py (.+) -o ", (ROOT / "Makefile").read_text(encoding="utf-8"))
    assert recipe
    # Its own check of what it wrote takes half a minute of processor, and is the tool's matter.
    options = [*recipe[1].split(), "--no-validate", "-o", str(path)]
    command = [sys.executable, "-m", "cyclonedx_py", *options, sys.executable]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=170)
    bill = json.loads(path.read_text(encoding="utf-8"))
    product = bill["metadata"]["component"]
    assert product["name"] == "hitchpost"
    asked = next(entry for entry in bill["dependencies"] if entry["ref"] == product["bom-ref"])["dependsOn"]
    names = {canonicalize_name(reference.partition("==")[0]) for reference in asked}
    assert names == {canonicalize_name(wanted.name) for wanted in direct()}
    listed = {component["bom-ref"] for component in bill["components"]}
    assert set(asked) <= listed
    assert all(component["version"] for component in bill["components"])


def test_a64_an_audit_that_cannot_see_is_no_clean_audit() -> None:
    """Without --strict, pip-audit skips what it cannot look up, and calls that clean."""
    recipe = re.search(r"^audit:.*\n\t(.+)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert recipe
    assert "pip-audit" in recipe[1]
    assert "--strict" in recipe[1].split()
    assert "||" not in recipe[1]
    assert not recipe[1].startswith("-")
