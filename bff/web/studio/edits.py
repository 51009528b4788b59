"""Reads what an editor sends, and puts it into the draft."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Annotated

from flask import request
from pydantic import Field

from bff.common.errors import InvalidRequest
from bff.content.cleaning import cleaned
from bff.content.draft_limits import NotSaved, refuse_unknown
from bff.content.drafts import Clash, Draft, Edit
from bff.content.product import MessageFormat
from bff.web.kit.bodies import Body, read_body
from bff.web.kit.services import services
from bff.web.studio.page_context import Desk

MOST_EDITS = 2000


class _Edit(Body):
    path: str
    was: str
    now: str


class _Edits(Body):
    edits: Annotated[list[_Edit], Field(max_length=MOST_EDITS)]


def edits_of_form() -> list[Edit]:
    """The fields of a form: for each its ``path``, what its editor saw (``was``), what they want (``now``).

    Empty stands for no entry. A field whose clash its editor has settled for the other's text is left out.
    Raises ``InvalidRequest``.
    """
    paths, was, now = (request.form.getlist(name) for name in ("path", "was", "now"))
    if not len(paths) == len(was) == len(now):
        raise InvalidRequest("the form is not whole: each field has a path, what was and what is now")
    theirs = set(request.form.getlist("take"))
    found = zip(paths, was, now, strict=True)
    return _sound(Edit(path, _text(old), _text(new)) for path, old, new in found if path not in theirs)


def edits_of_json() -> list[Edit]:
    """The same from a script."""
    body = read_body(_Edits)
    return _sound(Edit(item.path, _text(item.was), _text(item.now)) for item in body.edits)


def save(at: Desk, edits: Iterable[Edit]) -> tuple[Draft, list[Clash]]:
    """Put the edits into the draft, as this session's person. Raises ``NotSaved``: then none was taken."""
    there = at.draft.content
    # An entry that is there and empty looks like none in a form.
    given = list(edits)
    forms = {edit.path: edit.now for edit in given if edit.path.endswith("/format")}
    made = [
        Edit(edit.path, "", edit.now) if edit.was is None and there.get(edit.path) == "" else edit
        for edit in (_cleaned(edit, {**there, **forms}) for edit in given)
    ]
    refuse_unknown(made, there, at.registration)
    try:
        return services().teams.content.save(at.session.product, made, at.session.email)
    except NotSaved as error:
        raise NotSaved(error.faults, made) from None


def _cleaned(edit: Edit, content: Mapping[str, str | None]) -> Edit:
    # A text that its editor left alone stays as it is, whatever stands in it.
    if edit.now is None or edit.now == edit.was:
        return edit
    form = content.get(f"messages/{edit.path.split('/')[1]}/format") if "/" in edit.path else None
    return replace(edit, now=cleaned(edit.path, edit.now, form or MessageFormat.TEXT) or None)


def _text(given: str) -> str | None:
    # Forms send line breaks as CR LF, whatever the text had.
    return given.replace("\r\n", "\n").replace("\r", "\n") or None


def _sound(edits: Iterable[Edit]) -> list[Edit]:
    made = list(edits)
    if len(made) > MOST_EDITS:
        raise InvalidRequest(f"at most {MOST_EDITS} entries are saved at once")
    return made
