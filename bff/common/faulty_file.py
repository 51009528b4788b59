"""Reads TOML files, and reports every fault in them at once."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, Final

from bff.common.text import first_fault
from bff.serving.faulty import Faulty
from bff.serving.text_files import text_of
from bff.serving.type_faults import advice_of, place_of

LARGEST_FILE: Final = 8 * 1024 * 1024


class FaultyFile(Faulty):
    """A file that cannot be used. ``faults`` has a line for each fault, with the file and the key."""


def parse_toml(path: Path) -> dict[str, Any]:
    """Parse a TOML file of at most ``LARGEST_FILE`` bytes. Raises ``FaultyFile``."""
    try:
        document = tomllib.loads(_read(path))
    except OSError as error:
        raise FaultyFile([f"{path}: cannot be read: {error.strerror}"]) from None
    except (ValueError, RecursionError) as error:
        raise FaultyFile([f"{path}: is no TOML: {error}"]) from None
    if fault := first_fault(document):
        raise FaultyFile([f"{path}: {fault}"])
    return document


def _read(path: Path) -> str:
    with path.open("rb") as file:
        content = file.read(LARGEST_FILE + 1)
    if len(content) > LARGEST_FILE:
        raise ValueError(f"the file has more than {LARGEST_FILE // 1024} KiB")
    return text_of(content)


def describe_fault(path: Path, document: dict[str, Any], fault: Any) -> str:
    """Format one error of pydantic's ``ValidationError.errors()`` with its file, product and key."""
    where = place_of(fault)
    if len(fault["loc"]) > 1 and isinstance(fault["loc"][1], int):
        product = document["product"][fault["loc"][1]]
        name = product.get("key") if isinstance(product, dict) else None
        where[0:2] = [str(name or f"product number {fault['loc'][1] + 1}")]
    advice = advice_of(fault, "a table")
    if fault["loc"] == ("product",):
        advice = "write at least one table [[product]], with two brackets"
    elif fault["type"] == "extra_forbidden":
        advice = "this key is not known here; remove it"
    return f"{path}: {': '.join(where)}: {advice}"
