"""Products in the database: the operators' registration, merged with the content that the team published."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Connection, Engine, delete, insert, select, update

from bff.common.faulty_file import FaultyFile
from bff.common.secret import Secret, fingerprint
from bff.common.ttl_cache import TtlCache
from bff.content.content import product_of
from bff.content.entries import Content
from bff.content.logos.logo import Logo
from bff.content.logos.store import DatabaseImages
from bff.content.product import DisconnectPolicy, OfferedConnector, Product, Registration
from bff.content.store import ContentStore, latest
from bff.identity.sessions import AssertionRule
from bff.products.account_names import AccountNames, account_names, bequeathed, returned, with_history
from bff.products.conflicts import conflicts
from bff.products.file import AppliedProduct
from bff.serving.database import writing
from bff.storage.schema import SCHEMA
from bff.storage.tables import connections, product_origins, products, secret_keys

FRESH_SECONDS: Final = 2.0
"""How long a worker may serve an outdated product: the lifetime of its cache."""

BY_FILE: Final = "product file"
"""Author of the versions that a product file published."""


class DatabaseProducts:
    """Implements ``ProductStore``, and stores the products of a product file.

    Every request reads products, which change seldom, so each process caches them for ``fresh`` seconds.
    ``public_url``: the audience of assertions where a product names none; empty if it is not known.
    """

    def __init__(
        self,
        engine: Engine,
        service_url: str = Registration.service_url,
        public_url: str = "",
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        fresh: float = FRESH_SECONDS,
    ) -> None:
        self._engine = engine
        self._writer = writing(engine)
        self._service_url = service_url
        self._public_url = public_url
        self._clock = clock
        self._content = ContentStore(engine, clock)
        self._images = DatabaseImages(engine, clock)
        self._products: TtlCache[Product | None] = TtlCache(fresh)
        self._origins: TtlCache[bool] = TtlCache(fresh)
        self._account_names: TtlCache[AccountNames] = TtlCache(fresh)

    def get(self, key: str) -> Product | None:
        """The product with this key, as its team has published it. None if there is none."""
        return self._products.get(key, self._read)

    def forget(self, key: str) -> None:
        """Drop the product from the cache, after a change."""
        self._products.forget(key)

    def find_by_secret_key(self, secret_key: Secret) -> Product | None:
        """The product that this secret key belongs to. Only the SHA-256 of a key is stored."""
        statement = select(secret_keys.c.product_key).where(
            secret_keys.c.sha256 == fingerprint(secret_key.reveal())
        )
        with self._engine.connect() as connection:
            key = connection.execute(statement).scalar_one_or_none()
        return self.get(key) if key else None

    def is_registered_origin(self, origin: str) -> bool:
        """Whether any product has registered exactly this origin."""
        return self._origins.get(origin, self._has_origin)

    def registration(self, key: str) -> Registration | None:
        """The operators' registration of the product with this key. None if there is none."""
        with self._engine.connect() as connection:
            return self._registration(connection, key)

    def sharing(self, key: str) -> tuple[str, ...]:
        """Keys of the products in the same account namespace: this one first, then the others sorted."""
        return self.account_names(key).sharing

    def account_names(self, key: str) -> AccountNames:
        """Which accounts at the partner service the product, or draft, of this key may use."""
        return self._account_names.get(key, self._read_account_names)

    def connectors(self, key: str) -> tuple[OfferedConnector, ...]:
        """The connectors of a product; none if there is no such product."""
        product = self.get(key)
        return product.connectors if product else ()

    def assertion_rule(self, key: str) -> AssertionRule | None:
        """The rule for host assertions of a product. None if it accepts none."""
        registration = self.registration(key)
        return registration.assertion if registration else None

    def keys(self) -> list[str]:
        """The keys of all products, sorted."""
        with self._engine.connect() as connection:
            return list(connection.execute(select(products.c.key).order_by(products.c.key)).scalars())

    def put(
        self,
        registration: Registration,
        content: Content,
        keys: Iterable[Secret],
        logos: Iterable[Logo] = (),
    ) -> bool:
        """Store one product, as ``put_all`` does. Returns whether its content was published."""
        (changed,) = self.put_all([AppliedProduct(registration, content, tuple(keys), tuple(logos))])
        return changed

    def put_all(
        self,
        applied: Sequence[AppliedProduct],
        also: Callable[[Connection, AppliedProduct], None] = lambda *_: None,
    ) -> list[bool]:
        """Replace the registrations and secret keys of products in one transaction: of all, or of none.

        The content of the product file is published only if it differs from the file's content of the last
        call: an unchanged file does not undo what the team has published since. Returns for each product
        whether it was published. ``also`` stores more of a product in the same transaction. Raises
        ``FaultyFile`` if one could be taken for another product in the database (``conflicts``).
        """
        for product in applied:
            for logo in product.logos:
                self._images.put(logo, product.registration.key)
        with self._writer.begin() as connection:
            # Several workers apply the same file when they start.
            SCHEMA.one_at_a_time(connection)
            if faults := conflicts(connection, applied, self._public_url):
                raise FaultyFile(faults)
            # Of all products first: a key may move from one to another.
            ours = [product.registration.key for product in applied]
            connection.execute(delete(secret_keys).where(secret_keys.c.product_key.in_(ours)))
            changed = [self._put(connection, product) for product in applied]
            for product in applied:
                also(connection, product)
        self._forget(ours)
        return changed

    def remove(self, key: str, also: Callable[[Connection], None] = lambda _: None) -> None:
        """Delete a product with its secret keys, origins, content, drafts and Studio sessions.

        Attempts, connections and webhook deliveries stay until they are purged. Its connections are no longer
        checked: their accounts' names at the partner service may depend on the registration. The next product
        of its account namespace takes its accounts over.
        """
        with self._writer.begin() as connection:
            SCHEMA.one_at_a_time(connection)
            ours = connections.c.product == key
            connection.execute(update(connections).where(ours).values(look_at=None))
            _store(connection, bequeathed(key, _documents(connection)))
            connection.execute(delete(products).where(products.c.key == key))
            also(connection)
        self._forget([key])

    def _forget(self, keys: Iterable[str]) -> None:
        for key in keys:
            self.forget(key)
        self._origins.clear()
        self._account_names.clear()

    def _put(self, connection: Connection, product: AppliedProduct) -> bool:
        registration, content = product.registration, dict(product.content)
        document = _to_document(registration)
        stored = select(products.c.document, products.c.file_content)
        stored = stored.where(products.c.key == registration.key)
        previous = connection.execute(stored.with_for_update()).one_or_none()
        row = {"name": registration.name, "document": document, "file_content": content}
        if previous is None:
            _take_back(connection, registration.key, self._clock())
            connection.execute(insert(products).values(key=registration.key, **row))
        else:
            row["document"] = with_history(document, previous.document)
            connection.execute(update(products).where(products.c.key == registration.key).values(row))
        _replace(connection, registration, product.secret_keys)
        changed = previous is None or previous.file_content != content
        if changed:
            self._content.put(connection, registration.key, content, BY_FILE, "")
        return changed

    def _read(self, key: str) -> Product | None:
        with self._engine.connect() as connection:
            registration = self._registration(connection, key)
            if registration is None:
                return None
            version = latest(connection, key)
        return product_of(registration, version.content, version.number)

    def _read_account_names(self, key: str) -> AccountNames:
        with self._engine.connect() as connection:
            return account_names(key, _documents(connection))

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
        return Registration(
            key,
            row.name,
            tuple(connection.execute(origins).scalars()),
            connectors,
            self._service_url,
            assertion=_rule(row.document.get("assertion")),
            account_namespace=row.document.get("account_namespace"),
            account_prefix=row.document.get("account_prefix") or "",
            disconnect=DisconnectPolicy(row.document.get("disconnect") or DisconnectPolicy.ACCOUNT),
        )


def _replace(connection: Connection, registration: Registration, keys: Iterable[Secret]) -> None:
    key = registration.key
    connection.execute(delete(product_origins).where(product_origins.c.product_key == key))
    for origin in dict.fromkeys(registration.origins):
        connection.execute(insert(product_origins).values(product_key=key, origin=origin))
    for digest in dict.fromkeys(fingerprint(secret.reveal()) for secret in keys):
        connection.execute(insert(secret_keys).values(sha256=digest, product_key=key))


def _take_back(connection: Connection, key: str, now: datetime) -> None:
    """Give a product that was removed its accounts and the checks of its connections again."""
    _store(connection, returned(key, _documents(connection)))
    exists = connections.c.state.in_(("connected", "needs_reconnect"))
    connection.execute(update(connections).where(connections.c.product == key, exists).values(look_at=now))


def _documents(connection: Connection) -> dict[str, dict[str, Any]]:
    rows = connection.execute(select(products.c.key, products.c.document))
    return {row.key: row.document for row in rows}


def _store(connection: Connection, documents: Mapping[str, dict[str, Any]]) -> None:
    for key, document in documents.items():
        connection.execute(update(products).where(products.c.key == key).values(document=document))


def _to_document(registration: Registration) -> dict[str, Any]:
    return {
        "connectors": [asdict(offered) for offered in registration.connectors],
        "assertion": asdict(registration.assertion) if registration.assertion else None,
        "account_namespace": registration.account_namespace,
        "account_prefix": registration.account_prefix,
        "disconnect": registration.disconnect.value,
    }


def _rule(stored: dict[str, Any] | None) -> AssertionRule | None:
    return AssertionRule(**stored | {"keys": tuple(stored["keys"])}) if stored else None
