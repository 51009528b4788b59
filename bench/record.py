"""``results.json``: what every run of one state found out about every goal."""

from __future__ import annotations

import hashlib
import json
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from bench.results import Outcome, outcome_of

ROOT: Final = Path(__file__).parents[1]
RESULTS: Final = ROOT / ".build/bench/results.json"
UNMEASURED: Final = ("docs", "tests", "*.md")
"""What is no part of what is measured. The first of them a run writes itself."""


@dataclass
class Record:
    """Outcomes by the goal's number, and why others have none.

    ``commit`` is the first one that was measured; ``state`` tells whether another one measures the same.
    """

    commit: str
    day: str
    """The date of the last measurement, ``2026-11-24``."""
    machine: dict[str, str] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    runs: dict[int, list[Outcome]] = field(default_factory=dict)
    """What each run found, the last one last."""
    state: str = ""
    broken: dict[int, str] = field(default_factory=dict)
    """What went wrong where a measurement gave no outcome: such a goal is neither met nor missed."""

    @property
    def outcomes(self) -> dict[int, Outcome]:
        """What the last run found."""
        return {number: runs[-1] for number, runs in self.runs.items()}

    def add(self, outcome: Outcome) -> None:
        """A new outcome stands beside those before it, and takes the place of what was broken."""
        self.runs.setdefault(outcome.number, []).append(outcome)
        self.broken.pop(outcome.number, None)

    def fail(self, number: int, reason: str) -> None:
        """A measurement broke: what an earlier one found is not shown in its place."""
        self.broken[number] = reason
        self.runs.pop(number, None)

    def save(self, path: Path = RESULTS) -> None:
        """Write it whole or not at all."""
        document = {
            "commit": self.commit,
            "state": self.state,
            "day": self.day,
            "machine": self.machine,
            "versions": self.versions,
            "outcomes": [one.as_json() for number in sorted(self.runs) for one in self.runs[number]],
            "broken": {str(number): self.broken[number] for number in sorted(self.broken)},
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        part.write_text(json.dumps(document, indent=1) + "\n")
        part.replace(path)


def read_record(path: Path = RESULTS) -> Record:
    """What ``save`` wrote. Raises ``FileNotFoundError``."""
    document: dict[str, Any] = json.loads(path.read_text())
    record = Record(document["commit"], document["day"], document["machine"], document["versions"])
    record.state = document["state"]
    for one in document["outcomes"]:
        record.add(outcome_of(one))
    record.broken = {int(number): reason for number, reason in document["broken"].items()}
    return record


def record_for(state: str, commit: str, day: str, path: Path = RESULTS) -> Record:
    """The record to go on with: the last one if it is of the same state, else a new one."""
    try:
        found = read_record(path)
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return Record(commit, day, state=state)
    if found.state != state:
        return Record(commit, day, state=state)
    found.day = day
    return found


def commit_of(root: Path = ROOT) -> str:
    """The commit that is checked out; ``+`` says that something measured was changed since."""
    commit = _git(root, "rev-parse", "--short=12", "HEAD").strip()
    return commit + ("+" if _changes(root) else "")


def state_of(root: Path = ROOT) -> str:
    """A fingerprint of everything that is measured: commits that differ in documents or tests share it."""
    # As a difference from nothing: ``ls-tree`` knows no exclusions.
    empty = _git(root, "hash-object", "-t", "tree", "/dev/null").strip()
    committed = _git(root, "diff", "--raw", "--full-index", "--no-renames", empty, "HEAD", *_measured())
    return hashlib.sha256((committed + _changes(root)).encode()).hexdigest()[:16]


def _changes(root: Path) -> str:
    new = _git(root, "ls-files", "--others", "--exclude-standard", *_measured())
    changes = _git(root, "diff", "HEAD", *_measured()) + new
    return changes + "".join(
        hashlib.sha256((root / name).read_bytes()).hexdigest() for name in new.splitlines()
    )


def _measured() -> list[str]:
    return ["--", ".", *(f":(exclude){path}" for path in UNMEASURED)]


def _git(root: Path, *arguments: str) -> str:
    # Without a repository (an archive of the sources) there is nothing to tell states apart by.
    ended = subprocess.run(["git", *arguments], cwd=root, check=False, capture_output=True, text=True)
    return ended.stdout if ended.returncode == 0 else ""
