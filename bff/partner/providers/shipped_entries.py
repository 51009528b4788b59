"""The catalogue entries that ship with the product, with the source of their facts.

Each TOML file in ``shipped/`` is one category. An entry has the keys of the connector catalogue, without id
and client, and those of ``About``.
"""

from __future__ import annotations

import datetime as dt
import difflib
import functools
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from bff.partner.providers.entries import CatalogueConnector, Link, Text

SHIPPED: Final = Path(__file__).parent / "shipped"


class FaultyShippedEntry(Exception):
    """A shipped entry is invalid. The message names the file, the entry and the key."""


class UnknownProvider(Exception):
    """No entry has this name. ``near`` lists the keys of entries with similar names, closest first."""

    def __init__(self, name: str, near: list[str]) -> None:
        super().__init__(name)
        self.near = near


def _date(value: str) -> str:
    dt.date.fromisoformat(value)
    return value


class About(BaseModel):
    """Category of an entry, and the source of its facts.

    ``read_on``: the date (ISO 8601) on which a stored copy of ``docs_url`` was read.
    ``source``: the source of the facts if ``docs_url`` was not read. Exactly one of the two is set.
    ``tried``: whether somebody has signed in at the service with this entry.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    category: Text
    docs_url: Link
    read_on: Annotated[str, AfterValidator(_date)] | None = None
    source: Text | None = None
    note: Annotated[str, Field(max_length=300)] = ""
    tried: bool

    @model_validator(mode="after")
    def _has_one_origin(self) -> Self:
        if (self.read_on is None) == (self.source is None):
            raise ValueError("write read_on where the page was read, else source")
        return self


@dataclass(frozen=True)
class ShippedEntry:
    """A shipped service. ``keys`` are the keys of its catalogue entry, in the order of the file."""

    about: About
    keys: Mapping[str, Any]

    @property
    def key(self) -> str:
        """The connector's key."""
        return str(self.keys["key"])

    @property
    def name(self) -> str:
        """The display name of the service."""
        return str(self.keys["name"])

    @property
    def auth(self) -> str:
        """The kind of sign-in: ``oauth2``, ``api_key``, ``basic`` or ``client_credentials``."""
        return str(self.keys["auth"])

    @property
    def needs_client_id(self) -> bool:
        """Whether an OAuth app has to be registered at the service."""
        return self.auth == "oauth2"

    @property
    def needs_client_secret(self) -> bool:
        """Whether that OAuth app has a client secret."""
        return self.needs_client_id and self.keys.get("token_auth") != "none"

    def connector(self, connector_id: int = 1) -> CatalogueConnector:
        """Build a catalogue entry with a placeholder client. Raises ``pydantic.ValidationError``."""
        client = {"client_id": "client"} if self.needs_client_id else {}
        secret = {"client_secret": self.key} if self.needs_client_secret else {}
        return CatalogueConnector.model_validate({"id": connector_id, **self.keys, **client, **secret})


@functools.cache
def shipped(folder: Path = SHIPPED) -> tuple[ShippedEntry, ...]:
    """Read all shipped entries, ordered by key. Raises ``FaultyShippedEntry``."""
    entries = [entry for path in sorted(folder.glob("*.toml")) for entry in _read(path)]
    return tuple(sorted(entries, key=lambda entry: entry.key))


def matching(words: list[str]) -> list[ShippedEntry]:
    """Search the entries: every word must occur in the key, name, category or kind of sign-in."""
    folded = [word.casefold() for word in words]
    return [entry for entry in shipped() if all(word in _search_text(entry) for word in folded)]


def named(name: str) -> ShippedEntry:
    """The entry with this key or name, case-insensitive. Raises ``UnknownProvider``."""
    wanted = name.strip().casefold()
    for entry in shipped():
        if wanted in {entry.key, entry.name.casefold()}:
            return entry
    raise UnknownProvider(name, near(wanted))


def near(name: str) -> list[str]:
    """The keys of at most five entries with similar names, closest first."""
    by_name = {text: entry.key for entry in shipped() for text in (entry.key, entry.name.casefold())}
    similar = difflib.get_close_matches(name.casefold(), by_name, n=5, cutoff=0.6)
    containing = [text for text in by_name if name and name.casefold() in text]
    return list(dict.fromkeys(by_name[text] for text in [*similar, *containing]))[:5]


def _search_text(entry: ShippedEntry) -> str:
    return f"{entry.key} {entry.name} {entry.about.category} {entry.auth}".casefold()


def _read(path: Path) -> list[ShippedEntry]:
    tables = tomllib.loads(path.read_text(encoding="utf-8"))["connector"]
    try:
        return [_entry(table) for table in tables]
    except ValidationError as error:
        raise FaultyShippedEntry(f"{path.name}: {error}") from None


def _entry(table: dict[str, Any]) -> ShippedEntry:
    about = {name: value for name, value in table.items() if name in About.model_fields}
    keys = {name: value for name, value in table.items() if name not in About.model_fields}
    entry = ShippedEntry(About.model_validate(about), keys)
    entry.connector()
    return entry
