"""What operators ask: `hitchpost check-config --online` and `hitchpost connectors`."""

from __future__ import annotations

import json
import re
import socket
import threading
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from bff.cli.main import main
from bff.common.errors import PartnerUnavailable
from tests.support.cyclr import Cyclr
from tests.support.cyclr.world import CRM, MAIL, PRODUCTS, SHEETS
from tests.support.databases import sqlite_url
from tests.support.programs import SIGNING_KEY
from tests.support.raw_server import ACCOUNT, answers, client_of, play
from tests.support.world import CLIENT_ID, CLIENT_SECRET

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(
    cyclr: Cyclr, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Run:
    """Runs ``hitchpost`` with settings that are right, but for those that are given."""
    cyclr.add_account("acme")
    products = tmp_path / "products.toml"
    products.write_text(PRODUCTS.replace(', "ghost"', ""))
    right = {
        "PUBLIC_URL": "http://127.0.0.1:9",
        "DATABASE_URL": sqlite_url(tmp_path, "bff"),
        "SECRET_KEYS": SIGNING_KEY,
        "PARTNER_API_URL": cyclr.api,
        "PARTNER_SERVICE_URL": cyclr.service,
        "PARTNER_CLIENT_ID": CLIENT_ID,
        "PARTNER_CLIENT_SECRET": CLIENT_SECRET,
        "PRODUCTS": str(products),
    }

    def hitchpost(*arguments: str, **settings: str) -> tuple[int, str, str]:
        for name, value in (right | settings).items():
            monkeypatch.setenv(f"HITCHPOST_{name}", value)
        status = main([*arguments])
        told = capsys.readouterr()
        return status, told.out, told.err

    return hitchpost


class TestCheckConfig:
    """``--online`` asks, and says which setting is wrong."""

    def test_settings_that_are_right(self, run: Run) -> None:
        """Nothing is made at the partner service."""
        status, out, err = run("check-config", "--online")
        assert (status, "sound" in out, "PARTNER" in err) == (0, True, False)

    def test_a_wrong_client_secret(self, run: Run) -> None:
        """Also while the rest is right."""
        status, _, err = run("check-config", "--online", PARTNER_CLIENT_SECRET="wrong-wrong-wrong-wrong")
        assert status == 2
        assert "HITCHPOST_PARTNER_CLIENT_SECRET: the partner service refuses" in err
        assert "wrong-wrong" not in err

    def test_swapped_urls(self, run: Run, cyclr: Cyclr) -> None:
        """Though the service domain gives access tokens, too."""
        status, _, err = run(
            "check-config", "--online", PARTNER_API_URL=cyclr.service, PARTNER_SERVICE_URL=cyclr.api
        )
        assert status == 2
        assert "HITCHPOST_PARTNER_API_URL and HITCHPOST_PARTNER_SERVICE_URL are swapped" in err

    @pytest.mark.parametrize("name", ["PARTNER_API_URL", "PARTNER_SERVICE_URL"])
    def test_an_address_where_nobody_listens(self, run: Run, name: str) -> None:
        """Each is named by its own setting, and the other is not."""
        other = {"PARTNER_API_URL", "PARTNER_SERVICE_URL"} - {name}
        status, _, err = run("check-config", "--online", **{name: "http://127.0.0.1:9"})
        assert status == 2
        assert re.search(rf"HITCHPOST_{name}: .* not answer \(Connection refused\)", err)
        assert f"HITCHPOST_{other.pop()}: " not in err

    def test_a_name_that_is_not_known(self, run: Run) -> None:
        """In words, not by the name of an exception."""
        _, _, err = run("check-config", "--online", PARTNER_SERVICE_URL="https://partner.invalid")
        assert "PARTNER_SERVICE_URL: the partner service's pages do not answer (its name is not known" in err

    @pytest.mark.parametrize(
        ("name", "place"),
        [
            ("PARTNER_API_URL", "third_party"),
            ("PARTNER_SERVICE_URL", "third_party"),
            ("PARTNER_SERVICE_URL", "api"),
        ],
    )
    def test_an_address_of_something_else(self, run: Run, cyclr: Cyclr, name: str, place: str) -> None:
        """The third party's pages, or the API in place of the pages."""
        status, _, err = run("check-config", "--online", **{name: getattr(cyclr, place)})
        assert status == 2
        assert f"HITCHPOST_{name}: there is no" in err

    @pytest.mark.parametrize(
        ("route", "status", "setting", "told"),
        [
            ("token", 503, "API_URL", "in trouble now (503 to /oauth/token)"),
            ("token", 429, "API_URL", "in trouble now (429 to /oauth/token)"),
            ("list_accounts", 500, "API_URL", "in trouble now (500 to /v1.0/accounts)"),
            ("list_accounts", 403, "CLIENT_SECRET", "may not list accounts (403 to /v1.0/accounts)"),
            ("list_accounts", 404, "API_URL", "there is no API of a partner service (404 to /v1.0/accounts)"),
        ],
    )
    def test_what_answered_and_what_it_answered(
        self, run: Run, cyclr: Cyclr, route: str, status: int, setting: str, told: str
    ) -> None:
        """An outage is no wrong setting, and a good access token is no missing one."""
        cyclr.habits.busy = {route: (status, None)}
        found, _, err = run("check-config", "--online")
        assert found == 2
        assert f"HITCHPOST_PARTNER_{setting}: " in err
        assert told in err

    @pytest.mark.parametrize(
        ("told", "sound"),
        [
            ({}, True),
            ({"expires_in": None}, True),
            ({"expires_in": 0}, False),
            ({"access_token": "two\nlines"}, False),
        ],
    )
    def test_a_token_is_sound_where_calls_can_use_it(
        self, run: Run, told: dict[str, Any], sound: bool
    ) -> None:
        """A life that is not told is none that is wrong (RFC 6749, section 5.1)."""
        token = json.dumps({"access_token": "bearer-1", "token_type": "bearer", **told}).encode()

        def api(connection: socket.socket, request: bytes, over: threading.Event) -> None:
            answers(200, token if b"/oauth/token" in request else b"[]")(connection, request, over)

        with play(api) as (url, _):
            _, _, err = run("check-config", "--online", PARTNER_API_URL=url)
            with nullcontext() if sound else pytest.raises(PartnerUnavailable):
                client_of(url).list_account_connectors(ACCOUNT)
        assert ("API_URL: there is no API of a partner service (200 without a usable" in err) is not sound

    def test_pages_that_a_gateway_answers(self, run: Run) -> None:
        """The address may be right."""
        with play(answers(503, b"<html>")) as (url, _):
            _, _, err = run("check-config", "--online", PARTNER_SERVICE_URL=url)
        assert "HITCHPOST_PARTNER_SERVICE_URL: the partner service is in trouble now (503 to " in err

    def test_an_api_url_with_a_path(self, run: Run, cyclr: Cyclr) -> None:
        """The secret is right; it is the address that is too long."""
        _, _, err = run("check-config", "--online", PARTNER_API_URL=f"{cyclr.api}/v1.0")
        assert f"HITCHPOST_PARTNER_API_URL: the API answers at {cyclr.api}; write it without the path" in err
        assert "CLIENT_SECRET" not in err

    def test_a_connector_that_the_partner_service_does_not_have(self, run: Run, tmp_path: Path) -> None:
        """Product and connector are named."""
        (tmp_path / "products.toml").write_text(PRODUCTS)
        status, _, err = run("check-config", "--online")
        assert status == 2
        assert "demo/ghost: the partner service has no connector 'ghost'" in err

    def test_while_there_is_no_account_yet(self, run: Run, cyclr: Cyclr) -> None:
        """The catalogue cannot be read then; the rest is right, and nothing is made."""
        cyclr.accounts.clear()
        status, _, err = run("check-config", "--online")
        assert status == 0
        assert "warning: connectors: the catalogue is told to accounts that exist" in err
        assert cyclr.accounts == {}


class TestConnectors:
    """What is there, and what the products make of it."""

    def test_the_catalogue(self, run: Run, cyclr: Cyclr) -> None:
        """Release by release, with what a sign-in needs."""
        cyclr.release(
            9, "Desk", "2.1", status="Draft", auth_type="ApiKey", oauth2_type="Unknown", keys=("Url",)
        )
        cyclr.habits.longest_page = 2
        status, out, _ = run("connectors", "list")
        assert status == 0
        assert f"Sandbox CRM: {CRM} (1.0, Approved); signs in by OAuth2 AuthorisationCode" in out
        assert "Desk: 9 (2.1, Draft); signs in by ApiKey, once these properties are set: Url" in out
        assert len(run("connectors", "list", "--query", "she")[1].splitlines()) == 1

    def test_which_release_each_connector_is(self, run: Run, cyclr: Cyclr) -> None:
        """And that one has none that new accounts can have."""
        cyclr.release(CRM - 1, "Sandbox CRM", "0.9", status="Deprecated")
        cyclr.releases = [one for one in cyclr.releases if one.id != MAIL]
        cyclr.release(MAIL, "Mail", status="Draft")
        status, out, err = run("connectors", "check")
        assert status == 2
        assert f"demo/crm: Sandbox CRM {CRM} (1.0, Approved), new installs" in out
        assert f"demo/crm: Sandbox CRM {CRM - 1} (0.9, Deprecated), not for new installs" in out
        assert f"demo/sheets: Sheets {SHEETS} (1.0, Approved), new installs" in out
        assert f"demo/mail: no release of 'Mail' is approved ({MAIL} (1.0, Draft))" in err

    @pytest.mark.parametrize("listed", [True, False])
    def test_what_an_account_has(self, run: Run, cyclr: Cyclr, listed: bool) -> None:
        """Which install a Connect would take, of several; also where lists do not say what is connected."""
        cyclr.habits.lists_say_authenticated = listed
        crm = cyclr.releases[0]
        first = cyclr.install("acme", crm)
        used = cyclr.install("acme", crm, "Second", authenticated=True)
        status, out, _ = run("connectors", "check", "--account", "acme")
        assert status == 0
        ids = [line.split("id ")[1].split(",")[0] for line in out.splitlines() if "installed as" in line]
        assert ids == [str(used.id), str(first.id)]
        assert (out.count(", authenticated"), out.count("not authenticated")) == (1, 1)
        assert "several installs" in out
        assert run("connectors", "check", "--account", "typo")[0] == 2
        assert "typo" not in cyclr.accounts


class TestConnections:
    """``hitchpost connections``: what an account has connected, and its end."""

    OF = ("--product", "demo", "--account", "acme")

    @pytest.fixture(autouse=True)
    def applied(self, run: Run, tmp_path: Path) -> None:
        """The product file is in the database: these commands do not apply it."""
        assert run("products", "apply", str(tmp_path / "products.toml"))[0] == 0

    def test_they_are_listed_and_ended(self, run: Run, cyclr: Cyclr) -> None:
        """By the ids that the list has; ended again there is nothing to end."""
        item = cyclr.install("acme", cyclr.releases[0], authenticated=True)
        status, out, _ = run("connections", "list", *self.OF)
        assert (status, out) == (0, f"{item.id}  crm  connected\n")
        status, out, err = run("connections", "disconnect", *self.OF, str(item.id))
        assert (status, out) == (0, f"disconnected {item.id} (crm)\n")
        told = json.loads(err)
        who = [told[name] for name in ("logger", "event", "actor", "account", "connection")]
        assert who == ["hitchpost.audit", "disconnected", "operator", "acme", item.id]
        assert not item.authenticated
        status, _, err = run("connections", "disconnect", *self.OF, str(item.id))
        assert (status, err) == (2, f"there is no connection {item.id}\n")
        assert run("connections", "list", *self.OF)[1] == f"{item.id}  crm  disconnected\n"

    @pytest.mark.parametrize(
        ("arguments", "told"),
        [
            (("--product", "no-such", "--account", "acme"), "--product: there is no product 'no-such'"),
            (("--product", "demo", "--account", " acme"), "--account: "),
        ],
    )
    def test_what_is_not_there_is_told(self, run: Run, arguments: tuple[str, ...], told: str) -> None:
        """With exit status 2, and nothing done."""
        status, _, err = run("connections", "list", *arguments)
        assert status == 2
        assert told in err
