"""The history of published versions, the restoration of one, and the snippet for a host's page."""

from __future__ import annotations

from flask import Blueprint, Response, make_response, redirect, request

from bff.common.errors import InvalidRequest, NotFound, Outdated
from bff.content.content import product_of
from bff.content.drafts import Version, difference
from bff.content.entries import names_of_messages
from bff.content.faults import faults
from bff.web.kit import audit
from bff.web.kit.services import services
from bff.web.studio.access import require_publisher, session
from bff.web.studio.page_context import Desk, address, desk, page
from bff.web.studio.publishing import row

routes = Blueprint("versions", __name__)


@routes.get("/history")
def index() -> Response:
    """List the published versions, newest first."""
    return _history(desk())


@routes.get("/history/<int(max=2147483647):number>")
def one(number: int) -> Response:
    """Show one version by its changes."""
    at, store = desk(), services().teams.content
    version = store.version(at.session.product, number)
    before = _before(at, number)
    changes = difference(before.content if before else {}, version.content)
    rows = [row(at, change.path, change.before, change.after) | {"touch": None} for change in changes]
    return page("version", at, "history", version=version, before=before, rows=rows)


@routes.get("/history/<int(max=2147483647):number>/restore")
def ask(number: int) -> Response:
    """Ask before an earlier version is published again, and show what that changes for users."""
    at, version = desk(), services().teams.content.version(session().product, number)
    changes = difference(at.published.content, version.content)
    restored = product_of(at.registration, version.content, version.number)
    rows = [
        row(at, change.path, change.before, change.after, restored) | {"touch": None} for change in changes
    ]
    now, then = (set(names_of_messages(content)) for content in (at.published.content, version.content))
    faulty = [(at.label(path), said) for path, said in faults(version.content, at.registration).items()]
    return page(
        "restore", at, "history", version=version, rows=rows, faulty=faulty, removed=sorted(now - then)
    )


@routes.post("/history/<int(max=2147483647):number>/restore")
def restore(number: int) -> Response:
    """Publish an earlier version again. Refused (409) if another was published since the page was shown."""
    person, expected = require_publisher(), request.form.get("expected", "")
    if not expected.isdecimal() or len(expected) > 9:
        raise InvalidRequest("expected: is no number of a version; load the page again")
    try:
        version = services().teams.content.restore(
            person.product, number, person.email, expected=int(expected)
        )
    except Outdated as error:
        return _history(desk(), outdated=error.detail, status=409)
    services().products.forget(person.product)
    audit.at_studio("published", person, version=version.number)
    return make_response(redirect(address(f"history?published={version.number}"), 303))


@routes.get("/snippet")
def snippet() -> Response:
    """Show the snippet for a host's page."""
    at = desk()
    return page("snippet", at, "snippet", connector=next(iter(at.names)))


def _history(at: Desk, *, outdated: str | None = None, status: int = 200) -> Response:
    versions = services().teams.content.history(at.session.product)
    published = request.args.get("published", "")
    return page(
        "history",
        at,
        "history",
        status=status,
        versions=versions,
        outdated=outdated,
        published=int(published) if published.isdecimal() and len(published) < 9 else None,
    )


def _before(at: Desk, number: int) -> Version | None:
    try:
        return services().teams.content.version(at.session.product, number - 1)
    except NotFound:
        return None  # It is the first one, or the oldest that is kept.
