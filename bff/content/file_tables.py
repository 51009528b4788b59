"""The tables of a product file (TOML) that a team owns, as they are written."""

from __future__ import annotations

import re
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from bff.content.cleaning import cleaned
from bff.content.faults import MOST_NAME, connector_name_faults, name_faults

Key = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
Words = dict[str, str | dict[str, str]]


class Strict(BaseModel):
    """Base class of the file's tables. Unknown keys and wrong types are refused."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Variant(Strict):
    """A message's text for one connector, one language, or both."""

    connector: str | None = None
    locale: str | None = None
    text: str


class MessageTable(Strict):
    """The table ``[product.messages.NAME]``."""

    kind: Literal["sealed", "plain"] = "sealed"
    format: Literal["text", "json"] = "text"
    text: str
    variants: list[Variant] = []


def _name(value: str) -> str:
    name = cleaned("connectors/*/name", value)
    if found := name_faults(name):
        raise ValueError("; ".join(found))
    return name


def _connector_name(value: str) -> str:
    if found := connector_name_faults(value):
        raise ValueError("; ".join(found))
    return value


def _require_image_url(value: str) -> str:
    # Each page that has a button loads it: a name without a host would be looked for on each of them.
    try:
        parts = urlsplit(value)
    except ValueError:
        parts = urlsplit("")
    is_image = parts.scheme == "data" and parts.path.startswith("image/")
    if not (is_image or (parts.scheme in {"http", "https"} and parts.hostname)) or re.search(r"\s", value):
        raise ValueError("is no URL; write one such as https://cdn.example.com/crm.svg")
    return value


Name = Annotated[str, AfterValidator(_name)]
"""A name that users see, cleaned."""


class ConnectorTable(Strict):
    """The table ``[product.connector.KEY]``. Operators set all but ``name`` and ``words``."""

    name: Annotated[Name, AfterValidator(_connector_name)] | None = None
    reference: Annotated[str, Field(min_length=1, max_length=MOST_NAME)] | None = None
    logo: Annotated[str, Field(max_length=2000), AfterValidator(_require_image_url)] | None = None
    multiple: bool = False
    words: Words = {}


class ContentTables(Strict):
    """The team's part of ``[[product]]``.

    ``words`` holds texts by key for every language, or tables of them by language tag.
    """

    connector: dict[Key, ConnectorTable] = {}
    messages: dict[Key, MessageTable] = {}
    words: Words = {}
    look: dict[str, str] = {}
