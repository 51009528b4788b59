"""Concurrent editing of a draft, entry by entry.

Edits of different entries never conflict. An edit of an entry that somebody else has changed meanwhile is not
applied, and is returned as a ``Clash`` with both texts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bff.content.entries import Content
from bff.content.faults import MOST_ENTRIES


@dataclass(frozen=True)
class Touch:
    """The last change of an entry: by whom, and when (UTC)."""

    by: str
    at: datetime


@dataclass(frozen=True)
class Draft:
    """Unpublished content, which began as that of the version ``based_on``.

    ``revision`` grows with every change, and is never reused. 0 means that nothing was changed.
    """

    content: Content
    revision: int = 0
    based_on: int = 0
    touched: Mapping[str, Touch] = field(default_factory=dict)


@dataclass(frozen=True)
class Version:
    """Published content, with its author, time (UTC) and note. Number 0 means that nothing was published."""

    number: int
    content: Content
    by: str
    at: datetime
    note: str = ""


@dataclass(frozen=True)
class Edit:
    """A change of one entry. ``was`` is the text that the editor saw, ``now`` the new one; None: no entry."""

    path: str
    was: str | None
    now: str | None


@dataclass(frozen=True)
class Clash:
    """A conflict at an entry: ``mine`` was written, but somebody else had changed it to ``theirs``."""

    path: str
    mine: str | None
    theirs: str | None
    last: Touch | None


@dataclass(frozen=True)
class Change:
    """One difference between two contents."""

    path: str
    before: str | None
    after: str | None


def apply(draft: Draft, edits: Iterable[Edit], who: str, now: datetime) -> tuple[Draft, list[Clash]]:
    """Apply edits to a draft. Returns the new draft, and a clash for each edit that was not applied."""
    content, touched, clashes = dict(draft.content), dict(draft.touched), []
    for edit in edits:
        current = content.get(edit.path)
        if edit.now in {current, edit.was}:
            continue  # The entry has this text already, or the editor did not change it.
        if current != edit.was:
            clashes.append(Clash(edit.path, edit.now, current, touched.get(edit.path)))
            continue
        _put(content, edit.path, edit.now)
        touched[edit.path] = Touch(who, now)
    if content == draft.content:
        return draft, clashes
    return Draft(content, _next_revision(draft, now), draft.based_on, _newest(touched)), clashes


def rebase(base: Content, draft: Draft, published: Version, now: datetime) -> tuple[Draft, list[Clash]]:
    """Move a draft's changes onto a version that was published after the draft began.

    ``base`` is the content that the draft began with. Where both changed an entry, the draft's text stays,
    and a clash holds the published one as ``theirs``.
    """
    content, clashes = dict(published.content), []
    for change in difference(base, draft.content):
        current = published.content.get(change.path)
        if current not in {change.before, change.after}:
            last = Touch(published.by, published.at)
            clashes.append(Clash(change.path, change.after, current, last))
        _put(content, change.path, change.after)
    return Draft(content, _next_revision(draft, now), published.number, draft.touched), clashes


def difference(before: Content, after: Content) -> list[Change]:
    """The changes from one content to the other, sorted by path."""
    return [
        Change(path, before.get(path), after.get(path))
        for path in sorted({*before, *after})
        if before.get(path) != after.get(path)
    ]


def _newest(touched: dict[str, Touch]) -> dict[str, Touch]:
    # Removed entries are recorded too, so without a bound this would grow for ever.
    if len(touched) <= MOST_ENTRIES:
        return touched
    newest = sorted(touched.items(), key=lambda item: item[1].at, reverse=True)
    return dict(newest[:MOST_ENTRIES])


def _next_revision(draft: Draft, now: datetime) -> int:
    # From the clock, so that the next draft never reuses a revision of one that was published or discarded.
    return max(draft.revision + 1, int(now.timestamp() * 1000))


def _put(content: dict[str, str], path: str, text: str | None) -> None:
    if text is None:
        content.pop(path, None)
    else:
        content[path] = text
