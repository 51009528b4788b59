"""docs/security.md says what is so."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
REQUIREMENTS = 64
ROW = re.compile(r"^\| A(\d+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)
PYTHON = re.compile(r"^(tests/[a-z0-9_/]+\.py)::(test_a(\d+)_[a-z0-9_]+)$")
TYPESCRIPT = re.compile(r"^static/widget/tests/[a-z-]+\.test\.ts$")


def rows() -> list[tuple[int, str, str, str]]:
    """Number, threat, defence, and what shows it."""
    found = ROW.findall((ROOT / "docs/security.md").read_text())
    return [
        (int(number), threat.strip(), defence.strip(), test.strip())
        for number, threat, defence, test in found
    ]


def fault_of(number: int, named: str) -> str | None:
    """What is wrong with one name of a test; None when it is there."""
    named = named.strip("`")
    if TYPESCRIPT.match(named):
        text = (ROOT / named).read_text() if (ROOT / named).is_file() else ""
        return None if re.search(rf"\bA{number}\b", text) else f"{named} says nothing of A{number}"
    found = PYTHON.match(named)
    if not found:
        return f"{named} is no name of a test"
    path, name, told = ROOT / found[1], found[2], int(found[3])
    if told != number:
        return f"{named} is a test of A{told}"
    there = path.is_file() and re.search(rf"^( {{4}})?def {name}\(", path.read_text(), re.MULTILINE)
    return None if there else f"there is no {named}"


def test_every_requirement_has_its_row() -> None:
    """A1 to A64, and what was found since, in order, each with its threat and its defence."""
    numbers = [number for number, *_ in rows()]
    assert numbers[:REQUIREMENTS] == list(range(1, REQUIREMENTS + 1))
    assert numbers == sorted(set(numbers))


def test_every_row_names_its_test_or_its_reason() -> None:
    """What a row names is there and is named after the requirement; "none:" is followed by a reason."""
    faults = [
        f"A{number}: {fault}"
        for number, _, _, test in rows()
        if not test.startswith("none: ")
        for named in test.split(", ")
        if (fault := fault_of(number, named))
    ]
    assert faults == []


def test_every_test_of_a_requirement_is_named_there() -> None:
    """A test that is named after a requirement stands in its row: nobody looks for it in vain."""
    text = (ROOT / "docs/security.md").read_text()
    there = {
        name
        for path in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"^(?: {4})?def (test_a\d+_\w+)\(", path.read_text(), re.MULTILINE)
    }
    assert sorted(name for name in there if f"::{name}" not in text) == []
