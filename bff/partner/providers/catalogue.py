"""Reads the connector catalogue (TOML): the third parties that can be connected, and their endpoints."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bff.partner.providers import catalogue_faults
from bff.partner.providers.catalogue_doubles import doubles
from bff.partner.providers.entries import CatalogueConnector
from bff.serving.destinations import Policy
from bff.serving.environment import variable_of
from bff.serving.faulty import Faulty
from bff.serving.text_files import text_of
from bff.serving.type_faults import advice_of

__all__ = ["Catalogue", "CatalogueConnector", "FaultyCatalogue", "read_catalogue", "require_allowed"]


class FaultyCatalogue(Faulty):
    """The catalogue is invalid. ``faults`` has one line for each fault, with the file and the key."""


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    connector: Annotated[list[CatalogueConnector], Field(min_length=1)]


class Catalogue:
    """The connectors of a catalogue. Looks them up by id, key or name."""

    def __init__(self, connectors: list[CatalogueConnector]) -> None:
        self.connectors = tuple(connectors)

    def by_id(self, connector_id: int) -> CatalogueConnector | None:
        """The connector with this id, or None."""
        return next((item for item in self.connectors if item.id == connector_id), None)

    def by_name(self, name: str, version: str | None = None) -> list[CatalogueConnector]:
        """The connectors with this key, else those with this name, and, if given, this version.

        Case-insensitive. A key comes first: a name that is another's key must not lead to another service.
        """
        folded = name.casefold()
        named = [item for item in self.connectors if item.key == folded] or [
            item for item in self.connectors if item.name.casefold() == folded
        ]
        return [item for item in named if version in {None, item.version}]


def read_catalogue(path: Path, environ: Mapping[str, str] = os.environ) -> Catalogue:
    """Read and validate the catalogue at ``path``. Raises ``FaultyCatalogue`` with all faults at once."""
    connectors = _read(path, environ)
    faults = [fault for item in connectors for fault in catalogue_faults.faults_of(item)]
    faults += doubles(connectors)
    if faults:
        raise FaultyCatalogue([f"{path}: {fault}" for fault in faults])
    return Catalogue(connectors)


def read_sound_entries(
    path: Path, wanted: str, environ: Mapping[str, str] = os.environ
) -> tuple[Catalogue, list[str]]:
    """The entries without faults, and the faults of the others, for a command about one connector.

    ``wanted``: its id, key or name. An unfinished entry of another connector does not keep an operator from
    it. Raises ``FaultyCatalogue`` if that entry has a fault itself, or the file as a whole.
    """
    connectors = _read(path, environ)
    faults = {item.id: catalogue_faults.faults_of(item) for item in connectors}
    shared = doubles(connectors)
    names = {item.id: {str(item.id), item.key, item.name.casefold()} for item in connectors}
    own = [fault for item in connectors if wanted.casefold() in names[item.id] for fault in faults[item.id]]
    if own or shared:
        raise FaultyCatalogue([f"{path}: {fault}" for fault in (*own, *shared)])
    left_out = [f"{path}: {fault}" for item in connectors for fault in faults[item.id]]
    return Catalogue([item for item in connectors if not faults[item.id]]), left_out


def _read(path: Path, environ: Mapping[str, str]) -> list[CatalogueConnector]:
    """The entries, with values of the right types. Raises ``FaultyCatalogue``."""
    try:
        document = tomllib.loads(text_of(path.read_bytes()))
    except OSError as error:
        raise FaultyCatalogue([f"{path}: cannot be read ({error.strerror})"]) from None
    except (ValueError, RecursionError) as error:
        raise FaultyCatalogue([f"{path}: is no TOML: {error}"]) from None
    if _contains_nul(document):
        raise FaultyCatalogue([f"{path}: there is a NUL character in a text; leave it out"])
    try:
        connectors = _File.model_validate(document).connector
    except ValidationError as error:
        raise FaultyCatalogue(
            [f"{path}: {_location(fault['loc'], document)}: {_message(fault)}" for fault in error.errors()]
        ) from None
    return [_with_secret(item, environ) for item in connectors]


def _contains_nul(value: Any) -> bool:
    # PostgreSQL cannot store NUL in a text column.
    if isinstance(value, str):
        return "\x00" in value
    parts = [*value, *value.values()] if isinstance(value, dict) else value if isinstance(value, list) else []
    return any(_contains_nul(part) for part in parts)


def require_allowed(catalogue: Catalogue, policy: Policy) -> None:
    """Check every URL against the outbound policy, without DNS. Raises ``FaultyCatalogue``."""
    faults = [
        f"catalogue: {fault}"
        for item in catalogue.connectors
        for fault in catalogue_faults.forbidden_urls(item, policy)
    ]
    if faults:
        raise FaultyCatalogue(faults)


def _with_secret(item: CatalogueConnector, environ: Mapping[str, str]) -> CatalogueConnector:
    if item.client_secret is not None or item.client_secret_env is None:
        return item
    secret = variable_of(item.client_secret_env, environ)
    # The checks refuse an entry that names both: the variable would be ignored.
    if not secret:
        return item
    return item.model_copy(update={"client_secret": secret, "client_secret_env": None})


def _location(location: tuple[int | str, ...], document: Any) -> str:
    parts = [str(part) for part in location]
    if len(location) > 1 and isinstance(location[1], int):
        try:
            parts[1] = str(document["connector"][location[1]]["key"])
        except (KeyError, IndexError, TypeError):
            parts[1] = f"number {location[1] + 1}"
        return f"connector {parts[1]}: " + ".".join(parts[2:])
    return ".".join(parts) or "file"


def _message(fault: Any) -> str:
    if fault["type"] == "extra_forbidden":
        return "is not known here; look for a slip in its spelling"
    if fault["loc"] == ("connector",):
        return "write at least one table [[connector]], with two brackets"
    if fault["type"] == "missing":
        return "is not set"
    return advice_of(fault, "a table")
