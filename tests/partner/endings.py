"""Every page on which a flow can end, each brought about over HTTP as its reason has it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import requests
from flask import Flask, Response, jsonify, request

from bff.partner.app import create_app
from bff.partner.errors import Reason
from bff.partner.providers.catalogue import read_catalogue
from bff.partner.settings import Settings
from tests.partner.conftest import Api, client_of
from tests.support.databases import sqlite_url
from tests.support.servers import serve
from tests.support.world import CLIENT_ID, CLIENT_SECRET, Calls, World

PLAIN, KEYED, LACKING, ISSUED, OTHER = "1", "2", "3", "4", "5"
OAUTH: Final = """
authorize_url = "{third}/authorize"
token_url = "{third}/token"
userinfo_url = "{third}/userinfo"
client_id = "hitchpost"
token_auth = "none"
"""
CATALOGUE: Final = f"""
[[connector]]
id = {PLAIN}
key = "plain"
name = "Plain"
{OAUTH}
[[connector]]
id = {KEYED}
key = "keyed"
name = "Keyed"
auth = "api_key"
[[connector]]
id = {LACKING}
key = "lacking"
name = "Lacking"
{OAUTH}
[[connector.property]]
name = "Region"
[[connector.property]]
name = "Subdomain"
[[connector]]
id = {ISSUED}
key = "issued"
name = "Issued"
issuer = "https://issuer.example"
{OAUTH}
"""
WITHOUT: Final = f"""
[[connector]]
id = {OTHER}
key = "other"
name = "Other"
auth = "none"
"""


@dataclass
class ThirdParty:
    """A third party whose codes are the names of its accounts."""

    meanwhile: list[Callable[[], Any]] = field(default_factory=list)
    """What happens, once each, while the code is exchanged."""

    def app(self) -> Flask:
        """Its token and user-info endpoints."""
        app = Flask("third-party")
        app.add_url_rule("/token", view_func=self._token, methods=["POST"])
        app.add_url_rule("/userinfo", view_func=self._userinfo)
        return app

    def _token(self) -> Response:
        while self.meanwhile:
            self.meanwhile.pop()()
        return jsonify(access_token=request.form["code"], token_type="Bearer")

    def _userinfo(self) -> Response:
        return jsonify(email=request.headers["Authorization"].removeprefix("Bearer "))


@dataclass
class Service:
    """The embedded service, once more on the same database with another catalogue, and a third party.

    ``busy`` takes one callback a minute, and has had it.
    """

    world: World
    without: str
    busy: str
    third_party: ThirdParty


@dataclass
class Visitor:
    """One browser that reads ``languages`` (an ``Accept-Language``; None sends none)."""

    service: Service
    languages: str | None
    message: str | None = "done"

    def __post_init__(self) -> None:
        self.api: Api = client_of(self.service.world)
        self.browser = requests.Session()
        if self.languages is not None:
            self.browser.headers["Accept-Language"] = self.languages

    def visit(self, connector_id: int, **values: str) -> requests.Response:
        """Follow a sign-in link as far as the third party."""
        asked = {**({"callbackMessage": self.message} if self.message else {}), **values}
        url = self.api.sign_in_url(connector_id, **asked)
        return self.browser.get(url, timeout=10, allow_redirects=False)

    def install(self, connector: str = PLAIN) -> int:
        """A new account connector; its id."""
        return int(self.api.install(connector)["Id"])

    def begin(self, connector_id: int) -> str:
        """Start a flow; its state."""
        return parse_qs(urlsplit(self.visit(connector_id).headers["Location"]).query)["state"][0]

    def answer(self, state: str, at: str | None = None, **values: str) -> requests.Response:
        """Bring the third party's answer."""
        callback = f"{at or self.api.url}/connector/callback"
        return self.browser.get(callback, params={"state": state, **values}, timeout=10)


@contextlib.contextmanager
def open_service(folder: Path) -> Iterator[Service]:
    """Start the service, its double and the third party."""
    third = ThirdParty()
    with (
        serve(lambda _: third.app()) as third_url,
        serve(lambda url: _partner(url, folder, CATALOGUE.replace("{third}", third_url))) as partner,
        serve(lambda url: _partner(url, folder, WITHOUT)) as without,
        serve(lambda url: _partner(url, folder, WITHOUT, limit_address=1)) as busy,
    ):
        requests.get(f"{busy}/connector/callback", timeout=10)
        databases = sqlite_url(folder, "bff"), sqlite_url(folder, "partner")
        world = World("", partner, third_url, Flask("nobody"), folder, Calls(), *databases)
        yield Service(world, without, busy, third)


def _partner(url: str, folder: Path, catalogue: str, **limits: int) -> Flask:
    path = folder / "catalogue.toml"
    path.write_text(catalogue)
    settings = Settings(
        public_url=url,
        database_url=sqlite_url(folder, "partner"),
        catalogue=path,
        client_id=CLIENT_ID,
        client_secret=CLIENT_SECRET,
        encryption_keys="k1:" + "A" * 43 + "=",
        **limits,
    )
    return create_app(settings, read_catalogue(path))


def _removed(visitor: Visitor) -> requests.Response:
    installed = visitor.install()
    path = f"/v1.0/account/connectors/{installed}"
    visitor.service.third_party.meanwhile.append(lambda: visitor.api.call("DELETE", path))
    return visitor.answer(visitor.begin(installed), code="ada")


def _other_account(visitor: Visitor) -> requests.Response:
    installed = visitor.install()
    visitor.answer(visitor.begin(installed), code="ada")
    return visitor.answer(visitor.begin(installed), code="grace")


def _without_cookie(visitor: Visitor) -> requests.Response:
    state = visitor.begin(visitor.install())
    visitor.browser.cookies.clear()
    return visitor.answer(state, code="ada")


def _brought_twice(visitor: Visitor) -> requests.Response:
    state, seen = visitor.begin(visitor.install()), list[requests.Response]()
    again = Visitor(visitor.service, visitor.languages)
    again.browser.cookies.update(visitor.browser.cookies)
    visitor.service.third_party.meanwhile.append(lambda: seen.append(again.answer(state, code="ada")))
    visitor.answer(state, code="ada")
    return seen[0]


def _asked(visitor: Visitor) -> requests.Response:
    visitor.begin(visitor.install())
    led_here = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "document", "Sec-Fetch-Mode": "navigate"}
    visitor.browser.headers.update(led_here)
    return visitor.answer("", error="access_denied")


ENDINGS: Final[dict[Reason, Callable[[Visitor], requests.Response]]] = {
    "finished": lambda it: it.answer(it.begin(it.install()), code="ada"),
    "bad_link": lambda it: it.visit(it.install(), id="", targetOrigin=""),
    "used_link": lambda it: it.visit(it.install(), token="wrong"),
    "unknown_connector": lambda it: it.visit(999999),
    "not_in_browser": lambda it: it.visit(it.install(KEYED)),
    "unset_properties": lambda it: it.visit(it.install(LACKING)),
    "stale_flow": lambda it: it.answer("unknown"),
    "no_cookie": _without_cookie,
    "finishing": _brought_twice,
    "not_offered": lambda it: it.answer(it.begin(it.install()), it.service.without, code="ada"),
    "wrong_issuer": lambda it: it.answer(it.begin(it.install(ISSUED)), code="ada"),
    "removed": _removed,
    "declined": lambda it: it.answer(it.begin(it.install()), error="access_denied"),
    "other_account": _other_account,
    "failed": lambda it: it.answer(it.begin(it.install()), error="<b>server_error</b>"),
    "really_declined": _asked,
    "too_many": lambda it: it.answer("unknown", it.service.busy),
}
"""For each reason what a visitor does; the page that it ends on."""
