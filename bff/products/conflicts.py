"""Secret keys and assertions by which a product could be taken for another one in the database."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.exc import SQLAlchemyError

from bff.common.faulty_file import FaultyFile
from bff.common.secret import fingerprint
from bff.products.file import AppliedProduct, read_products
from bff.serving.database import open_database
from bff.serving.sqlite_file import missing_file
from bff.storage.tables import products, secret_keys


def conflicts(connection: Connection, applied: Sequence[AppliedProduct], public_url: str = "") -> list[str]:
    """A line for each product that could be taken for a stored product that is none of ``applied``.

    Namely one with a secret key of that product, or with the issuer and audience of its assertions.
    ``public_url``: the audience where a product names none; empty if it is not known.
    """
    ours = [product.registration.key for product in applied]
    return [
        *_with_equal_keys(connection, applied, ours),
        *_with_equal_assertions(connection, applied, ours, public_url),
    ]


def stored_conflicts(path: Path | None, url: str, public_url: str) -> list[str]:
    """The same for the products of a file. Empty if the file or the database cannot be read, or is not there.

    Other checks report those.
    """
    if path is None or missing_file(url) is not None:
        return []
    try:
        applied = read_products(path)
        engine = open_database(url)
        try:
            with engine.connect() as connection:
                return [f"{path}: {fault}" for fault in conflicts(connection, applied, public_url)]
        finally:
            engine.dispose()
    except (FaultyFile, SQLAlchemyError):
        return []


def _with_equal_keys(
    connection: Connection, applied: Sequence[AppliedProduct], ours: list[str]
) -> Iterator[str]:
    wanted = {
        fingerprint(secret.reveal()): product.registration.key
        for product in applied
        for secret in product.secret_keys
    }
    held = select(secret_keys.c.sha256, secret_keys.c.product_key).where(
        secret_keys.c.sha256.in_(list(wanted)), secret_keys.c.product_key.not_in(ours)
    )
    for key, other in sorted({(wanted[row.sha256], row.product_key) for row in connection.execute(held)}):
        yield (
            f"{key}: secret_keys: product {other!r} in the database has one of these keys; make another key,"
            f" or, {_if_unused(other)}"
        )


def _with_equal_assertions(
    connection: Connection, applied: Sequence[AppliedProduct], ours: list[str], public_url: str
) -> Iterator[str]:
    """A line for each pair whose hosts' assertions are good for either product."""
    others = select(products.c.key, products.c.document).where(products.c.key.not_in(ours))
    stored = [(row.key, row.document.get("assertion")) for row in connection.execute(others)]
    holders: dict[tuple[str, str], list[str]] = {}
    for key, rule in sorted((key, rule) for key, rule in stored if rule):
        holders.setdefault(_taken(rule, public_url), []).append(key)
    in_file: dict[tuple[str, str], str] = {}
    for product in applied:
        key, rule = product.registration.key, product.registration.assertion
        if rule is None:
            continue
        taken = _taken({"issuer": rule.issuer, "audience": rule.audience}, public_url)
        for other in holders.get(taken, ()):
            yield (
                f"{key}: assertion: product {other!r} in the database takes what {rule.issuer!r} asserts for"
                f" the same audience: one could stand in for the other; write another audience, or,"
                f" {_if_unused(other)}"
            )
        if (other := in_file.setdefault(taken, key)) != key:
            yield (
                f"{key}: assertion: product {other!r} takes what {rule.issuer!r} asserts for {taken[1]!r}:"
                " one could stand in for the other; write another audience"
            )


def _taken(rule: Mapping[str, Any], public_url: str) -> tuple[str, str]:
    """The issuer and the audience of the assertions that a rule takes (``JwtAssertions``)."""
    return rule["issuer"], rule["audience"] or public_url


def _if_unused(key: str) -> str:
    return f"if {key!r} is not used any more, run: hitchpost products remove {key}"
