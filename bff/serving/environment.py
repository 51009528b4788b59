"""Reads secrets from files, and checks for weak secrets and debugging switches. Used by both programs."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final, Literal

Environment = Literal["production", "development"]

FILE: Final = "_FILE"
LARGEST_FILE: Final = 64 * 1024
FEWEST_CHARACTERS: Final = 8
WELL_KNOWN: Final = (
    "changeme",
    "change-me",
    "change_me",
    "secret",
    "password",
    "insecure",
    "example",
    "default",
    "0123456789",
    "abcdefgh",
    "deadbeef",
)
BEGINNINGS: Final = ("demo", "test", "sk_demo", "sk_test")
"""Prefixes of weak secrets. Random keys may contain such short words elsewhere."""
DEBUGGING: Final = ("FLASK_DEBUG", "PYTHONDEVMODE", "PYTHONASYNCIODEBUG", "WERKZEUG_DEBUG_PIN")
OFF: Final = frozenset({"", "0", "false", "no", "off"})


def from_files(
    prefix: str, names: Iterable[str], environ: Mapping[str, str]
) -> tuple[dict[str, str], list[str]]:
    """Read the files that ``{prefix}{NAME}_FILE`` variables name; return values by name, and all faults."""
    values: dict[str, str] = {}
    faults: list[str] = []
    for name in names:
        variable = f"{prefix}{name.upper()}"
        if not (path := environ.get(variable + FILE)):
            continue
        if environ.get(variable):
            faults.append(f"{variable}{FILE}: {variable} is set too; leave one of them")
            continue
        try:
            values[name] = _read(Path(path))
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            faults.append(f"{variable}{FILE}: {path}: cannot be read ({reason})")
    return values, faults


def _read(path: Path) -> str:
    with path.open("rb") as file:
        data = file.read(LARGEST_FILE + 1)
    if len(data) > LARGEST_FILE:
        raise ValueError(f"larger than {LARGEST_FILE} bytes")
    return data.decode().strip()


def is_production(given: str | None, public_url: str) -> bool:
    """Whether the rules of production apply: as ``..._ENVIRONMENT`` says, else if the public URL is https."""
    return given == "production" if given else public_url.lower().startswith("https:")


def weakness(secret: str) -> str | None:
    """Why a secret is weak; None if no weakness is found."""
    if len(set(secret)) < FEWEST_CHARACTERS:
        return f"has fewer than {FEWEST_CHARACTERS} different characters"
    if secret in (secret + secret)[1:-1]:  # true only for a text that consists of repetitions
        return "repeats itself"
    lower = secret.lower()
    weak_word = next((word for word in WELL_KNOWN if word in lower), None)
    weak_word = weak_word or next((word for word in BEGINNINGS if lower.startswith(word)), None)
    return f"contains {weak_word!r}, as keys that everybody knows do" if weak_word else None


def debugging(environ: Mapping[str, str] | None = None) -> Iterator[str]:
    """Yield a line for each debugging switch that is on."""
    variables = os.environ if environ is None else environ
    for name in DEBUGGING:
        if variables.get(name, "").lower() not in OFF:
            yield f"{name}: is set; take it away, it shows the insides of the program"
    if sys.flags.dev_mode and "PYTHONDEVMODE" not in variables:
        yield "python -X dev: start it without; it shows the insides of the program"
