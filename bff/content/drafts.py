"""Several people at one draft, entry by entry.

Two who edit different things never meet; two who edit the same are both told. Nothing that anybody wrote is
overwritten unseen.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bff.content.entries import Content
from bff.content.faults import MOST_ENTRIES


@dataclass(frozen=True)
class Touch:
    """Who changed an entry last, and when (UTC)."""

    by: str
    at: datetime


@dataclass(frozen=True)
class Draft:
    """What is not published yet, on top of the version ``based_on``.

    ``revision`` is another after every change, and none comes twice; 0 says that nobody has changed anything.
    """

    content: Content
    revision: int = 0
    based_on: int = 0
    touched: Mapping[str, Touch] = field(default_factory=dict)


@dataclass(frozen=True)
class Version:
    """What was published, by whom, when (UTC), and why. Number 0: nothing ever was."""

    number: int
    content: Content
    by: str
    at: datetime
    note: str = ""


@dataclass(frozen=True)
class Edit:
    """One entry as its editor wants it. ``was`` is what they saw before; None stands for no entry."""

    path: str
    was: str | None
    now: str | None


@dataclass(frozen=True)
class Clash:
    """Somebody else changed the entry meanwhile: ``theirs`` stands in the draft, ``mine`` was not taken."""

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
    """The draft with the edits in it, and those that met another's change and were left out."""
    content, touched, clashes = dict(draft.content), dict(draft.touched), []
    for edit in edits:
        there = content.get(edit.path)
        if edit.now in {there, edit.was}:
            continue  # It is so already, or its editor left it alone.
        if there != edit.was:
            clashes.append(Clash(edit.path, edit.now, there, touched.get(edit.path)))
            continue
        _put(content, edit.path, edit.now)
        touched[edit.path] = Touch(who, now)
    if content == draft.content:
        return draft, clashes
    return Draft(content, _next(draft, now), draft.based_on, _newest(touched)), clashes


def rebase(base: Content, draft: Draft, published: Version, now: datetime) -> tuple[Draft, list[Clash]]:
    """The draft's own changes on top of a version that was published meanwhile.

    Where both changed an entry, the draft's text stays and the clash tells what was published (``theirs``).
    """
    content, clashes = dict(published.content), []
    for change in difference(base, draft.content):
        there = published.content.get(change.path)
        if there not in {change.before, change.after}:
            last = Touch(published.by, published.at)
            clashes.append(Clash(change.path, change.after, there, last))
        _put(content, change.path, change.after)
    return Draft(content, _next(draft, now), published.number, draft.touched), clashes


def difference(before: Content, after: Content) -> list[Change]:
    """What changed from one to the other, by path."""
    return [
        Change(path, before.get(path), after.get(path))
        for path in sorted({*before, *after})
        if before.get(path) != after.get(path)
    ]


def _newest(touched: dict[str, Touch]) -> dict[str, Touch]:
    # Who took an entry out is told as well; of entries that come and go without end the oldest are forgotten.
    if len(touched) <= MOST_ENTRIES:
        return touched
    kept = sorted(touched.items(), key=lambda item: item[1].at, reverse=True)
    return dict(kept[:MOST_ENTRIES])


def _next(draft: Draft, now: datetime) -> int:
    # By the clock, so that a draft begun anew after another was published has no revision of the old one's.
    return max(draft.revision + 1, int(now.timestamp() * 1000))


def _put(content: dict[str, str], path: str, text: str | None) -> None:
    if text is None:
        content.pop(path, None)
    else:
        content[path] = text
