"""Whatever a line of the log is given to tell is on the list of fields: else it is dropped on its way out."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from bff.serving.logs import FIELDS

PROGRAM: Final = Path(__file__).parents[2] / "bff"
LEVELS: Final = frozenset({"info", "warning", "error", "exception", "critical"})
AUDITED: Final = frozenset({"tell", "audit", "at_studio"})
NOT_FIELDS: Final = frozenset({"exc_info"})


def told(path: Path) -> Iterator[str]:
    """The fields that a file's lines of the log have."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        called = node.func
        name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
        owner = called.value if isinstance(called, ast.Attribute) else None
        is_log = name in LEVELS and getattr(owner, "id", getattr(owner, "attr", "")) in {"log", "_log"}
        if is_log or name in AUDITED or name == "line":
            yield from (keyword.arg for keyword in node.keywords if keyword.arg is not None)


def test_no_line_loses_what_it_is_to_tell() -> None:
    """The audit log would not say which connection was ended, nor the delivery log of which event."""
    lost = {
        f"{path.relative_to(PROGRAM)}: {field}"
        for path in PROGRAM.rglob("*.py")
        for field in told(path)
        if field not in FIELDS | NOT_FIELDS
    }
    assert lost == set()
