"""Product files (TOML): read whole, every fault reported at once with its key."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bff.core import messages, words
from bff.core.model import MessageKind, MessageTemplate, OfferedConnector, Product
from bff.core.origins import origin_fault
from bff.core.secret import Secret

SECRET_KEY_LENGTH: Final = 20
Key = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]


class FaultyFile(Exception):
    """A file that cannot be used. ``faults`` has one line each, naming the file and the key."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _Message(_Strict):
    kind: Literal["sealed", "plain"] = "sealed"
    text: str


class _Connector(_Strict):
    name: str | None = None
    reference: str | None = None
    logo: str | None = None


class _Product(_Strict):
    key: Key
    name: Annotated[str, Field(min_length=1, max_length=200)]
    origins: Annotated[list[str], Field(min_length=1)]
    secret_keys: list[str] = []
    secret_key_env: str | None = None
    connectors: Annotated[list[Key], Field(min_length=1)]
    connector: dict[Key, _Connector] = {}
    messages: dict[Key, _Message] = {}
    words: dict[str, str] = {}
    theme: dict[str, str] = {}


class _File(_Strict):
    product: Annotated[list[_Product], Field(min_length=1)]


@dataclass(frozen=True)
class AppliedProduct:
    """A product with its secret keys, ready for ``DatabaseProducts.put``."""

    product: Product
    secret_keys: tuple[Secret, ...]


def read_products(path: Path, environ: dict[str, str] | None = None) -> list[AppliedProduct]:
    """The products of a file. Raises ``FaultyFile`` with every fault; nothing is half-taken."""
    environ = dict(os.environ) if environ is None else environ
    document = _parse(path)
    try:
        file = _File.model_validate(document)
    except ValidationError as error:
        raise FaultyFile([_say(path, document, fault) for fault in error.errors()]) from None
    found = [fault for item in file.product for fault in _faults(item, environ)]
    keys = [item.key for item in file.product]
    found += [f"{key}: key: two products have this key" for key in {k for k in keys if keys.count(k) > 1}]
    if found:
        raise FaultyFile([f"{path}: {fault}" for fault in found])
    return [_to_product(item, environ) for item in file.product]


def _parse(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise FaultyFile([f"{path}: cannot be read: {error.strerror}"]) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise FaultyFile([f"{path}: is no TOML: {error}"]) from None


def _say(path: Path, document: dict[str, Any], fault: Any) -> str:
    where = [str(part) for part in fault["loc"]]
    if len(fault["loc"]) > 1 and isinstance(fault["loc"][1], int):
        product = document["product"][fault["loc"][1]]
        name = product.get("key") if isinstance(product, dict) else None
        where[0:2] = [str(name or f"product number {fault['loc'][1] + 1}")]
    advice = "this key is not known here; remove it" if fault["type"] == "extra_forbidden" else fault["msg"]
    return f"{path}: {': '.join(where)}: {advice}"


def _faults(item: _Product, environ: dict[str, str]) -> Iterator[str]:
    for origin in item.origins:
        if fault := origin_fault(origin):
            yield f"{item.key}: origins: {origin!r}: {fault}"
    for repeated in _repeated(item.connectors):
        yield f"{item.key}: connectors: {repeated!r} stands twice; leave one"
    for extra in item.connector.keys() - set(item.connectors):
        yield f"{item.key}: connector.{extra}: is not in connectors; add it there or remove this table"
    for name, message in item.messages.items():
        for fault in messages.faults(MessageTemplate(MessageKind(message.kind), message.text)):
            yield f"{item.key}: messages.{name}: {fault}"
    for word in item.words.keys() - words.known_keys():
        yield f"{item.key}: words.{word}: there is no such text; docs/messages.md lists them"
    keys = _secret_keys(item, environ)
    if not keys:
        yield f"{item.key}: secret_keys: write at least one, or name a set variable in secret_key_env"
    if any(len(key) < SECRET_KEY_LENGTH for key in keys):
        yield f"{item.key}: secret_keys: a key has fewer than {SECRET_KEY_LENGTH} characters; make one"


def _repeated(values: Iterable[str]) -> set[str]:
    seen: set[str] = set()
    return {value for value in values if value in seen or seen.add(value)}  # type: ignore[func-returns-value]


def _secret_keys(item: _Product, environ: dict[str, str]) -> list[str]:
    from_environment = environ.get(item.secret_key_env, "") if item.secret_key_env else ""
    return [*item.secret_keys, *([from_environment] if from_environment else [])]


def _to_product(item: _Product, environ: dict[str, str]) -> AppliedProduct:
    templates = {
        name: MessageTemplate(MessageKind(message.kind), message.text)
        for name, message in item.messages.items()
    }
    default = MessageTemplate(MessageKind.SEALED, "connected:{connector}")
    product = Product(
        key=item.key,
        name=item.name,
        origins=tuple(item.origins),
        connectors=tuple(_offered(key, item.connector.get(key, _Connector())) for key in item.connectors),
        messages={messages.DEFAULT_MESSAGE: default} | templates,
        words=item.words,
        theme=item.theme,
    )
    return AppliedProduct(product, tuple(Secret(key) for key in _secret_keys(item, environ)))


def _offered(key: str, details: _Connector) -> OfferedConnector:
    return OfferedConnector(key, details.name or "", details.reference or key, details.logo)
