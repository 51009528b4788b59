"""The context of the Studio's pages: the product, its draft, the published version, and faults."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from flask import Response

from bff.common.errors import NotFound
from bff.content import content, faults
from bff.content.drafts import Change, Draft, Version, difference
from bff.content.entries import Faults, path_of_text
from bff.content.language_names import every_language, language
from bff.content.product import MessageFormat, MessageKind, Product, Registration
from bff.content.words import LOCALES
from bff.studio import editing as studio
from bff.studio.access import StudioSession
from bff.studio.scenes import SCENES
from bff.web.kit.rendering import html, render
from bff.web.kit.services import services
from bff.web.studio.access import session

NAV: Final = (
    ("messages", "Messages"),
    ("words", "Words"),
    ("look", "Look"),
    ("connectors", "Connectors"),
    ("try", "Try it"),
    ("changes", "Changes & publish"),
    ("history", "History"),
    ("webhooks", "Webhooks"),
    ("snippet", "Snippet"),
)


def _is_part_of_new_message(change: Change, added: set[str]) -> bool:
    match change.path.split("/"):
        case ["messages", name, "kind" | "format"]:
            usual = {MessageKind.SEALED.value, MessageFormat.TEXT.value}
            return path_of_text(name) in added and change.path in added and change.after in usual
    return False


@dataclass(frozen=True)
class Desk:
    """The product of a session, as it is now."""

    session: StudioSession
    registration: Registration
    draft: Draft
    published: Version

    @cached_property
    def faults(self) -> Faults:
        """The faults of the draft, by path."""
        return faults.faults(self.draft.content, self.registration)

    @cached_property
    def changes(self) -> list[Change]:
        """The changes that are not published yet. A new message counts once."""
        added = {change.path for change in self.differences if change.before is None}
        return [change for change in self.differences if not _is_part_of_new_message(change, added)]

    @cached_property
    def differences(self) -> list[Change]:
        """The entries of the draft that differ from the published ones."""
        number = self.draft.based_on
        if number == self.published.number:
            return difference(self.published.content, self.draft.content)
        before = services().teams.content.version(self.session.product, number).content if number else {}
        return difference(before, self.draft.content)

    @property
    def is_outdated(self) -> bool:
        """Whether a version was published after the one that this draft is based on."""
        return self.draft.based_on != self.published.number

    @cached_property
    def product(self) -> Product:
        """The product as in the draft, without faulty entries."""
        return content.product_of(self.registration, self.draft.content, self.draft.revision)

    @cached_property
    def live(self) -> Product:
        """The product as published."""
        return content.product_of(self.registration, self.published.content, self.published.number)

    @cached_property
    def names(self) -> dict[str, str]:
        """The connectors' names by key, in the draft's order."""
        named = services().catalogue.named
        return {offered.key: named(offered).name for offered in self.product.connectors}

    @cached_property
    def languages(self) -> list[str]:
        """The languages in which texts can be edited: Hitchpost's and those that the team has added."""
        return studio.languages_in_use(self.draft.content, LOCALES)

    def label(self, path: str) -> str:
        """The label of an entry."""
        return studio.label(path, self.names)


def desk() -> Desk:
    """The desk of this request's session. Raises ``SignedOut`` or ``NotFound``."""
    current, store = session(), services().teams.content
    registration = services().products.registration(current.product)
    if registration is None:
        raise NotFound("the product of this session is not registered any more")
    return Desk(current, registration, store.draft(current.product), store.published(current.product))


def page(template: str, at: Desk, here: str, *, status: int = 200, **values: Any) -> Response:
    """Render a page of the Studio. ``here`` is the key of its entry in ``NAV``."""
    body = render(
        f"studio/{template}.html",
        at=at,
        here=here,
        nav=NAV,
        base=address(),
        bff=services().urls.public_url,
        language=language,
        every_language=every_language(),
        scenes=SCENES,
        **values,
    )
    return html(body, status)


def address(path: str = "") -> str:
    """The URL of a page of the Studio."""
    start = f"{services().urls.public_url}/studio"
    return f"{start}/{path}" if path else start
