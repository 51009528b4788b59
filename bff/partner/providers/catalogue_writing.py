"""Adds a shipped entry to a connector catalogue (TOML), atomically."""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import tomllib
from pathlib import Path
from typing import Any, Final

from bff.partner.providers.catalogue import FaultyCatalogue
from bff.partner.providers.shipped_entries import ShippedEntry

FIRST_ID: Final = 101
HIGHEST_ID: Final = 2**31 - 1
MARK: Final = "\ufeff"
"""A byte order mark, with which editors on Windows begin a file. It stays there."""
_BARE_KEY: Final = re.compile(r"[A-Za-z0-9_-]+")
_MAX_WIDTH: Final = 100


def secret_variable(entry: ShippedEntry) -> str:
    """The name of the environment variable for the entry's client secret."""
    return re.sub(r"[^A-Z0-9]", "_", entry.key.upper()) + "_CLIENT_SECRET"


def entry_text(entry: ShippedEntry, connector_id: int) -> str:
    """Format the entry as a catalogue table, with placeholders for the client's id and secret."""
    about = entry.about
    origin = f"read {about.read_on}" if about.read_on else f"from {about.source}"
    lines = [f"# {entry.name}: {about.docs_url}", f"# ({origin}; {'' if about.tried else 'not '}tried live)"]
    lines += [f"# {about.note}"] if about.note else []
    plain = {name: value for name, value in entry.keys.items() if not _is_table(name)}
    lines += ["[[connector]]", f"id = {connector_id}", *(_toml_line(*item) for item in plain.items())]
    if entry.needs_client_id:
        lines.append(f'client_id = ""  # fill in: from the app that you register at {entry.name}')
    if entry.needs_client_secret:
        lines.append(f'client_secret_env = "{secret_variable(entry)}"  # the variable that holds its secret')
    for field in entry.keys.get("field", []):
        plain = {name: value for name, value in field.items() if name != "choices"}
        lines += ["", "[[connector.field]]", *(_toml_line(*item) for item in plain.items())]
        if choices := field.get("choices"):
            lines += ["[connector.field.choices]", *(_toml_line(*item) for item in choices.items())]
    if check := entry.keys.get("check"):
        lines += ["", "[connector.check]", *(_toml_line(*item) for item in check.items())]
    return "\n".join(lines) + "\n"


def add_to(path: Path, entry: ShippedEntry) -> int:
    """Append an entry to the catalogue at ``path``, created if missing. Return its new connector id.

    Raises ``FaultyCatalogue`` if the file is not a catalogue, already has the entry, or cannot be written.
    The file is then unchanged.
    """
    path = path.resolve()
    old = _read(path)
    connectors = _connectors(path, old)
    _require_new(path, connectors, entry)
    connector_id = _free_id(connectors)
    newline = "\r\n" if "\r\n" in old else "\n"
    separator = "" if not old.strip() else newline if old.endswith("\n") else newline * 2
    new = old + separator + entry_text(entry, connector_id).replace("\n", newline)
    try:
        tomllib.loads(new.removeprefix(MARK))
    except ValueError:
        # An inline array, connector = [{...}], is valid TOML, but [[connector]] cannot extend it.
        raise FaultyCatalogue(
            [f"{path}: cannot take one more connector; write each as a table of its own: [[connector]]"]
        ) from None
    _replace(path, new)
    return connector_id


def _read(path: Path) -> str:
    if path.exists() and not path.is_file():
        raise FaultyCatalogue([f"{path}: is no file"])
    try:
        return path.read_bytes().decode()
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise FaultyCatalogue([f"{path}: cannot be read ({error.strerror})"]) from None
    except UnicodeDecodeError:
        raise FaultyCatalogue([f"{path}: is no TOML: it is not in UTF-8"]) from None


def _connectors(path: Path, text: str) -> list[dict[str, Any]]:
    try:
        connectors = tomllib.loads(text.removeprefix(MARK)).get("connector", [])
    except (ValueError, RecursionError) as error:
        raise FaultyCatalogue([f"{path}: is no TOML: {error}"]) from None
    if not isinstance(connectors, list) or not all(isinstance(table, dict) for table in connectors):
        raise FaultyCatalogue([f"{path}: connector: write each as a table: [[connector]]"])
    return connectors


def _require_new(path: Path, connectors: list[dict[str, Any]], entry: ShippedEntry) -> None:
    for table in connectors:
        same = (
            str(table.get("key")) == entry.key or str(table.get("name")).casefold() == entry.name.casefold()
        )
        if same:
            raise FaultyCatalogue(
                [f"{path}: has {entry.name} already, as connector {table.get('id')}; nothing was added"]
            )


def _free_id(connectors: list[dict[str, Any]]) -> int:
    taken = {table.get("id") for table in connectors}
    highest = max((number for number in taken if isinstance(number, int)), default=0)
    after = max(highest + 1, FIRST_ID)
    return after if after <= HIGHEST_ID else next(n for n in range(1, HIGHEST_ID) if n not in taken)


def _replace(path: Path, text: str) -> None:
    # Write a temporary file and rename it: if the disk is full or the process dies, the old file stays.
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    mode = path.stat().st_mode & 0o777 if path.exists() else None

    def opener(name: str, flags: int) -> int:
        # Readable by the owner only until complete: a catalogue may hold client secrets.
        return os.open(name, flags, 0o666 if mode is None else mode & 0o600)

    try:
        with open(temporary, "x", encoding="utf-8", newline="", opener=opener) as opened:
            opened.write(text)
            opened.flush()
            os.fsync(opened.fileno())
        if mode is not None:
            temporary.chmod(mode)
        temporary.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise FaultyCatalogue([f"{path}: cannot be written ({error.strerror}); nothing was added"]) from None


def _is_table(name: str) -> bool:
    return name in {"field", "check"}


def _toml_line(name: str, value: Any) -> str:
    line = f"{_toml_key(name)} = {_toml_value(value)}"
    if not isinstance(value, list) or len(line) <= _MAX_WIDTH:
        return line
    return f"{_toml_key(name)} = [\n" + "".join(f"  {_toml_value(item)},\n" for item in value) + "]"


def _toml_key(name: str) -> str:
    return name if _BARE_KEY.fullmatch(name) else json.dumps(name)


def _toml_value(value: Any) -> str:
    if isinstance(value, dict):
        return (
            "{ "
            + ", ".join(f"{_toml_key(name)} = {_toml_value(item)}" for name, item in value.items())
            + " }"
        )
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml_value, value)) + "]"
    if isinstance(value, str) and "\\" in value and value.isprintable() and "'" not in value:
        return f"'{value}'"
    # JSON strings, numbers and booleans are valid TOML.
    return json.dumps(value)
