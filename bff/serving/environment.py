"""Reads variables and secret files; finds weak secrets, misspelt names and debugging. For both programs."""

from __future__ import annotations

import difflib
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final, Literal

Environment = Literal["production", "development"]

FILE: Final = "_FILE"
LARGEST_FILE: Final = 64 * 1024
LARGEST_OWN_FILE: Final = 8 * 1024 * 1024
"""Bytes that are read of a product file or a catalogue."""
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
NEAR: Final = 0.85
"""How alike a misspelt name and a setting are at least (``difflib``)."""
_OF_A_SERVICE: Final = re.compile(
    r"_SERVICE_HOST$|_SERVICE_PORT(?:_\w+)?$|_PORT_\d+_(?:TCP|UDP|SCTP)(?:_\w+)?$"
)
OFF: Final = frozenset({"", "0", "false", "no", "off"})


def from_files(
    prefix: str, names: Iterable[str], environ: Mapping[str, str]
) -> tuple[dict[str, str], list[str]]:
    """Read the files that ``{prefix}{NAME}_FILE`` variables name; return values by name, and all faults."""
    values: dict[str, str] = {}
    faults: list[str] = []
    for name in names:
        variable = f"{prefix}{name.upper()}"
        if not (path := variable_of(variable + FILE, environ)):
            continue
        if variable_of(variable, environ):
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
    # Windows' editors begin a file with a byte order mark.
    if not (text := data.decode("utf-8-sig").strip()):
        raise ValueError("it is empty")
    return text


def variable_of(name: str, environ: Mapping[str, str] | None = None) -> str:
    """A variable without white space around it: secrets made by ``echo`` end in a newline. "" if not set."""
    return (os.environ if environ is None else environ).get(name, "").strip()


def path_of(prefix: str, name: str, environ: Mapping[str, str]) -> Path | None:
    """The path that a setting names, while other settings may be faulty. None if it names none."""
    values, _ = from_files(prefix, [name], environ)
    text = values.get(name) or variable_of(f"{prefix}{name.upper()}", environ)
    return Path(text) if text else None


def unknown_variables(
    prefix: str, names: Iterable[str], environ: Mapping[str, str], file: str, others: tuple[str, ...] = ()
) -> Iterator[str]:
    """A line for each variable with this prefix that is no setting, with the nearest that is one.

    ``others``: longer prefixes of other programs. ``file``: the setting of the operator's file, which may
    name more variables. Where it cannot be read, or products come from the database, any variable may be one
    of those: then only the misspelt settings are reported.
    """
    known = [name.upper() + ending for name in names for ending in ("", FILE)]
    named = _words_of(path_of(prefix, file, environ))
    for variable in sorted(environ):
        name = variable.upper()
        if not name.startswith(prefix) or (others and name.startswith(others)):
            continue
        own = name.removeprefix(prefix)
        if own in known or variable in (named or ()) or _is_of_a_service(name, environ[variable]):
            continue
        # Without the prefix, which would make any two names alike.
        near = difflib.get_close_matches(own, known, 1, NEAR)
        if near or named is not None:
            hint = f"did you mean {prefix}{near[0]}?" if near else "docs/settings.md lists all"
            yield f"{variable}: is no setting, and is ignored; {hint}"


def _words_of(path: Path | None) -> set[str] | None:
    """The words in a file, which may be faulty. None if it cannot be read."""
    try:
        if path is not None:
            with path.open("rb") as file:
                return set(re.findall(r"\w+", file.read(LARGEST_OWN_FILE).decode(errors="replace")))
    except (OSError, ValueError):
        pass  # Reported by whoever needs the file.
    return None


def _is_of_a_service(name: str, value: str) -> bool:
    """Whether Kubernetes or Docker set it, for a service whose name begins like ours."""
    return _OF_A_SERVICE.search(name) is not None or (
        name.endswith("_PORT") and value.startswith(("tcp://", "udp://", "sctp://"))
    )


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
