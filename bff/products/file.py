"""Reads product files (TOML) and reports every fault at once, with its key."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, Literal, TypeVar

from pydantic import Field, ValidationError

from bff.common.faulty_file import FaultyFile, describe_fault, parse_toml
from bff.common.origins import origin_fault
from bff.common.secret import Secret
from bff.content.entries import Content
from bff.content.faults import faults
from bff.content.file import fault_lines, take_logos
from bff.content.file_entries import content_of, repeated_faults
from bff.content.file_tables import ConnectorTable, ContentTables, Key, Name, Strict
from bff.content.logos.logo import Logo
from bff.content.product import DisconnectPolicy, OfferedConnector, Registration
from bff.products.assertion_table import AssertionTable
from bff.products.webhook_endpoint import WebhookEndpoint
from bff.products.webhook_table import WebhookTable, webhook_faults
from bff.serving.environment import variable_of

SECRET_KEY_LENGTH: Final = 20
SENDABLE: Final = re.compile("[!-~]*")
"""A secret key that an ``Authorization`` header carries as it is (RFC 9110, section 5.5)."""
KEY_ADVICE: Final = "which says who calls; make one for each with: echo sk_$(openssl rand -hex 24)"
ACCOUNT_PREFIX: Final = r"^[A-Za-z0-9._~:-]*$"
"""Characters that need no encoding in URLs and headers."""
Value = TypeVar("Value")


class _Product(ContentTables):
    key: Key
    name: Name
    origins: Annotated[list[str], Field(min_length=1)]
    secret_keys: Annotated[list[str], Field(default_factory=list)]
    secret_key_env: str | None = None
    connectors: Annotated[list[Key], Field(min_length=1)]
    assertion: AssertionTable | None = None
    account_namespace: Key | None = None
    account_prefix: Annotated[str, Field(max_length=64, pattern=ACCOUNT_PREFIX)] = ""
    disconnect: Literal["account", "owner", "server"] = "account"
    webhook: Annotated[list[WebhookTable], Field(default_factory=list)]


class _File(Strict):
    product: Annotated[list[_Product], Field(min_length=1)]


@dataclass(frozen=True)
class AppliedProduct:
    """A product of a file: what ``DatabaseProducts.put`` stores, and its webhook endpoints."""

    registration: Registration
    content: Content
    secret_keys: tuple[Secret, ...]
    logos: tuple[Logo, ...] = ()
    webhooks: tuple[WebhookEndpoint, ...] = ()


def read_products(path: Path, environ: dict[str, str] | None = None) -> list[AppliedProduct]:
    """Read the products of a file. Raises ``FaultyFile`` with every fault of all products."""
    environ = dict(os.environ) if environ is None else environ
    document = parse_toml(path)
    try:
        file = _File.model_validate(document)
    except ValidationError as error:
        raise FaultyFile([describe_fault(path, document, fault) for fault in error.errors()]) from None
    wrong: list[str] = []
    logos = {}
    for item in file.product:
        try:
            logos[item.key] = take_logos(item, path.parent)
        except FaultyFile as error:
            wrong += [f"{item.key}: {fault}" for fault in error.faults]
            item.look.clear()
        wrong += _faults(item, environ)
        if item.assertion is not None:
            wrong += [f"{item.key}: assertion.{fault}" for fault in item.assertion.take_keys(path.parent)]
    wrong += _conflicts(file.product, environ)
    if wrong:
        raise FaultyFile([f"{path}: {fault}" for fault in wrong])
    return [_applied(item, environ, logos[item.key]) for item in file.product]


def _conflicts(products: list[_Product], environ: dict[str, str]) -> Iterator[str]:
    """Faults between products: equal keys or secret keys, or assertions that two products would accept."""
    for key in _repeated(item.key for item in products):
        yield f"{key}: key: two products have this key"
    holders: dict[str, list[str]] = {}
    for item in products:
        for secret in _secret_keys(item, environ):
            holders.setdefault(secret, []).append(item.key)
    for keys in dict.fromkeys(tuple(keys) for keys in holders.values() if len(set(keys)) > 1):
        yield f"{', '.join(keys)}: secret_keys: these products have the same key, {KEY_ADVICE}"
    takers: dict[tuple[str, str | None], list[str]] = {}
    for item in products:
        if item.assertion:
            takers.setdefault((item.assertion.issuer, item.assertion.audience), []).append(item.key)
    for (issuer, _), taken_by in takers.items():
        if len(set(taken_by)) > 1:
            yield (
                f"{', '.join(taken_by)}: assertion: these products take what {issuer!r} asserts for the same"
                " audience: one could stand in for the other; write another audience for each"
            )


def _faults(item: _Product, environ: dict[str, str]) -> Iterator[str]:
    for origin in item.origins:
        if fault := origin_fault(origin):
            yield f"{item.key}: origins: {origin!r}: {fault}"
    for repeated in _repeated(item.connectors):
        yield f"{item.key}: connectors: {repeated!r} stands twice; leave one"
    for extra in item.connector.keys() - set(item.connectors):
        yield f"{item.key}: connector.{extra}: is not in connectors; add it there or remove this table"
    for fault in (*repeated_faults(item), *fault_lines(faults(content_of(item), _registration(item)))):
        yield f"{item.key}: {fault}"
    for fault in webhook_faults(item.webhook, environ):
        yield f"{item.key}: {fault}"
    for fault in _secret_faults(item, _secret_keys(item, environ)):
        yield f"{item.key}: {fault}"


def _secret_faults(item: _Product, keys: list[str]) -> Iterator[str]:
    if not keys and item.secret_key_env:
        yield f"secret_key_env: the variable {item.secret_key_env} is not set"
    elif not keys:
        yield "secret_keys: write at least one, or name a set variable in secret_key_env"
    if not all(map(SENDABLE.fullmatch, keys)):
        yield (
            "secret_keys: a key has a character that no Authorization header carries (a space, a"
            " line break, or one that is not ASCII); make another"
        )
    if any(len(key) < SECRET_KEY_LENGTH for key in keys):
        yield f"secret_keys: a key has fewer than {SECRET_KEY_LENGTH} characters; make one"


def _repeated(values: Iterable[Value]) -> set[Value]:
    seen: set[Value] = set()
    return {value for value in values if value in seen or seen.add(value)}  # type: ignore[func-returns-value]


def _secret_keys(item: _Product, environ: dict[str, str]) -> list[str]:
    """The keys, each once. White space around a key is left out, as HTTP does: ``echo`` ends in a newline."""
    from_environment = variable_of(item.secret_key_env, environ) if item.secret_key_env else ""
    written = [key.strip() for key in item.secret_keys]
    return list(dict.fromkeys([*written, *([from_environment] if from_environment else [])]))


def _registration(item: _Product) -> Registration:
    connectors = tuple(_offered(key, item.connector.get(key, ConnectorTable())) for key in item.connectors)
    rule = item.assertion.rule() if item.assertion else None
    return Registration(
        item.key,
        item.name,
        tuple(dict.fromkeys(item.origins)),
        connectors,
        assertion=rule,
        account_namespace=item.account_namespace,
        account_prefix=item.account_prefix,
        disconnect=DisconnectPolicy(item.disconnect),
    )


def _applied(item: _Product, environ: dict[str, str], logos: tuple[Logo, ...]) -> AppliedProduct:
    keys = tuple(Secret(key) for key in _secret_keys(item, environ))
    webhooks = tuple(table.endpoint(item.key, environ) for table in item.webhook)
    return AppliedProduct(_registration(item), content_of(item), keys, logos, webhooks)


def _offered(key: str, details: ConnectorTable) -> OfferedConnector:
    return OfferedConnector(key, details.name or "", details.reference or key, details.logo, details.multiple)
