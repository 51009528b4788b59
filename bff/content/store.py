"""Content in the database: the published versions and the draft of each product."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Connection, Engine, delete, insert, select, update

from bff.common.errors import NotFound, Outdated
from bff.content.draft_limits import refuse_too_much
from bff.content.drafts import Clash, Draft, Edit, Touch, Version, apply, rebase
from bff.content.entries import Content
from bff.serving.database import writing
from bff.storage.tables import content_versions, drafts, products

NOTHING: Final = Version(0, {}, "", datetime.min.replace(tzinfo=UTC))
"""The version of a product that has published nothing."""
MOST_NOTE: Final = 500
MOST_VERSIONS: Final = 100
"""Published versions of a product that are stored, and shown in its history."""


class ContentStore:
    """Reads and changes content. Each change is one transaction, which locks the product."""

    def __init__(self, engine: Engine, clock: Callable[[], datetime]) -> None:
        self._engine = engine
        self._writer = writing(engine)
        self._clock = clock

    def published(self, product: str) -> Version:
        """The published version. Number 0 and no content if nothing was published."""
        with self._engine.connect() as connection:
            return latest(connection, product)

    def version(self, product: str, number: int) -> Version:
        """An earlier version. Raises ``NotFound``."""
        table = content_versions.c
        wanted = select(content_versions).where(table.product_key == product, table.number == number)
        with self._engine.connect() as connection:
            row = connection.execute(wanted).one_or_none()
        if row is None:
            raise NotFound(f"there is no version {number} of {product}")
        return _version(row)

    def history(self, product: str, most: int = MOST_VERSIONS) -> list[Version]:
        """At most ``most`` versions, newest first."""
        table = content_versions.c
        wanted = select(content_versions).where(table.product_key == product).order_by(table.number.desc())
        with self._engine.connect() as connection:
            return [_version(row) for row in connection.execute(wanted.limit(most))]

    def draft(self, product: str) -> Draft:
        """The draft. It equals the published content if nothing was changed."""
        with self._engine.connect() as connection:
            return _draft(connection, product)

    def save(self, product: str, edits: Sequence[Edit], who: str) -> tuple[Draft, list[Clash]]:
        """Apply edits to the draft. Returns it, and a clash for each edit that was not applied.

        Raises ``NotSaved`` if the draft would become too large.
        """
        with self._writer.begin() as connection:
            _lock(connection, product)
            before = _draft(connection, product)
            draft, clashes = apply(before, edits, who, self._clock())
            if draft is not before:
                refuse_too_much(list(edits), before.content, draft.content)
                _store_draft(connection, product, draft)
        return draft, clashes

    def rebase(self, product: str) -> tuple[Draft, list[Clash]]:
        """Move the draft's changes onto the newest published version."""
        with self._writer.begin() as connection:
            _lock(connection, product)
            draft, published = _draft(connection, product), latest(connection, product)
            if draft.based_on == published.number:
                return draft, []
            base = _content_of(connection, product, draft.based_on)
            moved, clashes = rebase(base, draft, published, self._clock())
            _store_draft(connection, product, moved)
        return moved, clashes

    def discard(self, product: str, revision: int) -> None:
        """Delete the draft. Raises ``Outdated`` if it is not at ``revision``, which its editor saw."""
        with self._writer.begin() as connection:
            _lock(connection, product)
            draft = _draft(connection, product)
            if draft.revision != revision:
                raise Outdated("the draft has changed since you looked; look again before you discard it")
            connection.execute(delete(drafts).where(drafts.c.product_key == product))

    def publish_draft(self, product: str, revision: int, who: str, note: str = "") -> Version:
        """Publish the draft, and delete it. Without changes the published version stays.

        Raises ``Outdated`` if the draft is not at ``revision``, which its publisher saw, or if another
        version was published since the draft began. Call ``rebase`` then.
        """
        with self._writer.begin() as connection:
            _lock(connection, product)
            draft, current = _draft(connection, product), latest(connection, product)
            if draft.revision != revision:
                raise Outdated("the draft has changed since you looked; look at the changes, then publish")
            if draft.based_on != current.number:
                raise Outdated(
                    f"{current.by} has published version {current.number} meanwhile;"
                    " bring it into the draft first"
                )
            if draft.content == current.content and current.number:
                return current
            connection.execute(delete(drafts).where(drafts.c.product_key == product))
            return self._add(connection, product, current, draft.content, who, note)

    def publish(
        self, product: str, content: Content, who: str, note: str = "", *, expected: int | None = None
    ) -> Version:
        """Publish ``content``. A draft with changes stays. Equal content makes no new version.

        Raises ``Outdated`` if the published version's number is not ``expected``.
        """
        with self._writer.begin() as connection:
            _lock(connection, product)
            current = latest(connection, product)
            if expected is not None and current.number != expected:
                raise Outdated(f"{current.by} has published version {current.number} meanwhile; look again")
            return self.put(connection, product, content, who, note)

    def put(self, connection: Connection, product: str, content: Content, who: str, note: str) -> Version:
        """``publish`` within the caller's transaction."""
        current = latest(connection, product)
        if dict(content) == dict(current.content) and current.number:
            return current
        if not _has_changes(connection, product, current):
            connection.execute(delete(drafts).where(drafts.c.product_key == product))
        return self._add(connection, product, current, content, who, note)

    def restore(self, product: str, number: int, who: str, *, expected: int) -> Version:
        """Publish an earlier version's content as a new version. Raises ``NotFound`` or ``Outdated``."""
        earlier = self.version(product, number)
        return self.publish(product, earlier.content, who, f"back to version {number}", expected=expected)

    def _add(
        self, connection: Connection, product: str, current: Version, content: Content, who: str, note: str
    ) -> Version:
        version = Version(current.number + 1, dict(content), who, self._clock(), note[:MOST_NOTE])
        row = {"product_key": product, "number": version.number, "content": dict(content)}
        row |= {"by": who, "at": version.at, "note": version.note}
        connection.execute(insert(content_versions).values(row))
        _delete_oldest(connection, product, version.number)
        return version


def latest(connection: Connection, product: str) -> Version:
    """The published version, read within a transaction."""
    table = content_versions.c
    wanted = select(content_versions).where(table.product_key == product).order_by(table.number.desc())
    row = connection.execute(wanted.limit(1)).one_or_none()
    return _version(row) if row else NOTHING


def _delete_oldest(connection: Connection, product: str, newest: int) -> None:
    # Except for the version that the draft is based on: its changes are computed from there.
    table = content_versions.c
    of_product, of_draft = (
        table.product_key == product,
        select(drafts.c.based_on).where(drafts.c.product_key == product),
    )
    old = of_product & (table.number <= newest - MOST_VERSIONS) & table.number.not_in(of_draft)
    connection.execute(delete(content_versions).where(old))


def _lock(connection: Connection, product: str) -> None:
    # One writer at a time for each product. SQLite ignores the clause: it has one writer in total.
    wanted = select(products.c.key).where(products.c.key == product).with_for_update()
    if connection.execute(wanted).one_or_none() is None:
        raise NotFound(f"there is no product {product!r}")


def _version(row: Any) -> Version:
    return Version(row.number, row.content, row.by, row.at, row.note)


def _content_of(connection: Connection, product: str, number: int) -> Content:
    table = content_versions.c
    wanted = select(table.content).where(table.product_key == product, table.number == number)
    return connection.execute(wanted).scalar_one_or_none() or {}


def _draft(connection: Connection, product: str) -> Draft:
    row = connection.execute(select(drafts).where(drafts.c.product_key == product)).one_or_none()
    if row is None:
        published = latest(connection, product)
        return Draft(dict(published.content), based_on=published.number)
    touched = {path: Touch(by, datetime.fromisoformat(at)) for path, (by, at) in row.touched.items()}
    return Draft(row.content, row.revision, row.based_on, touched)


def _has_changes(connection: Connection, product: str, current: Version) -> bool:
    draft = _draft(connection, product)
    return draft.based_on != current.number or dict(draft.content) != dict(current.content)


def _store_draft(connection: Connection, product: str, draft: Draft) -> None:
    touched = {path: [touch.by, touch.at.isoformat()] for path, touch in draft.touched.items()}
    values = {
        "content": dict(draft.content),
        "revision": draft.revision,
        "based_on": draft.based_on,
        "touched": touched,
    }
    changed = connection.execute(update(drafts).where(drafts.c.product_key == product).values(values))
    if changed.rowcount == 0:
        connection.execute(insert(drafts).values(product_key=product, **values))
