"""Limits of a draft: known entries only, of a bounded length and total size."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from bff.common.errors import InvalidRequest
from bff.common.text import text_fault
from bff.content import words
from bff.content.drafts import Edit
from bff.content.entries import Content, Faults
from bff.content.faults import MOST_PATH, MOST_TEXT, path_faults, size_faults
from bff.content.look_fields import FIELDS
from bff.content.product import Registration


class NotSaved(InvalidRequest):
    """A save was refused as a whole. ``faults`` are the reasons and ``texts`` the refused texts, by path."""

    def __init__(self, faults: Faults, edits: Iterable[Edit] = ()) -> None:
        lines = [f"{path[:80]}: {reasons[0]}" if path else reasons[0] for path, reasons in faults.items()]
        super().__init__("; ".join(lines[:5]))
        self.faults = faults
        self.texts: Mapping[str, str] = {edit.path: edit.now or "" for edit in edits}


def refuse_unknown(edits: list[Edit], content: Content, registration: Registration) -> None:
    """Raise ``NotSaved`` for edits whose path is unknown, or whose text is too long or cannot be stored.

    Other faults are allowed in a draft, and are reported before it is published. Edits that remove an entry
    or do not change it are always allowed.
    """
    connectors = {offered.key for offered in registration.connectors}
    faults: Faults = {}
    for edit in edits:
        if edit.now is None or edit.now == content.get(edit.path):
            continue
        if reasons := list(_faults(edit.path, edit.now, connectors)):
            faults[edit.path] = reasons
    if faults:
        raise NotSaved(faults, edits)


def refuse_too_much(edits: list[Edit], before: Content, after: Content) -> None:
    """Raise ``NotSaved`` if the edits make a draft too large. One that is too large may always shrink."""
    if _size(after) <= _size(before):
        return
    if reasons := size_faults(after):
        grown = [edit.path for edit in edits if len(edit.now or "") > len(before.get(edit.path, ""))]
        raise NotSaved({(grown or [""])[0]: reasons}, edits)


def _faults(path: str, text: str, connectors: set[str]) -> Iterator[str]:
    if fault := text_fault(path) or text_fault(text):
        yield fault
    if len(path) > MOST_PATH or not path.isprintable():
        yield f"a path has 1 to {MOST_PATH} printable characters"
    if len(text) > MOST_TEXT:
        yield f"the text has {len(text)} characters; at most {MOST_TEXT} are kept, so shorten it"
    match path.split("/"):
        case ["words", _, _, key] if key not in words.CATALOGUE:
            yield "there is no such text; docs/words.md lists them"
        case ["look", field] if field not in FIELDS:
            yield f"there is no such field; there are {', '.join(FIELDS)}"
    yield from path_faults(path, connectors)


def _size(content: Content) -> int:
    return sum(len(path) + len(text) for path, text in content.items())
