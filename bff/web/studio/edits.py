"""Reads edits from forms and scripts, and saves them in the draft."""

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
from bff.content.entries import Content
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
    """Read the edits of a form: for each field ``path``, the text shown (``was``) and the new text (``now``).

    An empty text means no entry. Fields in ``take``, for which the editor accepts the other editor's text,
    are left out. Raises ``InvalidRequest``.
    """
    paths, was, now = (request.form.getlist(name) for name in ("path", "was", "now"))
    if not len(paths) == len(was) == len(now):
        raise InvalidRequest("the form is not whole: each field has a path, what was and what is now")
    theirs = set(request.form.getlist("take"))
    fields = zip(paths, was, now, strict=True)
    return _limited(Edit(path, _text(old), _text(new)) for path, old, new in fields if path not in theirs)


def edits_of_json() -> list[Edit]:
    """Read the edits of a JSON body. Raises ``InvalidRequest``."""
    body = read_body(_Edits)
    return _limited(Edit(item.path, _text(item.was), _text(item.now)) for item in body.edits)


def save(at: Desk, edits: Iterable[Edit]) -> tuple[Draft, list[Clash]]:
    """Save the edits in the draft; return it with the clashes. Raises ``NotSaved``: then nothing is saved."""
    edits = prepared(list(edits), at.draft.content)
    refuse_unknown(edits, at.draft.content, at.registration)
    try:
        return services().teams.content.save(at.session.product, edits, at.session.email)
    except NotSaved as error:
        raise NotSaved(error.faults, edits) from None


def prepared(edits: list[Edit], content: Content) -> list[Edit]:
    """The edits with cleaned texts."""
    formats = {**content, **{edit.path: edit.now for edit in edits if edit.path.endswith("/format")}}
    # In a form, an entry with an empty text looks like no entry.
    return [
        Edit(edit.path, "", edit.now) if edit.was is None and content.get(edit.path) == "" else edit
        for edit in (_cleaned(edit, formats) for edit in edits)
    ]


def _cleaned(edit: Edit, content: Mapping[str, str | None]) -> Edit:
    # A text that was not edited is not cleaned.
    if edit.now is None or edit.now == edit.was:
        return edit
    message_format = content.get(f"messages/{edit.path.split('/')[1]}/format") if "/" in edit.path else None
    return replace(edit, now=cleaned(edit.path, edit.now, message_format or MessageFormat.TEXT) or None)


def _text(value: str) -> str | None:
    # Browsers submit line breaks as CR LF.
    return value.replace("\r\n", "\n").replace("\r", "\n") or None


def _limited(edits: Iterable[Edit]) -> list[Edit]:
    listed = list(edits)
    if len(listed) > MOST_EDITS:
        raise InvalidRequest(f"at most {MOST_EDITS} entries are saved at once")
    return listed
