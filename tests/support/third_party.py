"""A third party whose endpoints answer what a test says, and a connection to it."""

from __future__ import annotations

import contextlib
import itertools
import json
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from flask import Flask, Response, request
from sqlalchemy import Row, select, update

from bff.partner import clock
from bff.partner.account_connectors import store
from bff.partner.account_connectors.credentials import seal, unseal
from bff.partner.grants import upkeep
from bff.partner.providers.catalogue import CatalogueConnector
from bff.partner.providers.credentials import Credentials
from bff.partner.storage import tables
from tests.partner.conftest import Api, client_of
from tests.support.servers import serve
from tests.support.world import World

NUMBERS: Final = itertools.count(1000)
NOTED: Final = tables.pending_revocation
Say = Callable[[dict[str, str]], Any]
"""What an endpoint answers to a form: a JSON value, or a whole response."""


def tokens(**changes: Any) -> dict[str, Any]:
    """A usual answer of a token endpoint, with new tokens."""
    new = secrets.token_hex(8)
    usual = {"access_token": f"at-{new}", "refresh_token": f"rt-{new}", "token_type": "Bearer"}
    return {**usual, "expires_in": 3600, **changes}


def refused(error: str, status: int = 400) -> Response:
    """An OAuth error."""
    return Response(json.dumps({"error": error}), status, content_type="application/json")


def add_entry(world: World, item: CatalogueConnector, url: str, offered: list[int]) -> None:
    """Add an entry to the running service's catalogue, and its id to those that this third party ``offered``.

    Entries of an earlier one that had the same port go: the service would take the two for one.
    """
    catalogue, origin = world.partner_service.catalogue, url + "/"
    offered.append(item.id)
    catalogue.connectors = (
        *(
            entry
            for entry in catalogue.connectors
            if entry.id in offered or not (entry.token_url or "").startswith(origin)
        ),
        item,
    )


@dataclass
class ThirdParty:
    """Its endpoints: ``token``, ``revoke`` and ``userinfo`` below ``url``."""

    says: dict[str, Say] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    url: str = ""
    offered: list[int] = field(default_factory=list)

    def app(self) -> Flask:
        """All of it."""
        app = Flask("third-party")
        app.add_url_rule("/<endpoint>", view_func=self._answer, methods=["GET", "POST", "DELETE"])
        return app

    def forms(self, endpoint: str) -> list[dict[str, str]]:
        """What an endpoint was asked."""
        return [form for name, form in self.asked if name == endpoint]

    def _answer(self, endpoint: str) -> Response:
        form = request.form.to_dict()
        self.asked.append((endpoint, form))
        usual: dict[str, Say] = {"token": lambda _: tokens(), "userinfo": lambda _: {"email": "ada"}}
        said = self.says.get(endpoint, usual.get(endpoint, lambda _: {}))(form)
        if isinstance(said, Response):
            return said
        return Response(json.dumps(said), content_type="application/json")

    def entry(self, **changes: Any) -> CatalogueConnector:
        """A new catalogue entry of it."""
        number = next(NUMBERS)
        values = {
            "id": number,
            "key": f"third-{number}",
            "name": f"Third {number}",
            "authorize_url": f"{self.url}/authorize",
            "token_url": f"{self.url}/token",
            "revocation_url": f"{self.url}/revoke",
            "client_id": "hitchpost",
            "client_secret": "third-party-secret",
        }
        return CatalogueConnector.model_validate({**values, **changes})

    def offer(self, world: World, **changes: Any) -> CatalogueConnector:
        """A connector to it, new in the running service's catalogue."""
        item = self.entry(**changes)
        add_entry(world, item, self.url, self.offered)
        return item


@dataclass
class Connection:
    """An account connector in an account of its own, and a browser."""

    world: World
    item: CatalogueConnector
    browser: requests.Session = field(default_factory=requests.Session)

    def __post_init__(self) -> None:
        self.api: Api = client_of(self.world)
        self.id = int(self.api.install(str(self.item.id))["Id"])

    def start(self, **headers: str) -> requests.Response:
        """Open a sign-in link, as far as the third party."""
        url = self.api.sign_in_url(self.id, callbackMessage="done")
        return self.browser.get(url, headers=headers, timeout=30, allow_redirects=False)

    def begin(self) -> str:
        """The state of a new flow."""
        return parse_qs(urlsplit(self.start().headers["Location"]).query)["state"][0]

    def answer(self, state: str, browser: Any = None, **values: Any) -> requests.Response:
        """Bring the third party's answer."""
        url = f"{self.world.partner}/connector/callback"
        return (browser or self.browser).get(url, params={"state": state, **values}, timeout=30)

    def connect(self) -> Connection:
        """Sign in."""
        page = self.answer(self.begin(), code="a-code")
        assert page.status_code == 200, page.text
        return self

    def told(self) -> dict[str, Any]:
        """What the API tells of it."""
        found: dict[str, Any] = self.api.call("GET", self.path).json()
        return found

    @property
    def path(self) -> str:
        """Its path in the API."""
        return f"/v1.0/account/connectors/{self.id}"

    def access_token(self) -> requests.Response:
        """Ask for its access token."""
        return self.api.call("POST", f"{self.path}/accesstoken")

    def force(self) -> requests.Response:
        """Ask for an access token that is new."""
        return self.api.call("POST", f"{self.path}/accesstoken", {"Force": True})

    def grant(self) -> dict[str, Any]:
        """How its grant stands, as the API tells it."""
        found: dict[str, Any] = self.told()["Hitchpost"]["Grant"]
        return found

    def grant_state(self) -> tuple[str, str | None]:
        """State and reason of its grant, as the API tells them."""
        told = self.grant()
        return told["State"], told["Reason"]

    def last_sign_in(self) -> dict[str, Any]:
        """What became of its last sign-in, as the API tells it."""
        found: dict[str, Any] = self.told()["Hitchpost"]["LastSignIn"]
        return found

    def inventory(self) -> list[dict[str, Any]]:
        """The grants of its connector, in every account."""
        answer = self.api.call("GET", f"/v1.0/connectors/{self.item.id}/grants", account=None)
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()
        return found

    def look(self) -> None:
        """Let the time come at which it is looked at, and look."""
        self.change(next_refresh_at=clock.now() - timedelta(days=1))
        assert upkeep.look_after(self.world.partner_service, 1) == 1

    def noted(self) -> Any:
        """What is still to be revoked of it."""
        wanted = select(NOTED).where(NOTED.c.account_connector_id == self.id)
        with self.world.partner_service.database.reading() as connection:
            return connection.execute(wanted).one_or_none()

    def change_noted(self, **values: Any) -> None:
        """Write into what is still to be revoked of it."""
        ours = update(NOTED).where(NOTED.c.account_connector_id == self.id)
        with self.world.partner_service.database.writing() as connection:
            connection.execute(ours.values(values))

    def make_revocations_due(self) -> None:
        """Let the time come at which what is to be revoked of its connector is tried again."""
        ours = update(NOTED).where(NOTED.c.connector_id == self.item.id)
        with self.world.partner_service.database.writing() as connection:
            connection.execute(ours.values(next_at=clock.now() - timedelta(seconds=1)))

    def row(self) -> Row[Any]:
        """What is stored of it."""
        table = tables.account_connector
        with self.world.partner_service.database.reading() as connection:
            return connection.execute(select(table).where(table.c.id == self.id)).one()

    def credentials(self) -> Credentials:
        """What is sealed of it."""
        vault = self.world.partner_service.vault
        return unseal(vault, self.row().credentials, store.sealed_in(self.row(), "credentials"))

    def change(self, **values: Any) -> None:
        """Write into its row."""
        table = tables.account_connector
        with self.world.partner_service.database.writing() as connection:
            connection.execute(update(table).where(table.c.id == self.id).values(values))

    def change_entry(self, **changes: Any) -> None:
        """Let the operator edit the catalogue entry of its connector."""
        catalogue, edited = self.world.partner_service.catalogue, self.item.model_copy(update=changes)
        catalogue.connectors = tuple(edited if one.id == edited.id else one for one in catalogue.connectors)

    def replace_credentials(self, **changes: Any) -> None:
        """Store other credentials."""
        sealed = seal(
            self.world.partner_service.vault,
            replace(self.credentials(), **changes),
            store.sealed_in(self.row(), "credentials"),
        )
        self.change(credentials=sealed)

    def age(self, seconds: float = -1.0) -> None:
        """Let its access token, which it has had for an hour, end in so many seconds."""
        now = clock.now()
        moments = {"obtained_at": now - timedelta(hours=1), "expires_at": now + timedelta(seconds=seconds)}
        self.replace_credentials(**moments)


@contextlib.contextmanager
def open_third_party() -> Iterator[ThirdParty]:
    """Serve one."""
    third = ThirdParty()
    with serve(lambda _: third.app()) as url:
        third.url = url
        yield third


@pytest.fixture
def third() -> Iterator[ThirdParty]:
    """A third party of this test's own."""
    with open_third_party() as opened:
        yield opened
