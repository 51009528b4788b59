"""Providers that nobody foresaw connect by what docs/providers.md says, without a change of code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from bff.partner.providers.catalogue import read_catalogue
from tests.support.emulations import id_token
from tests.support.provider import (
    CLIENT,
    SECRET,
    Demand,
    Habits,
    Issued,
    Provider,
    as_form,
    as_json,
    demand_basic,
    open_provider,
)
from tests.support.third_party import Connection
from tests.support.world import World

pytestmark = pytest.mark.one_database

CATALOGUES = Path(__file__).parent / "imaginary"


@dataclass(frozen=True)
class Imagined:
    """What such a provider does, and what is to be told of a connection to it."""

    habits: Habits
    account: str
    extra: Mapping[str, str] = field(default_factory=dict)
    fields: Mapping[str, str] = field(default_factory=dict)
    callback_tells_origin: bool = False


def wants(**expected: str | None) -> Demand:
    """A request whose parameters are these; None: not sent."""
    return lambda given, _: (
        None if all(given.get(name) == value for name, value in expected.items()) else "invalid_request"
    )


def _wants_harbour(given: Mapping[str, str], headers: Mapping[str, str]) -> str | None:
    harbour = given.get("audience") == "harbour"
    return (
        demand_basic(given, headers)
        if harbour == (given["grant_type"] == "refresh_token")
        else "invalid_target"
    )


def _ledgerline(issued: Issued) -> Any:
    told = {"access_token": issued.access, "refresh_token": issued.refresh, "expires_in": "900.0"}
    return as_form({**told, "book.number": "4711"})


def _parley(issued: Issued) -> Any:
    grant = {"access_token": issued.access, "refresh_token": issued.refresh, "expires_in": 600}
    return as_json({"ok": True, "result": {"grant": grant}}, 201, "text/html")


IMAGINED = {
    "ledgerline": Imagined(
        Habits(
            authorize=wants(scope="ledger,vat.read", code_challenge=None, company="acme"),
            token=wants(client_id=CLIENT, client_secret=SECRET, code_verifier=None),
            answers=_ledgerline,
            dead=lambda: as_json({"error": "book_closed"}, 403),
        ),
        account="4711",
        extra={"book.number": "4711"},
        fields={"company": "acme"},
    ),
    "parley": Imagined(
        Habits(
            entry={"parameter_names": {"state": "custom", "code": "ticket"}},
            authorize=wants(app_key=CLIENT, permissions="rooms+talk", login="always", client_id=None),
            token=lambda given, _: None if given.get("app_key") == CLIENT else "invalid_client",
            answers=_parley,
            dead=lambda: as_json({"ok": False, "error": "session_gone"}),
            info=lambda issued: {"people": [{"mail": issued.account}]},
        ),
        account="ada@example.com",
    ),
    "quayside": Imagined(
        Habits(
            authorize=wants(response_mode="form_post"),
            token=_wants_harbour,
            posts=True,
            callback={"quay": "(the provider's own)", "berth": "B7"},
        ),
        account="B7",
        extra={"berth": "B7"},
        callback_tells_origin=True,
    ),
    "mossgate": Imagined(
        Habits(
            authorize=wants(scope=None),
            answers=lambda issued: {"access_token": issued.access, "refresh_token": issued.refresh},
            info=lambda _: {"owner": {"id": 990017, "region": "fen"}},
        ),
        account="990017",
        extra={"owner.region": "fen"},
    ),
    "tidewell": Imagined(
        Habits(
            authorize=wants(resource="https://north.tidewell.example/"),
            token=lambda _, headers: "invalid_client" if "Authorization" in headers else None,
            answers=lambda issued: {
                "access_token": issued.access,
                "refresh_token": issued.refresh,
                "token_type": "bearer",
                "id_token": id_token({"https://tidewell.example/mail": issued.account}),
            },
        ),
        account="ada@example.com",
        fields={"region": "north"},
    ),
}


def connection_to(world: World, provider: Provider, key: str, folder: Path) -> Connection:
    """An account connector of the catalogue, its fields typed."""
    port = str(urlsplit(provider.url).port)
    path = folder / f"{key}.toml"
    path.write_text((CATALOGUES / path.name).read_text().replace("{PORT}", port))
    item = read_catalogue(path).connectors[0]
    known = [one for one in world.partner_service.catalogue.connectors if one.id != item.id]
    world.partner_service.catalogue.connectors = (*known, item)
    connection = Connection(world, item)
    for name, value in IMAGINED[key].fields.items():
        answer = connection.api.call("POST", f"{connection.path}/properties", {"Name": name, "Value": value})
        assert answer.status_code == 200, answer.text
    return connection


@pytest.mark.parametrize("key", IMAGINED)
def test_an_imaginary_provider_connects_by_its_catalogue_alone(
    world: World, key: str, tmp_path: Path
) -> None:
    """Signed in, told, refreshed, its loss noticed."""
    imagined = IMAGINED[key]
    with open_provider(imagined.habits) as provider:
        extra = dict(imagined.extra)
        if imagined.callback_tells_origin:
            extra["quay"] = provider.url.replace("127.0.0.1", "localhost")
            provider.habits.callback["quay"] = extra["quay"]  # type: ignore[index]
        connection = connection_to(world, provider, key, tmp_path)
        page = provider.sign_in(connection)
        assert page.status_code == 200, page.text
        told = connection.told()["Hitchpost"]
        assert (told["Grant"]["State"], told["LastSignIn"]["ExternalAccount"]) == (
            "connected",
            imagined.account,
        )
        assert told["Grant"]["Extra"] == extra
        first = connection.access_token().json()["AccessToken"]
        again = connection.force()
        assert again.status_code == 200, again.text
        assert again.json()["AccessToken"] != first
        provider.kill()
        connection.force()
        assert connection.grant()["State"] == "needs_reconnect"


def test_an_imaginary_no_is_declined(world: World, tmp_path: Path) -> None:
    """By the word that the catalogue has for it."""
    with open_provider(IMAGINED["parley"].habits) as provider:
        connection = connection_to(world, provider, "parley", tmp_path)
        provider.refusal = {"error": "nope"}
        provider.sign_in(connection)
        assert connection.last_sign_in()["Result"] == "declined"
