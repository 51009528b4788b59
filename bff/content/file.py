"""Converts the team's part of a product file (TOML) to content, and back."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import Field, ValidationError

from bff.common.faulty_file import FaultyFile, describe_fault, parse_toml
from bff.content.entries import Content, Faults, look_of, texts_of_messages
from bff.content.file_entries import content_of, repeated_faults
from bff.content.file_tables import ContentTables, Key, Strict
from bff.content.logos.logo import FaultyImage, Logo, check_logo
from bff.content.wording import ANY, Place
from bff.serving.terminal import STEERING

STORED: Final = re.compile(r"[0-9a-f]{64}\.[a-z]+")
"""The name of an image in the database: see ``Logo``."""


class _ContentProduct(ContentTables):
    """A product as ``hitchpost messages import`` reads it. The operators' keys are allowed and ignored."""

    key: Key
    connectors: Annotated[list[Key], Field(default_factory=list)]
    name: str | None = None
    origins: Annotated[list[str], Field(default_factory=list)]
    secret_keys: Annotated[list[str], Field(default_factory=list)]
    secret_key_env: str | None = None
    assertion: Annotated[dict[str, Any], Field(default_factory=dict)]
    account_namespace: str | None = None
    account_prefix: str = ""
    disconnect: str = ""
    webhook: Annotated[list[dict[str, Any]], Field(default_factory=list)]

    def ignored(self) -> tuple[str, ...]:
        """The keys of this product in the file that only operators set."""
        own = self.model_fields_set - {"key", "connectors", *ContentTables.model_fields}
        return *sorted(own), *(
            f"connector.{name}.{key}"
            for name, table in self.connector.items()
            for key in sorted(table.model_fields_set - {"name", "words"})
        )


class _ContentFile(Strict):
    product: Annotated[list[_ContentProduct], Field(min_length=1)]


@dataclass(frozen=True)
class TeamsFile:
    """The team's part of one product in a file: content, connector keys, and the logos beside the file.

    ``ignored``: keys that only operators set, which stand there in vain.
    """

    content: dict[str, str]
    connectors: tuple[str, ...]
    logos: tuple[Logo, ...]
    ignored: tuple[str, ...] = ()


def take_logos(tables: ContentTables, folder: Path) -> tuple[Logo, ...]:
    """Read the logo files that the look names, relative to ``folder``, and replace the names by stored ones.

    Raises ``FaultyFile``, whose faults do not name the file and the product: the caller adds them.
    """
    logos, faults = [], []
    for field in ("logo", "logo_dark"):
        named = tables.look.get(field, "")
        if not named or STORED.fullmatch(named):
            continue
        try:
            logo = check_logo((folder / named).read_bytes())
        except FaultyImage as error:
            faults.append(f"look.{field}: {named}: {error}")
        except (OSError, ValueError):
            faults.append(f"look.{field}: there is no file {folder / named}")
        else:
            tables.look[field] = logo.name
            logos.append(logo)
    if faults:
        raise FaultyFile(faults)
    return tuple(logos)


def read_content(path: Path) -> dict[str, TeamsFile]:
    """Read the team's part of each product in a file, by product key, with connector names and order.

    Raises ``FaultyFile``. The content itself is not checked.
    """
    document = parse_toml(path)
    try:
        file = _ContentFile.model_validate(document)
    except ValidationError as error:
        raise FaultyFile([describe_fault(path, document, fault) for fault in error.errors()]) from None
    products: dict[str, TeamsFile] = {}
    faults: list[str] = []
    for item in file.product:
        faults += [f"{path}: {item.key}: {fault}" for fault in repeated_faults(item)]
        if item.key in products:
            faults.append(f"{path}: {item.key}: key: two products have this key")
        try:
            logos = take_logos(item, path.parent)
        except FaultyFile as error:
            faults += [f"{path}: {item.key}: {fault}" for fault in error.faults]
            continue
        named = tuple(item.connectors or item.connector)
        products[item.key] = TeamsFile(_with_connectors(item), named, logos, item.ignored())
    if faults:
        raise FaultyFile(faults)
    return products


def write_content(product: str, content: Content) -> str:
    """Write content as a TOML file, from which ``read_content`` gives the same content."""
    lines = ["[[product]]", f"key = {_quoted(product)}"]
    if order := content.get("connectors/order"):
        lines.append(f"connectors = [{', '.join(map(_quoted, order.split()))}]")
    lines += _table("product.look", look_of(content))
    for name, texts in texts_of_messages(content).items():
        lines += _message(content, name, texts)
    lines += _words_tables("product.words", content, ANY)
    connectors = {parts[1] for path in content if (parts := path.split("/"))[0] in {"words", "connectors"}}
    for key in sorted(connectors - {ANY, "order"}):
        own = content.get(f"connectors/{key}/name")
        lines += _table(f"product.connector.{key}", {"name": own} if own else {})
        lines += _words_tables(f"product.connector.{key}.words", content, key)
    return "\n".join(lines) + "\n"


def fault_lines(faults: Faults) -> Iterator[str]:
    """The faults of a content, a line each, with the key of the file instead of the path."""
    for path, reasons in faults.items():
        for reason in reasons:
            yield f"{key_of(path)}: {reason}" if path else reason


def key_of(path: str) -> str:
    """The key of an entry in the file."""
    match path.split("/"):
        case ["messages", name, "text", connector, locale]:
            chosen = {"connector": connector, "locale": locale}
            narrowed = [f"{what} {value}" for what, value in chosen.items() if value != ANY]
            return f"messages.{name}." + (f"variants ({', '.join(narrowed)})" if narrowed else "text")
        case ["words", connector, locale, key]:
            start = "words" if connector == ANY else f"connector.{connector}.words"
            return f"{start}.{key}" if locale == ANY else f"{start}.{locale}.{key}"
        case ["connectors", "order"]:
            return "connectors"
        case ["connectors", key, "name"]:
            return f"connector.{key}.name"
    return path.replace("/", ".")


def _with_connectors(item: _ContentProduct) -> dict[str, str]:
    content = content_of(item)
    content |= {f"connectors/{key}/name": table.name for key, table in item.connector.items() if table.name}
    if item.connectors:
        content["connectors/order"] = " ".join(item.connectors)
    return content


def _message(content: Content, name: str, texts: dict[Place, str]) -> list[str]:
    kind = content.get(f"messages/{name}/kind", "sealed")
    form = content.get(f"messages/{name}/format", "text")
    lines = _table(
        f"product.messages.{name}", {"kind": kind, "format": form, "text": texts.get((ANY, ANY), "")}
    )
    for (connector, locale), text in texts.items():
        if (connector, locale) != (ANY, ANY):
            chosen = {"connector": connector, "locale": locale}
            named = {what: value for what, value in chosen.items() if value != ANY}
            lines += _table(f"product.messages.{name}.variants", named | {"text": text}, often=True)
    return lines


def _words_tables(name: str, content: Content, connector: str) -> list[str]:
    by_locale: dict[str, dict[str, str]] = {}
    for path, text in content.items():
        parts = path.split("/")
        if parts[0] == "words" and parts[1] == connector:
            by_locale.setdefault(parts[2], {})[parts[3]] = text
    lines = _table(name, by_locale.pop(ANY, {}))
    for locale, texts in by_locale.items():
        lines += _table(f"{name}.{locale}", texts)
    return lines


def _table(name: str, values: dict[str, Any], *, often: bool = False) -> list[str]:
    if not values:
        return []
    head = f"[[{name}]]" if often else f"[{name}]"
    return ["", head, *(f"{key} = {_quoted(value)}" for key, value in values.items())]


def _quoted(text: str) -> str:
    # A JSON string without surrogate pairs of \u escapes is a valid TOML basic string. Control sequences of
    # terminals are escaped too, and DEL, which TOML forbids and JSON does not.
    return STEERING.sub(lambda match: f"\\u{ord(match[0]):04x}", json.dumps(text, ensure_ascii=False))
