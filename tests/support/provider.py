"""A programmable provider: a real authorization server on a socket, with the habits that a test gives it.

It keeps codes, grants and tokens as a provider does, and refuses what the one that it stands for refuses.
A habit says how it differs: what it wants of each request, and the exact form of its answers.
"""

from __future__ import annotations

import base64
import contextlib
import json
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import requests
from flask import Flask, Response, redirect, request
from markupsafe import escape
from werkzeug.wrappers import Response as AnyResponse

from bff.partner.providers.catalogue import CatalogueConnector
from tests.support.servers import serve
from tests.support.third_party import NUMBERS, Connection, add_entry
from tests.support.world import World

CLIENT, SECRET = "hitchpost-client", "a+b/c%d:e=f secret"
"""A secret with every character that encodings disagree about."""


@dataclass(frozen=True)
class Issued:
    """One issuing of tokens."""

    access: str
    refresh: str
    account: str
    number: int


Shape = Callable[[Issued], Any]
"""What an endpoint answers: a JSON value, or a whole response."""
Demand = Callable[[Mapping[str, str], Mapping[str, str]], str | None]
"""What a request must be, by its parameters and headers: None, or the error of one that is not."""


def usual(issued: Issued) -> Any:
    """RFC 6749, section 5.1."""
    told = {"access_token": issued.access, "token_type": "Bearer", "expires_in": 3600}
    return {**told, "refresh_token": issued.refresh}


def as_json(document: Any, status: int = 200, media_type: str = "application/json") -> Response:
    """A JSON answer."""
    return Response(json.dumps(document), status, content_type=media_type)


def as_form(document: Mapping[str, Any], status: int = 200) -> Response:
    """A form-encoded answer."""
    return Response(urlencode(document), status, content_type="application/x-www-form-urlencoded")


def demand_nothing(_given: Mapping[str, str], _headers: Mapping[str, str]) -> str | None:
    """Any request will do."""
    return None


def demand_basic(_given: Mapping[str, str], headers: Mapping[str, str]) -> str | None:
    """The client in a header, its secret as it is."""
    expected = "Basic " + base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
    return None if headers.get("Authorization") == expected else "invalid_client"


def demand_post(given: Mapping[str, str], headers: Mapping[str, str]) -> str | None:
    """The client in the body only."""
    sent = (given.get("client_id"), given.get("client_secret"))
    return None if sent == (CLIENT, SECRET) and "Authorization" not in headers else "invalid_client"


@dataclass(frozen=True)
class Habits:
    """How a provider differs from the standards. ``entry`` is what the catalogue says of it."""

    entry: Mapping[str, Any] = field(default_factory=dict)
    path: str = ""
    authorize: Demand = demand_nothing
    token: Demand = demand_nothing
    answers: Shape = usual
    refreshed: Shape | None = None
    dead: Callable[[], Any] = lambda: as_json({"error": "invalid_grant"}, 400)
    callback: Mapping[str, str] = field(default_factory=dict)
    info: Shape | None = None
    dead_info: Callable[[], Any] = lambda: as_json({"error": "invalid_token"}, 401)
    token_bytes: int = 16
    rotates: bool = True
    posts: bool = False
    userinfo: Demand = demand_nothing
    revocation: Demand = demand_nothing
    revoked_by: Callable[[Mapping[str, str], Mapping[str, str]], str] = lambda given, _: given.get(
        "token", ""
    )
    unknown: Callable[[], Any] = lambda: as_json({})


@dataclass
class Provider:
    """The running program. ``account`` signs in; ``refusal`` is what comes back instead of a code."""

    habits: Habits
    url: str = ""
    account: str = "ada@example.com"
    refusal: dict[str, str] | None = None
    asked: list[tuple[str, dict[str, str], dict[str, str]]] = field(default_factory=list)
    codes: dict[str, str] = field(default_factory=dict)
    live: dict[str, str] = field(default_factory=dict)
    """Accounts by the tokens that are good for them."""
    offered: list[int] = field(default_factory=list)
    count: int = 0

    def app(self) -> Flask:
        """All endpoints, below the habit's path."""
        app = Flask("provider")
        path = self.habits.path
        app.add_url_rule(f"{path}/authorize", "authorize", self._authorize)
        app.add_url_rule(f"{path}/token", "token", self._token, methods=["POST"])
        app.add_url_rule(f"{path}/refresh", "refresh", self._token, methods=["POST"])
        app.add_url_rule(f"{path}/revoke", "revoke", self._revoke, methods=["POST", "DELETE", "GET"])
        app.add_url_rule(f"{path}/userinfo", "userinfo", self._userinfo, methods=["GET", "POST"])
        return app

    def kill(self) -> None:
        """The user takes the access back: nothing that was issued is good any more."""
        self.live.clear()

    def requests_of(self, endpoint: str) -> list[dict[str, str]]:
        """The parameters of what an endpoint was asked."""
        return [given for name, given, _ in self.asked if name == endpoint]

    def offer(self, world: World, **changes: Any) -> CatalogueConnector:
        """A connector to it, new in the running service's catalogue."""
        number, base = next(NUMBERS), self.url + self.habits.path
        values = {
            "id": number,
            "key": f"provider-{number}",
            "name": f"Provider {number}",
            "authorize_url": f"{base}/authorize",
            "token_url": f"{base}/token",
            "revocation_url": f"{base}/revoke",
            "client_id": CLIENT,
            "client_secret": SECRET,
            **({"userinfo_url": f"{base}/userinfo"} if self.habits.info else {}),
        }
        own = {name: _placed(value, self.url) for name, value in self.habits.entry.items()}
        item = CatalogueConnector.model_validate({**values, **own, **changes})
        add_entry(world, item, self.url, self.offered)
        return item

    def sign_in(self, connection: Connection) -> requests.Response:
        """A browser goes all the way: link, consent, callback; the last page."""
        started = connection.start()
        assert started.status_code == 302, started.text
        answer = connection.browser.get(started.headers["Location"], allow_redirects=False, timeout=30)
        if not self.habits.posts:
            assert answer.status_code == 302, answer.text
            return connection.browser.get(answer.headers["Location"], timeout=30)
        # A form of another site: a browser sends no cookie that is SameSite=Lax with it.
        callback = f"{connection.world.partner}/connector/callback"
        posted = requests.post(callback, data=answer.json(), timeout=30, allow_redirects=False)
        assert posted.status_code == 303, posted.text
        return connection.browser.get(connection.world.partner + posted.headers["Location"], timeout=30)

    def _authorize(self) -> AnyResponse:
        given = self._note("authorize", request.args.to_dict())
        names = self.habits.entry.get("parameter_names", {})
        if error := self.habits.authorize(given, dict(request.headers)):
            answer = {"error": error}
        elif self.refusal is not None:
            answer = dict(self.refusal)
        else:
            code = secrets.token_urlsafe(16)
            self.codes[code] = self.account
            answer = {names.get("code", "code"): code, **self.habits.callback}
        state = names.get("state", "state")
        answer = {state: given.get(state, ""), **answer}
        answer = {name: value for name, value in answer.items() if value != "(absent)"}
        if self.habits.posts:
            browser = "text/html" in request.headers.get("Accept", "")
            return _posting(given["redirect_uri"], answer) if browser else as_json(answer)
        return redirect(f"{given['redirect_uri']}?{urlencode(answer)}", 302)

    def _token(self) -> Response:
        given = self._note(request.path.rpartition("/")[2], self._given())
        if error := self.habits.token(given, dict(request.headers)):
            return as_json({"error": error}, 401 if error == "invalid_client" else 400)
        if given.get("grant_type") == "refresh_token":
            account = self.live.get(given.get("refresh_token", ""))
            if account is None:
                return _response(self.habits.dead())
            shape = self.habits.refreshed or self.habits.answers
            refresh = secrets.token_hex(8) if self.habits.rotates else given["refresh_token"]
            if self.habits.rotates:
                del self.live[given["refresh_token"]]
            return self._issue(account, refresh, shape)
        names = self.habits.entry.get("parameter_names", {})
        account = self.codes.pop(given.get(names.get("token_code", "code"), ""), None)
        if account is None:
            return _response(self.habits.dead())
        return self._issue(account, secrets.token_hex(8), self.habits.answers)

    def _issue(self, account: str, refresh: str, shape: Shape) -> Response:
        self.count += 1
        issued = Issued(secrets.token_hex(self.habits.token_bytes), refresh, account, self.count)
        self.live |= {issued.access: account, issued.refresh: account}
        return _response(shape(issued))

    def _revoke(self) -> Response:
        given = self._note("revoke", request.args.to_dict() | self._given())
        if request.method != self.habits.entry.get("revocation_method", "POST"):
            return as_json({"error": "invalid_request"}, 405)
        headers = dict(request.headers)
        if error := self.habits.revocation(given, headers):
            return as_json({"error": error}, 401 if error == "invalid_client" else 400)
        account = self.live.get(self.habits.revoked_by(given, headers))
        if account is None:
            return _response(self.habits.unknown())
        self.live = {token: whose for token, whose in self.live.items() if whose != account}
        return as_json({})

    def _userinfo(self) -> Response:
        given = self._note("userinfo", request.args.to_dict() | self._given())
        if error := self.habits.userinfo(given, dict(request.headers)):
            return as_json({"error": error}, 400)
        access = request.headers.get("Authorization", "").rpartition(" ")[2]
        access = access or request.headers.get("X-Access-Token", "")
        if access not in self.live or self.habits.info is None:
            return _response(self.habits.dead_info())
        return _response(self.habits.info(Issued(access, "", self.live[access], self.count)))

    def _given(self) -> dict[str, str]:
        return dict(request.get_json() or {}) if request.is_json else request.form.to_dict()

    def _note(self, endpoint: str, given: dict[str, str]) -> dict[str, str]:
        self.asked.append((endpoint, given, dict(request.headers)))
        return given


@contextlib.contextmanager
def open_provider(habits: Habits) -> Iterator[Provider]:
    """Serve one."""
    provider = Provider(habits)
    with serve(lambda _: provider.app()) as url:
        provider.url = url
        yield provider


def _posting(target: str, answer: Mapping[str, str]) -> Response:
    """A page that posts the answer by itself (OAuth 2.0 Form Post Response Mode, appendix A)."""
    fields = "".join(
        f'<input type="hidden" name="{name}" value="{escape(value)}">' for name, value in answer.items()
    )
    form = f'<form method="post" action="{escape(target)}">{fields}</form>'
    page = f'<!doctype html><title>Wait</title><body onload="document.forms[0].submit()">{form}</body>'
    return Response(page, content_type="text/html; charset=utf-8")


def _response(said: Any) -> Response:
    return said if isinstance(said, Response) else as_json(said)


def _placed(value: Any, url: str) -> Any:
    return value.replace("{URL}", url) if isinstance(value, str) else value
