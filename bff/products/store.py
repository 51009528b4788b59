"""Products in the database: what operators registered, with what the product's team has published."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Connection, Engine, delete, insert, select, update

from bff.common.secret import Secret, fingerprint
from bff.common.ttl_cache import Kept
from bff.content.content import product_of
from bff.content.entries import Content
from bff.content.logos.logo import Logo
from bff.content.logos.store import DatabaseImages
from bff.content.product import DisconnectPolicy, OfferedConnector, Product, Registration
from bff.content.store import ContentStore, latest
from bff.identity.sessions import AssertionRule
from bff.serving.database import writing
from bff.storage.schema import SCHEMA
from bff.storage.tables import product_origins, products, secret_keys

FRESH_SECONDS: Final = 2.0
"""So long may a worker show what was published before."""

BY_FILE: Final = "product file"


class DatabaseProducts:
    """Implements ``ProductStore``, and takes what a product file says.

    Products are read by every request and change seldom: each process keeps them for ``fresh`` seconds.
    """

    def __init__(
        self,
        engine: Engine,
        service_url: str = Registration.service_url,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        fresh: float = FRESH_SECONDS,
    ) -> None:
        self._engine = engine
        self._writer = writing(engine)
        self._service_url = service_url
        self._content = ContentStore(engine, clock)
        self._images = DatabaseImages(engine)
        self._products: Kept[Product | None] = Kept(fresh)
        self._origins: Kept[bool] = Kept(fresh)
        self._sharing: Kept[tuple[str, ...]] = Kept(fresh)

    def get(self, key: str) -> Product | None:
        """The product of this key, as its team has published it."""
        return self._products.get(key, self._read)

    def forget(self, key: str) -> None:
        """Read the product anew next time: something has changed."""
        self._products.forget(key)

    def find_by_secret_key(self, secret_key: Secret) -> Product | None:
        """The product that this secret key belongs to; keys are kept as SHA-256 only."""
        statement = select(secret_keys.c.product_key).where(
            secret_keys.c.sha256 == fingerprint(secret_key.reveal())
        )
        with self._engine.connect() as connection:
            key = connection.execute(statement).scalar_one_or_none()
        return self.get(key) if key else None

    def is_registered_origin(self, origin: str) -> bool:
        """Whether any product registered exactly this origin."""
        return self._origins.get(origin, self._has_origin)

    def registration(self, key: str) -> Registration | None:
        """What operators said of the product of this key."""
        with self._engine.connect() as connection:
            return self._registration(connection, key)

    def sharing(self, key: str) -> tuple[str, ...]:
        """The products of the same namespace of accounts, this one first; in the same order for each."""
        return self._sharing.get(key, self._read_sharing)

    def assertion_rule(self, key: str) -> AssertionRule | None:
        """The rule for host assertions of the product of this key; None where it takes none."""
        found = self.registration(key)
        return found.assertion if found else None

    def keys(self) -> list[str]:
        """The key of each product."""
        with self._engine.connect() as connection:
            return list(connection.execute(select(products.c.key).order_by(products.c.key)).scalars())

    def put(
        self,
        registration: Registration,
        content: Content,
        keys: Iterable[Secret],
        logos: Iterable[Logo] = (),
    ) -> bool:
        """Write a product in one transaction: what operators said before is replaced.

        ``content`` is what the product file says. It is published when the file says something else than it
        did the last time; what the team has published since a file that has not changed stays. Returns
        whether it was published.
        """
        for logo in logos:
            self._images.put(logo, registration.key)
        row = {
            "name": registration.name,
            "document": _to_document(registration),
            "file_content": dict(content),
        }
        with self._writer.begin() as connection:
            # Several workers apply one file when they start.
            SCHEMA.one_at_a_time(connection)
            known = select(products.c.file_content).where(products.c.key == registration.key)
            said = connection.execute(known.with_for_update()).one_or_none()
            if said is None:
                connection.execute(insert(products).values(key=registration.key, **row))
            else:
                connection.execute(update(products).where(products.c.key == registration.key).values(row))
            _replace(connection, registration, keys)
            changed = said is None or said.file_content != dict(content)
            if changed:
                self._content.put(connection, registration.key, content, BY_FILE, "")
        self.forget(registration.key)
        self._origins.clear()
        self._sharing.clear()
        return changed

    def _read(self, key: str) -> Product | None:
        with self._engine.connect() as connection:
            registration = self._registration(connection, key)
            if registration is None:
                return None
            version = latest(connection, key)
        return product_of(registration, version.content, version.number)

    def _read_sharing(self, key: str) -> tuple[str, ...]:
        with self._engine.connect() as connection:
            rows = connection.execute(select(products.c.key, products.c.document).order_by(products.c.key))
            spaces = {row.key: row.document.get("account_namespace") for row in rows}
        own = spaces.get(key)
        return key, *(other for other, space in spaces.items() if own and space == own and other != key)

    def _has_origin(self, origin: str) -> bool:
        statement = select(product_origins.c.origin).where(product_origins.c.origin == origin).limit(1)
        with self._engine.connect() as connection:
            return connection.execute(statement).first() is not None

    def _registration(self, connection: Connection, key: str) -> Registration | None:
        wanted = select(products.c.name, products.c.document).where(products.c.key == key)
        row = connection.execute(wanted).one_or_none()
        if row is None:
            return None
        origins = select(product_origins.c.origin).where(product_origins.c.product_key == key)
        connectors = tuple(OfferedConnector(**offered) for offered in row.document["connectors"])
        found = tuple(connection.execute(origins).scalars())
        assertion = _rule(row.document.get("assertion"))
        space, prefix = row.document.get("account_namespace"), row.document.get("account_prefix") or ""
        disconnect = DisconnectPolicy(row.document.get("disconnect") or DisconnectPolicy.ACCOUNT)
        return Registration(
            key, row.name, found, connectors, self._service_url, assertion, space, prefix, disconnect
        )


def _replace(connection: Connection, registration: Registration, keys: Iterable[Secret]) -> None:
    key = registration.key
    connection.execute(delete(product_origins).where(product_origins.c.product_key == key))
    connection.execute(delete(secret_keys).where(secret_keys.c.product_key == key))
    for origin in registration.origins:
        connection.execute(insert(product_origins).values(product_key=key, origin=origin))
    for secret in keys:
        digest = fingerprint(secret.reveal())
        connection.execute(insert(secret_keys).values(sha256=digest, product_key=key))


def _to_document(registration: Registration) -> dict[str, Any]:
    return {
        "connectors": [asdict(offered) for offered in registration.connectors],
        "assertion": asdict(registration.assertion) if registration.assertion else None,
        "account_namespace": registration.account_namespace,
        "account_prefix": registration.account_prefix,
        "disconnect": registration.disconnect.value,
    }


def _rule(kept: dict[str, Any] | None) -> AssertionRule | None:
    return AssertionRule(**kept | {"keys": tuple(kept["keys"])}) if kept else None
