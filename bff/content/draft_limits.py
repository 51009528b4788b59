"""What a draft may hold: known entries of a sensible length, and not more than pages can be made of."""

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
    """Nothing of a save was taken. ``faults`` says why by path, ``texts`` what was wanted there."""

    def __init__(self, faults: Faults, edits: Iterable[Edit] = ()) -> None:
        told = [f"{path[:80]}: {said[0]}" if path else said[0] for path, said in faults.items()]
        super().__init__("; ".join(told[:5]))
        self.faults = faults
        self.texts: Mapping[str, str] = {edit.path: edit.now or "" for edit in edits}


def refuse_unknown(edits: list[Edit], content: Content, registration: Registration) -> None:
    """Raises ``NotSaved`` for entries that could never be published, whatever stood in them.

    A text with another fault may stay in a draft: that is what a draft is for. What is there already may be
    left as it is, and taken out.
    """
    connectors = {offered.key for offered in registration.connectors}
    faults: Faults = {}
    for edit in edits:
        if edit.now is None or edit.now == content.get(edit.path):
            continue
        if said := list(_faults(edit.path, edit.now, connectors)):
            faults[edit.path] = said
    if faults:
        raise NotSaved(faults, edits)


def refuse_too_much(edits: list[Edit], before: Content, after: Content) -> None:
    """Raises ``NotSaved`` where a draft would become too large; one that is may become smaller."""
    if _weight(after) <= _weight(before):
        return
    if said := size_faults(after):
        grown = [edit.path for edit in edits if len(edit.now or "") > len(before.get(edit.path, ""))]
        raise NotSaved({(grown or [""])[0]: said}, edits)


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


def _weight(content: Content) -> int:
    return sum(len(path) + len(text) for path, text in content.items())
