"""Products in the database."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, Engine, delete, insert, select

from bff.adapters.database import writing
from bff.adapters.tables import product_origins, products, secret_keys
from bff.core.model import MessageKind, MessageTemplate, OfferedConnector, Product
from bff.core.secret import Secret, fingerprint


class DatabaseProducts:
    """Implements ``ProductStore``, and takes what a product file says."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._writer = writing(engine)

    def get(self, key: str) -> Product | None:
        """The product of this key."""
        with self._engine.connect() as connection:
            return _load(connection, key)

    def find_by_secret_key(self, secret_key: Secret) -> Product | None:
        """The product that this secret key belongs to; keys are kept as SHA-256 only."""
        statement = select(secret_keys.c.product_key).where(
            secret_keys.c.sha256 == fingerprint(secret_key.reveal())
        )
        with self._engine.connect() as connection:
            key = connection.execute(statement).scalar_one_or_none()
            return _load(connection, key) if key else None

    def is_registered_origin(self, origin: str) -> bool:
        """Whether any product registered exactly this origin."""
        statement = select(product_origins.c.origin).where(product_origins.c.origin == origin).limit(1)
        with self._engine.connect() as connection:
            return connection.execute(statement).first() is not None

    def put(self, product: Product, keys: Iterable[Secret]) -> None:
        """Write a product whole, in one transaction: what it was before is replaced."""
        row = {"key": product.key, "name": product.name, "document": _to_document(product)}
        with self._writer.begin() as connection:
            connection.execute(delete(products).where(products.c.key == product.key))
            connection.execute(insert(products).values(row))
            for origin in product.origins:
                connection.execute(insert(product_origins).values(product_key=product.key, origin=origin))
            for secret in keys:
                digest = fingerprint(secret.reveal())
                connection.execute(insert(secret_keys).values(sha256=digest, product_key=product.key))


def _load(connection: Connection, key: str) -> Product | None:
    row = connection.execute(select(products).where(products.c.key == key)).one_or_none()
    if row is None:
        return None
    origins = connection.execute(
        select(product_origins.c.origin).where(product_origins.c.product_key == key)
    ).scalars()
    return _from_document(row.key, row.name, tuple(origins), row.document)


def _to_document(product: Product) -> dict[str, Any]:
    return {
        "connectors": [
            {"key": offered.key, "name": offered.name, "reference": offered.reference, "logo": offered.logo}
            for offered in product.connectors
        ],
        "messages": {
            name: {"kind": template.kind.value, "text": template.text}
            for name, template in product.messages.items()
        },
        "words": product.words,
        "theme": product.theme,
    }


def _from_document(key: str, name: str, origins: tuple[str, ...], document: dict[str, Any]) -> Product:
    return Product(
        key=key,
        name=name,
        origins=origins,
        connectors=tuple(OfferedConnector(**offered) for offered in document["connectors"]),
        messages={
            message: MessageTemplate(MessageKind(template["kind"]), template["text"])
            for message, template in document["messages"].items()
        },
        words=document["words"],
        theme=document["theme"],
    )
