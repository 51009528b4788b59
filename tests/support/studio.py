"""The Studio as an editor uses it without script: pages, forms, cookies; and a product of one's own in it."""

from __future__ import annotations

import html
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any, Final

import requests
from sqlalchemy import Engine, update

from bff.common.secret import Secret, fingerprint
from bff.content.entries import Content
from bff.content.product import OfferedConnector, Registration
from bff.products.store import DatabaseProducts
from bff.serving.database import open_database
from bff.storage.tables import studio_sessions
from bff.studio.access import Role
from bff.studio.store import DatabaseStudio
from tests.support.world import World

CONTENT: Final = {
    "messages/default/kind": "sealed",
    "messages/default/text/*/*": "connected:{connector}",
    "messages/done/kind": "plain",
    "messages/done/text/*/*": "done",
}
CSRF: Final = re.compile(r'name="csrf" value="([^"]+)"')
ADA, GRACE = "ada@acme.example", "grace@acme.example"
COOKIE: Final = "hitchpost_studio"


class Page(HTMLParser):
    """What a page holds: its fields by path, its texts, and each element by tag and attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.source = text
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.words = ""
        self._area: dict[str, str] | None = None
        self.fields: dict[str, Entry] = {}
        self._path, self._was, self._select = "", "", False
        self.feed(text)

    @property
    def csrf(self) -> str:
        """The token of its forms."""
        return next(item["value"] for _, item in self.elements if item.get("name") == "csrf")

    def hidden(self, name: str) -> str:
        """The value of the first hidden field of this name."""
        return next(item.get("value", "") for _, item in self.elements if item.get("name") == name)

    def tags(self, tag: str) -> list[dict[str, str]]:
        """Each element of this tag, by its attributes."""
        return [item for name, item in self.elements if name == tag]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element begins."""
        item = {name: value or "" for name, value in attrs}
        self.elements.append((tag, item))
        name = item.get("name")
        if name == "path":
            self._path = item.get("value", "")
        elif name == "was":
            self._was = item.get("value", "")
        elif name == "now":
            self.fields[self._path] = Entry(self._was, item.get("value", ""), item)
            self._area = item if tag == "textarea" else None
            self._select = tag == "select"
        elif tag == "option" and self._select and "selected" in item:
            self.fields[self._path].now = item.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        """An element ends."""
        if tag == "textarea":
            self._area = None
        elif tag == "select":
            self._select = False

    def handle_data(self, data: str) -> None:
        """Some text."""
        if self._area is not None:
            # A browser drops the line break right after the tag.
            self.fields[self._path].now += data.removeprefix("\n")
        else:
            self.words += data


@dataclass
class Entry:
    """A field as the page shows it."""

    was: str
    now: str
    attributes: dict[str, str]


@dataclass
class Editor:
    """Somebody signed in to the Studio of one product."""

    world: World
    product: str
    email: str
    browser: requests.Session = field(default_factory=requests.Session)

    def url(self, path: str) -> str:
        """The address of a page."""
        return f"{self.world.bff}/studio/{path}"

    def get(self, path: str, **options: Any) -> requests.Response:
        """Look at a page."""
        return self.browser.get(self.url(path), timeout=20, **options)

    def page(self, path: str) -> Page:
        """Look at a page, which there is."""
        answer = self.get(path)
        assert answer.status_code == 200, answer.text
        return Page(answer.text)

    def post(
        self,
        path: str,
        data: Any = None,
        *,
        origin: str | None = "own",
        csrf: str | None = "own",
        **options: Any,
    ) -> requests.Response:
        """Send a form, as a browser does: with the Origin, and the token of this session."""
        headers = {} if origin is None else {"Origin": self.world.bff if origin == "own" else origin}
        pairs = list(data.items() if isinstance(data, dict) else data or [])
        if csrf is not None:
            pairs.append(("csrf", self.csrf if csrf == "own" else csrf))
        return self.browser.post(self.url(path), data=pairs, headers=headers, timeout=20, **options)

    @property
    def csrf(self) -> str:
        """The token of this session's forms."""
        found = CSRF.search(self.get("snippet").text)
        assert found, "the page has no form"
        return html.unescape(found[1])

    def save(self, page: str, changes: dict[str, str], seen: Page | None = None) -> requests.Response:
        """Write into some fields of a page, as it was ``seen``, and press its Save."""
        shown = seen or self.page(page)
        pairs = []
        for path, entry in shown.fields.items():
            pairs += [("path", path), ("was", entry.was), ("now", changes.get(path, entry.now))]
        missing = changes.keys() - shown.fields.keys()
        assert not missing, f"no field for {missing}"
        return self.post(page, pairs)

    def send(self, edits: list[tuple[str, str, str]], **headers: str) -> requests.Response:
        """What the page's script sends: path, what was, what is now."""
        body = {"edits": [{"path": path, "was": was, "now": now} for path, was, now in edits]}
        own = {"Origin": self.world.bff, "X-Hitchpost-Csrf": self.csrf, "Accept": "application/json"}
        return self.browser.post(self.url("save"), json=body, headers=own | headers, timeout=20)

    def publish(self, note: str = "") -> requests.Response:
        """Press Publish on the changes as they are now."""
        shown = self.page("changes")
        return self.post("publish", {"revision": shown.hidden("revision"), "note": note})


@dataclass
class StudioWorld:
    """A product that no other test uses, and who may edit it."""

    world: World
    engine: Engine
    product: str
    secret_key: str

    def link(self, email: str = ADA, role: Role = Role.PUBLISHER, product: str | None = None) -> str:
        """A new link of an invite."""
        store = DatabaseStudio(self.engine, lambda: datetime.now(UTC), lambda: secrets.token_urlsafe(32))
        token = store.invite(product or self.product, email, role)
        return f"{self.world.bff}/studio/enter/{token.reveal()}"

    def editor(self, email: str = ADA, role: Role = Role.PUBLISHER, product: str | None = None) -> Editor:
        """Somebody who has pressed the button of their link."""
        made = Editor(self.world, product or self.product, email)
        answer = made.browser.post(
            self.link(email, role, product), headers={"Origin": self.world.bff}, timeout=20
        )
        assert answer.status_code == 200, answer.text
        return made

    def turn_back(self, editor: Editor, **values: datetime) -> None:
        """Let time have passed in a session."""
        mine = studio_sessions.c.id_sha256 == fingerprint(editor.browser.cookies[COOKIE])
        with self.engine.begin() as connection:
            connection.execute(update(studio_sessions).where(mine).values(values))

    def config(self, locale: str = "en") -> dict[str, Any]:
        """What the widget is told on a page of the product's own."""
        token = self.world.session(key=self.secret_key)
        answer = self.world.page("GET", f"/v1/config?locale={locale}", token, origin=self.origin)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    @property
    def origin(self) -> str:
        """Where the product's own pages are."""
        return f"https://{self.product}.example"


@contextmanager
def open_studio(world: World, content: Content | None = None) -> Iterator[StudioWorld]:
    """A product of its own, with this content published."""
    key, secret = "p-" + secrets.token_hex(6), "sk_" + secrets.token_hex(16)
    engine = open_database(world.bff_database)
    registration = Registration(
        key=key,
        name="Ada's <SaaS>",
        origins=(f"https://{key}.example",),
        connectors=(
            OfferedConnector("sandbox", "Sandbox CRM", "sandbox"),
            OfferedConnector("sandbox-slow", "Slow CRM", "sandbox-slow"),
            OfferedConnector("hubspot", "HubSpot", "sandbox"),
        ),
    )
    DatabaseProducts(engine).put(registration, CONTENT if content is None else content, [Secret(secret)])
    try:
        yield StudioWorld(world, engine, key, secret)
    finally:
        engine.dispose()


def shown(text: str) -> str:
    """A text as the source of a page has it when it is text, not markup."""
    return html.escape(text, quote=True)
