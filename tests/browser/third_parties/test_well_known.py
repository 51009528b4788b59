"""Well-known providers, as they are documented, in a browser: connected, refreshed, lost, connected again.

``make providers`` plays them. What they do is in tests/support/emulations.py; over HTTP they are played in
tests/partner/test_emulations.py by ``make test``, and the one that posts its answer in tests/browser too.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest
import requests
from flask import Flask, Response, request
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webdriver import WebDriver

from tests.browser.test_forms import FormPage
from tests.support import lost_grants
from tests.support.emulations import EMULATIONS
from tests.support.provider import CLIENT, SECRET, Provider, as_json, open_provider
from tests.support.servers import serve
from tests.support.stack import ROOT, Stack, run_demo

pytestmark = pytest.mark.skipif(not os.environ.get("TESTS_PROVIDERS"), reason="played by make providers")
FIRST_ID: Final = 9100
STATE: Final = (
    "return document.querySelector(`hitchpost-connect[connector='${arguments[0]}']`).getAttribute('state')"
)


@dataclass
class WellKnown:
    """The running demo, with the providers beside it."""

    stack: Stack
    providers: Mapping[str, Provider]
    good_keys: set[str] = field(default_factory=lambda: {"key-1", "key-2"})

    def told(self, key: str) -> dict[str, Any]:
        """What the host's server is told of a connection."""
        account = self.stack.account
        found: list[dict[str, Any]] = self.stack.get(f"/v1/connections?account={account}")["connections"]
        return next(one for one in found if one["connector"] == key)

    def force(self, key: str) -> requests.Response:
        """Have the access token of a connection refreshed, as whoever was refused with it does."""
        told = json.loads((self.stack.folder / "demo.json").read_text())
        client = told["partner_client_id"], told["partner_client_secret"]
        asked = lost_grants.api_token(self.stack.partner, *client)
        with self.database() as database:
            number, account = database.execute(
                "SELECT id, account_id FROM account_connector WHERE connector_id = ?", (id_of(key),)
            ).fetchone()
        return lost_grants.report(self.stack.partner, asked.json()["access_token"], account, str(number))

    @contextlib.contextmanager
    def database(self) -> Iterator[sqlite3.Connection]:
        """That of the embedded partner service."""
        path = self.stack.folder / "partner.db"
        with contextlib.closing(sqlite3.connect(path, timeout=20)) as opened, opened:
            yield opened


def key_of(name: str) -> str:
    """The connector's key."""
    return name.replace(" ", "-")


def id_of(key: str) -> int:
    """The connector's id."""
    return FIRST_ID + [*map(key_of, EMULATIONS), "keys"].index(key)


def connector(name: str, provider: Provider) -> str:
    """The provider's entry. Its own pages are of another site than its endpoints, as any provider's are."""
    base, key = provider.url + provider.habits.path, key_of(name)
    values: dict[str, Any] = {
        "id": id_of(key),
        "key": key,
        "name": title(name),
        "authorize_url": f"{base}/authorize",
        "token_url": f"{base}/token",
        "revocation_url": f"{base}/revoke",
        "client_id": CLIENT,
        "client_secret": SECRET,
        **({"userinfo_url": f"{base}/userinfo"} if provider.habits.info else {}),
    }
    values |= {
        key: value.replace("{URL}", provider.url) if isinstance(value, str) else value
        for key, value in provider.habits.entry.items()
    }
    values["authorize_url"] = values["authorize_url"].replace("127.0.0.1", "localhost")
    fields = values.pop("field", [])
    lines = ["[[connector]]", *(f"{name} = {toml(value)}" for name, value in values.items())]
    for asked in fields:
        lines += ["[[connector.field]]", *(f"{name} = {toml(value)}" for name, value in asked.items())]
    return "\n".join(lines) + "\n\n"


def title(name: str) -> str:
    """The connector's name."""
    return f"{name.title()} CRM"


def toml(value: Any) -> str:
    """A value of a TOML file."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(name)} = {toml(one)}" for name, one in value.items()) + " }"
    return json.dumps(value)


KEYS: Final = """
[[connector]]
id = {id}
key = "keys"
name = "Keys CRM"
auth = "api_key"

[connector.check]
url = "{url}/me"
headers = {{ Authorization = "Token token={{api_key}}" }}
"""


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WellKnown]:
    """One demo for all of them."""
    folder: Path = tmp_path_factory.mktemp("well-known")
    good, app = {"key-1", "key-2"}, Flask("keys")

    @app.get("/me")
    def me() -> Response:
        taken = request.headers["Authorization"].removeprefix("Token token=") in good
        return as_json({"email": "ada@example.com"} if taken else {}, 200 if taken else 401)

    with contextlib.ExitStack() as opened:
        providers = {
            name: opened.enter_context(open_provider(EMULATIONS[name].habits)) for name in EMULATIONS
        }
        url = opened.enter_context(serve(lambda _: app))
        text = (ROOT / "bff/partner/demo-catalogue.toml").read_text()
        text += "\n" + "".join(connector(name, provider) for name, provider in providers.items())
        catalogue = folder / "catalogue.toml"
        catalogue.write_text(text + KEYS.format(id=id_of("keys"), url=url))
        stack = opened.enter_context(run_demo(folder / "demo", {"HITCHPOST_DEMO_CATALOGUE": str(catalogue)}))
        yield WellKnown(stack, providers, good)


@pytest.fixture
def page(driver: WebDriver, known: WellKnown) -> FormPage:
    """The demo's page with Ada signed in."""
    found = FormPage(driver, known.stack)
    found.sign_in()
    return found


def connect(page: FormPage, name: str, fields: Mapping[str, str]) -> None:
    """Press the button; type what is asked for; the provider's own page agrees by itself."""
    popup = page.connect(title(name))
    for value in fields.values():
        page.fill(value, submit=f"Continue to {title(name)}")
    assert page.status("connected", "failed", "declined") == "connected"
    assert page.popup_is_gone(popup)


def wait_for(page: FormPage, key: str, state: str) -> None:
    """Until the element is in this state."""
    page.front()
    page.wait(lambda: page.driver.execute_script(STATE, key) == state or None)


@pytest.mark.parametrize("engine", ["chromium"], indirect=True)
@pytest.mark.parametrize("name", [*EMULATIONS])
def test_a_well_known_provider_in_a_browser(page: FormPage, known: WellKnown, name: str) -> None:
    """Connected as the account that it tells; refreshed; lost, which the page shows; connected again."""
    emulation, provider, key = EMULATIONS[name], known.providers[name], key_of(name)
    connect(page, name, emulation.fields)
    wait_for(page, key, "connected")
    told = known.told(key)
    assert (told["external_account"], told["state"]) == (emulation.account, "connected")
    assert known.force(key).status_code == 200
    assert bool(provider.requests_of("token")[1:] or provider.requests_of("refresh")) is emulation.renewable
    provider.kill()
    assert known.force(key).status_code == 409
    # The BFF remembers a list for some seconds; this call renews it.
    page.wait(lambda: known.told(key)["state"] == "needs_reconnect" or None)
    page.driver.refresh()
    wait_for(page, key, "needs-reconnect")
    provider.count = 0
    connect(page, name, emulation.fields)  # Shown again: what was typed may be why the grant is gone.
    wait_for(page, key, "connected")


@pytest.mark.parametrize("engine", ["chromium"], indirect=True)
def test_an_api_key_in_a_browser(page: FormPage, known: WellKnown) -> None:
    """Typed wrong and right; taken back at the service, which nobody asks about; typed again."""
    page.connect("Keys CRM")
    page.fill("no key", submit="Connect")
    assert "did not accept" in page.faults()
    assert page.typed() == "no key"
    page.fill("key-1", submit="Connect")
    assert page.status("connected", "failed", "declined") == "connected"
    wait_for(page, "keys", "connected")
    known.good_keys.discard("key-1")
    with known.database() as database:
        database.execute(
            "UPDATE account_connector SET next_refresh_at = '2020-01-01' WHERE connector_id = ?",
            (id_of("keys"),),
        )
    page.wait(lambda: known.told("keys")["state"] == "needs_reconnect" or None, seconds=60, every=1.0)
    page.driver.refresh()
    wait_for(page, "keys", "needs-reconnect")
    page.connect("Keys CRM")
    page.fill("key-2", submit="Connect")
    assert page.status("connected", "failed", "declined") == "connected"
    assert page.driver.find_elements(By.TAG_NAME, "hitchpost-connect")
