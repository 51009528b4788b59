"""What product teams wrote, in the database: published versions, and one draft a product."""

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
MOST_NOTE: Final = 500
MOST_VERSIONS: Final = 100
"""So many published versions of a product are kept: those that its history shows."""


class ContentStore:
    """Each change is one transaction, which sees what others wrote just before."""

    def __init__(self, engine: Engine, clock: Callable[[], datetime]) -> None:
        self._engine = engine
        self._writer = writing(engine)
        self._clock = clock

    def published(self, product: str) -> Version:
        """What users meet now; version 0 with no content where nothing was ever published."""
        with self._engine.connect() as connection:
            return latest(connection, product)

    def version(self, product: str, number: int) -> Version:
        """One published version. Raises ``NotFound``."""
        table = content_versions.c
        wanted = select(content_versions).where(table.product_key == product, table.number == number)
        with self._engine.connect() as connection:
            row = connection.execute(wanted).one_or_none()
        if row is None:
            raise NotFound(f"there is no version {number} of {product}")
        return _version(row)

    def history(self, product: str, most: int = MOST_VERSIONS) -> list[Version]:
        """What was published, newest first."""
        table = content_versions.c
        wanted = select(content_versions).where(table.product_key == product).order_by(table.number.desc())
        with self._engine.connect() as connection:
            return [_version(row) for row in connection.execute(wanted.limit(most))]

    def draft(self, product: str) -> Draft:
        """What is not published yet; the published content where nobody has changed anything."""
        with self._engine.connect() as connection:
            return _draft(connection, product)

    def save(self, product: str, edits: Sequence[Edit], who: str) -> tuple[Draft, list[Clash]]:
        """Put edits into the draft; the clashes are those that met another's change and were left out.

        Raises ``NotSaved`` when the draft would become too large.
        """
        with self._writer.begin() as connection:
            _lock(connection, product)
            before = _draft(connection, product)
            draft, clashes = apply(before, edits, who, self._clock())
            if draft is not before:
                refuse_too_much(list(edits), before.content, draft.content)
                _keep(connection, product, draft)
        return draft, clashes

    def rebase(self, product: str) -> tuple[Draft, list[Clash]]:
        """Bring the draft up to the newest published version; its own changes stay."""
        with self._writer.begin() as connection:
            _lock(connection, product)
            draft, published = _draft(connection, product), latest(connection, product)
            if draft.based_on == published.number:
                return draft, []
            base = _content_of(connection, product, draft.based_on)
            moved, clashes = rebase(base, draft, published, self._clock())
            _keep(connection, product, moved)
        return moved, clashes

    def discard(self, product: str, revision: int) -> None:
        """Forget the draft. Raises ``Outdated`` when it is not the one that its editor saw."""
        with self._writer.begin() as connection:
            _lock(connection, product)
            draft = _draft(connection, product)
            if draft.revision != revision:
                raise Outdated("the draft has changed since you looked; look again before you discard it")
            connection.execute(delete(drafts).where(drafts.c.product_key == product))

    def publish_draft(self, product: str, revision: int, who: str, note: str = "") -> Version:
        """Make the draft what users meet.

        Raises ``Outdated`` when the draft has changed since its publisher looked at it, or when another
        version was published since the draft began (``rebase`` brings it up).
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
        """Make ``content`` what users meet, beside any draft; the same as before makes no new version.

        Raises ``Outdated`` when ``expected`` is not the number of the version that stands.
        """
        with self._writer.begin() as connection:
            _lock(connection, product)
            current = latest(connection, product)
            if expected is not None and current.number != expected:
                raise Outdated(f"{current.by} has published version {current.number} meanwhile; look again")
            return self.put(connection, product, content, who, note)

    def put(self, connection: Connection, product: str, content: Content, who: str, note: str) -> Version:
        """``publish`` inside a transaction of the caller's."""
        current = latest(connection, product)
        if dict(content) == dict(current.content) and current.number:
            return current
        if not _has_changes(connection, product, current):
            connection.execute(delete(drafts).where(drafts.c.product_key == product))
        return self._add(connection, product, current, content, who, note)

    def restore(self, product: str, number: int, who: str, *, expected: int) -> Version:
        """Publish an earlier version's content again, as a new one. Raises ``NotFound`` or ``Outdated``."""
        earlier = self.version(product, number)
        return self.publish(product, earlier.content, who, f"back to version {number}", expected=expected)

    def _add(
        self, connection: Connection, product: str, current: Version, content: Content, who: str, note: str
    ) -> Version:
        made = Version(current.number + 1, dict(content), who, self._clock(), note[:MOST_NOTE])
        row = {"product_key": product, "number": made.number, "content": dict(content)}
        row |= {"by": who, "at": made.at, "note": made.note}
        connection.execute(insert(content_versions).values(row))
        _forget_oldest(connection, product, made.number)
        return made


def latest(connection: Connection, product: str) -> Version:
    """The version that stands."""
    table = content_versions.c
    wanted = select(content_versions).where(table.product_key == product).order_by(table.number.desc())
    row = connection.execute(wanted.limit(1)).one_or_none()
    return _version(row) if row else NOTHING


def _forget_oldest(connection: Connection, product: str, newest: int) -> None:
    # But for the one that the draft stands on, from which its changes are told.
    table = content_versions.c
    ours, of_draft = (
        table.product_key == product,
        select(drafts.c.based_on).where(drafts.c.product_key == product),
    )
    old = ours & (table.number <= newest - MOST_VERSIONS) & table.number.not_in(of_draft)
    connection.execute(delete(content_versions).where(old))


def _lock(connection: Connection, product: str) -> None:
    # One writer at a time for each product; SQLite has one for all.
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


def _keep(connection: Connection, product: str, draft: Draft) -> None:
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
