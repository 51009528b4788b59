"""Routes for the Studio's script: save entries, poll for news, and get a session for the draft's widget."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from flask import Blueprint, Response, request

from bff.content.drafts import Clash, Touch
from bff.content.product import DRAFT
from bff.identity.principal import AccountRef, Principal, User
from bff.studio.access import StudioSession
from bff.web.kit.responses import answer
from bff.web.kit.services import services
from bff.web.studio.access import session
from bff.web.studio.edits import edits_of_json, save
from bff.web.studio.page_context import desk

routes = Blueprint("live", __name__)
MOST_PATHS: Final = 50
"""Maximum entries whose current texts one poll requests."""
TOKEN_LIFE: Final = timedelta(minutes=10)


@routes.post("/save")
def save_entries() -> Response:
    """Save entries. Clashes with another editor are returned with both texts."""
    edits = edits_of_json()
    draft, clashes = save(desk(), edits)
    at = desk()
    return answer(
        {
            "revision": draft.revision,
            "changes": len(at.changes),
            "faults": at.faults,
            "texts": {edit.path: draft.content.get(edit.path, "") for edit in edits},
            "clashes": [_clash(clash) for clash in clashes],
        }
    )


@routes.get("/news")
def news() -> Response:
    """Return the draft's changes by other editors, newest first, and this session's CSRF token."""
    at = desk()
    others = [
        {"path": path, "label": at.label(path), **_touch(touch)}
        for path, touch in at.draft.touched.items()
        if touch.by != at.session.email
    ]
    others.sort(key=lambda item: str(item["at"]), reverse=True)
    content, touched = at.draft.content, at.draft.touched
    texts = {
        path: {"text": content.get(path, ""), "by": touched[path].by if path in touched else None}
        for path in request.args.get("paths", "").split("\n")[:MOST_PATHS]
        if path
    }
    body = {
        "texts": texts,
        "revision": at.draft.revision,
        "published": at.published.number,
        "csrf": at.session.csrf,
    }
    return answer({**body, "others": others[:50], "by": at.published.by})


@routes.get("/session")
def widget_session() -> Response:
    """Issue a session token for the draft, for the widget in the preview and on the Try it page."""
    token, expires_at = services().sessions.tokens.issue(principal(session()), TOKEN_LIFE)
    return answer({"token": token.reveal(), "expires_at": expires_at.isoformat()})


def principal(person: StudioSession) -> Principal:
    """The principal of the draft's widget: this editor, in the account of the product's Studio."""
    user = User(person.email, person.email, person.email, request.args.get("locale") or None)
    return Principal(person.product + DRAFT, account_of(person.product), user)


def account_of(product: str) -> AccountRef:
    """The account in which the Studio of a product connects. Each product's Studio has its own."""
    return AccountRef(f"hitchpost-studio-{product}", "Hitchpost Studio", product + DRAFT)


def _clash(clash: Clash) -> dict[str, str | None]:
    last = _touch(clash.last) if clash.last else {"by": None, "at": None}
    return {"path": clash.path, "mine": clash.mine, "theirs": clash.theirs, **last}


def _touch(touch: Touch) -> dict[str, str]:
    return {"by": touch.by, "at": touch.at.isoformat()}
