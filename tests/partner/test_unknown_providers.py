"""Real services in ways that no shipped entry has, each with habits of its own: connected by an entry alone.

The entries in ``unknown`` were written from docs/providers.md and from what is public about each service.
"""

from __future__ import annotations

import base64
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, Response, request

from bff.partner.providers.catalogue import CatalogueConnector
from bff.partner.providers.catalogue_faults import faults_of, forbidden_urls
from bff.serving.destinations import Policy
from tests.partner.test_typed_credentials import fields, give
from tests.support.emulations import id_token
from tests.support.provider import CLIENT, SECRET, Habits, Issued, as_json, demand_post, open_provider
from tests.support.servers import serve
from tests.support.shapes import here
from tests.support.third_party import Connection
from tests.support.world import World

pytestmark = pytest.mark.one_database

ENTRIES = Path(__file__).parent / "unknown"
PLACES = {
    "authorize_url": "authorize",
    "token_url": "token",
    "refresh_url": "refresh",
    "revocation_url": "revoke",
}


def entry(key: str) -> dict[str, Any]:
    """What the file of a service says."""
    found: dict[str, Any] = tomllib.loads((ENTRIES / f"{key}.toml").read_text())["connector"][0]
    return found


def offered(world: World, key: str, url: str) -> Connection:
    """A connection to a service, whose URLs lead to this machine; everything else is as the file says."""
    values = entry(key)
    for name, path in PLACES.items():
        if name in values:
            values[name] = here(values[name], url, path)
    if "check" in values:
        values["check"]["url"] = here(values["check"]["url"], url, "check")
    item = CatalogueConnector.model_validate(values)
    known = [one for one in world.partner_service.catalogue.connectors if one.id != item.id]
    world.partner_service.catalogue.connectors = (*known, item)
    return Connection(world, item)


@pytest.mark.parametrize("path", sorted(ENTRIES.glob("*.toml")), ids=lambda path: path.stem)
def test_what_the_page_says_is_enough_to_write_it(path: Path) -> None:
    """Each passes ``check-catalogue``, at its real hosts."""
    item = CatalogueConnector.model_validate(entry(path.stem))
    assert [*faults_of(item), *forbidden_urls(item, Policy())] == []


@dataclass(frozen=True)
class OAuth:
    """What such a service wants, and what is to be told of a connection to it."""

    habits: Habits
    account: str
    extra: Mapping[str, str]
    fields: Mapping[str, str] = field(default_factory=dict)


def _tiktok(issued: Issued) -> Any:
    data = {"access_token": issued.access, "token_type": "Bearer", "scope": "user.info.basic,video.list"}
    data |= {"expires_in": 86400, "refresh_token": issued.refresh, "refresh_token_expires_in": 31536000}
    return {"code": 0, "message": "OK", "request_id": "2024", "data": {**data, "open_id": "u-77"}}


def _tiktok_wants(given: Mapping[str, str], headers: Mapping[str, str]) -> str | None:
    sent = (given.get("client_key"), given.get("client_secret"), headers.get("Content-Type"))
    refreshes = given.get("grant_type") == "refresh_token"
    good = sent == (CLIENT, SECRET, "application/json") and ("auth_code" in given) is not refreshes
    return None if good and not {"scope", "code", "code_verifier"} & set(given) else "40002"


def _dynamics(issued: Issued) -> Any:
    told = {"token_type": "Bearer", "scope": "user_impersonation", "expires_in": "3599"}
    told |= {"expires_on": "1589676131", "resource": "https://acme.crm.dynamics.com"}
    told |= {"access_token": issued.access, "refresh_token": issued.refresh}
    return {**told, "id_token": id_token({"upn": issued.account})}


def _dynamics_wants(given: Mapping[str, str], _headers: Mapping[str, str]) -> str | None:
    refreshes = given.get("grant_type") == "refresh_token"
    named = given.get("resource") == "https://acme.crm.dynamics.com"
    return None if (named or refreshes) and "scope" not in given else "invalid_resource"


def _canvas(issued: Issued) -> Any:
    told = {"access_token": issued.access, "token_type": "Bearer", "expires_in": 3600}
    told |= {"user": {"id": 42, "name": "Ada"}, "canvas_region": "us-east-1"}
    return {**told, "refresh_token": issued.refresh}


def _canvas_again(issued: Issued) -> Any:
    told = {"access_token": issued.access, "token_type": "Bearer", "expires_in": 3600}
    return {**told, "user": {"id": 42}, "canvas_region": "us-east-1"}


def _canvas_dead() -> Response:
    told = {"error": "invalid_request", "error_description": "refresh_token not found"}
    return as_json(told, 400)


OAUTH = {
    "tiktok-organic": OAuth(
        Habits(
            entry={"parameter_names": {"code": "auth_code", "token_code": "auth_code"}},
            authorize=lambda given, _: (
                None if given.get("client_key") == CLIENT and "," in given["scope"] else "param_error"
            ),
            token=_tiktok_wants,
            answers=_tiktok,
            dead=lambda: as_json({"code": 40105, "message": "Refresh token is incorrect", "data": {}}),
            revoked_by=lambda given, _: given["access_token"],
        ),
        account="u-77",
        extra={"data.open_id": "u-77"},
    ),
    "dynamics-365": OAuth(
        Habits(
            authorize=_dynamics_wants,
            token=_dynamics_wants,
            answers=_dynamics,
            posts=True,
            callback={"session_state": "0bdc4dfb"},
            dead=lambda: as_json(
                {"error": "invalid_grant", "error_description": "AADSTS70008", "error_codes": [70008]}, 400
            ),
        ),
        account="ada@example.com",
        extra={"resource": "https://acme.crm.dynamics.com"},
        fields={"organisation": "acme"},
    ),
    "canvas-lms": OAuth(
        Habits(
            authorize=lambda given, _: "invalid_scope" if "scope" in given else None,
            token=demand_post,
            answers=_canvas,
            refreshed=_canvas_again,
            rotates=False,
            dead=_canvas_dead,
        ),
        account="42",
        extra={"canvas_region": "us-east-1"},
        fields={"school": "acme"},
    ),
}


@pytest.mark.parametrize("key", OAUTH)
def test_an_unknown_provider_connects_refreshes_and_its_loss_is_noticed(world: World, key: str) -> None:
    """By its entry alone, from the link to a sign-in that heals it."""
    known = OAUTH[key]
    with open_provider(known.habits) as provider:
        connection = offered(world, key, provider.url)
        for name, value in known.fields.items():
            body = {"Name": name, "Value": value}
            assert connection.api.call("POST", f"{connection.path}/properties", body).status_code == 200
        page = provider.sign_in(connection)
        assert page.status_code == 200, page.text
        told = connection.told()["Hitchpost"]
        assert told["Grant"]["State"] == "connected"
        assert (told["LastSignIn"]["ExternalAccount"], told["Grant"]["Extra"]) == (known.account, known.extra)
        first = connection.access_token().json()["AccessToken"]
        again = connection.force()
        assert again.status_code == 200, again.text
        assert again.json()["AccessToken"] != first
        provider.kill()
        connection.force()
        assert connection.grant_state() == ("needs_reconnect", "revoked")
        assert provider.sign_in(connection).status_code == 200
        assert connection.grant()["State"] == "connected"


Refuses = Callable[[], Response | None]
"""What a service answers to a request that it does not take; None for one that it takes."""


def _no(status: int = 401, **told: Any) -> Response:
    return as_json(told or {"error": "unauthorized"}, status)


def _chargebee() -> Response | None:
    pair = "Basic " + base64.b64encode(b"live_good:").decode()
    return (
        None
        if request.headers.get("Authorization") == pair
        else _no(api_error_code="api_authentication_failed")
    )


def _openweather() -> Response | None:
    return None if request.args.get("0") == "live_good" else _no(cod=401, message="Invalid API key.")


def _vtex() -> Response | None:
    sent = (request.headers.get("X-VTEX-API-AppKey"), request.headers.get("X-VTEX-API-AppToken"))
    return None if sent == ("vtexappkey-acme", "live_good") else _no(403)


def _slack() -> Response | None:
    good = request.method == "POST" and request.form.get("pretty") == "1"
    good = good and request.headers.get("Authorization") == "Bearer xoxb-live_good"
    return None if good else _no(200, ok=False, error="invalid_auth")


@dataclass(frozen=True)
class Keyed:
    """A service that takes a key: what it refuses, what it answers, and what its user types."""

    refuses: Refuses
    good: str = "live_good"
    wrong: str = "live_wrong"
    answer: Mapping[str, Any] = field(default_factory=dict)
    account: str | None = None
    fields: Mapping[str, str] = field(default_factory=dict)
    taken_back: Callable[[], Response] = _no


KEYED = {
    "chargebee": Keyed(_chargebee, fields={"site": "acme"}),
    "openweather": Keyed(_openweather),
    "vtex": Keyed(_vtex, fields={"account": "acme", "app_key": "vtexappkey-acme"}),
    "slack-token": Keyed(
        _slack,
        "xoxb-live_good",
        "xoxb-live_wrong",
        answer={"ok": True, "team": "Acme"},
        account="Acme",
        taken_back=lambda: _no(200, ok=False, error="token_revoked"),
    ),
}


@dataclass
class Door:
    """The running service. ``open``: whether it takes any key at all."""

    keyed: Keyed
    open: bool = True

    def answer(self) -> Response:
        """What it says to a check."""
        refused = self.keyed.refuses()
        if refused is None and self.open:
            return as_json(dict(self.keyed.answer))
        return refused or self.keyed.taken_back()


@pytest.fixture(params=KEYED)
def keyed(request: pytest.FixtureRequest, world: World) -> Iterator[tuple[Keyed, Door, Connection]]:
    """Each service in turn, running, and a connection to it."""
    known = KEYED[request.param]
    door, app = Door(known), Flask("keyed")
    app.add_url_rule("/check", "check", door.answer, methods=["GET", "POST"])
    with serve(lambda _: app) as url:
        yield known, door, offered(world, request.param, url)


def test_a_key_of_an_unknown_service_is_tried_kept_and_its_loss_noticed(
    keyed: tuple[Keyed, Door, Connection],
) -> None:
    """A wrong one is said at its field; a good one connects; one that was taken back is found by itself."""
    known, door, connection = keyed
    wrong = give(connection, known.wrong, **known.fields)
    assert (wrong.status_code, fields(wrong)) == (422, {"api_key": "refused"}), wrong.text
    assert known.wrong not in wrong.text
    good = give(connection, known.good, **known.fields)
    assert good.status_code == 200, good.text
    told = connection.told()["Hitchpost"]
    assert (told["Grant"]["State"], told["LastSignIn"]["ExternalAccount"]) == ("connected", known.account)
    door.open = False
    connection.look()
    assert connection.grant()["State"] == "needs_reconnect"


def test_a_client_of_an_unknown_service_gets_tokens_for_its_audience(world: World) -> None:
    """JSON, with the audience that the user typed; a wrong secret is said at its field."""
    app = Flask("camunda")

    @app.post("/token")
    def token() -> Response:
        given = request.get_json()
        sent = (given["client_id"], given["client_secret"], given.get("audience"), "scope" in given)
        if sent != ("mine", "right", "zeebe.camunda.io", False):
            return as_json({"error": "access_denied"}, 401)
        return as_json({"access_token": "at", "token_type": "Bearer", "expires_in": 300})

    with serve(lambda _: app) as url:
        connection = offered(world, "camunda", url)
        audience = "zeebe.camunda.io"
        wrong = give(connection, ClientId="mine", ClientSecret="wrong", audience=audience)
        assert (wrong.status_code, fields(wrong)) == (422, {"client_secret": "refused"})
        good = give(connection, ClientId="mine", ClientSecret="right", audience=audience)
        assert good.status_code == 200, good.text
        assert connection.access_token().json()["AccessToken"] == "at"
        assert connection.grant()["State"] == "connected"
