"""Any OAuth 2.0 server is a few lines of the catalogue: here one that was written by others."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webdriver import WebDriver

from tests.support.host_page import HostPage
from tests.support.oidc_provider import CLIENT_ID, CLIENT_SECRET, run_oidc_provider
from tests.support.stack import ROOT, Stack, run_demo

CONNECTOR = """
[[connector]]
id = 900
key = "oidc"
name = "Elsewhere ID"
auth = "oauth2"
authorize_url = "{issuer}/auth"
token_url = "{issuer}/token"
userinfo_url = "{issuer}/me"
client_id = "{client_id}"
client_secret = "{client_secret}"
scopes = ["openid", "email"]
issuer = "{issuer}"
"""


@pytest.fixture
def other_stack(tmp_path: Path) -> Iterator[Stack]:
    """The demo with one more connector in a copy of its catalogue."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    added = CONNECTOR.format(
        issuer=f"http://127.0.0.1:{port}", client_id=CLIENT_ID, client_secret=CLIENT_SECRET
    )
    catalogue = tmp_path / "catalogue.toml"
    catalogue.write_text((ROOT / "bff/partner/demo-catalogue.toml").read_text() + added)
    with (
        run_demo(tmp_path / "demo", {"HITCHPOST_DEMO_CATALOGUE": str(catalogue)}) as stack,
        run_oidc_provider(port, f"{stack.partner}/connector/callback"),
    ):
        yield stack


@pytest.mark.parametrize("engine", ["chromium"], indirect=True)
def test_a_provider_written_by_others_connects(driver: WebDriver, other_stack: Stack) -> None:
    """An OpenID provider from npm, added to the catalogue, connects with no change of code."""
    page = HostPage(driver, other_stack)
    page.sign_in()
    page.connect("Elsewhere ID")
    page.wait(lambda: driver.find_element(By.NAME, "login")).send_keys("ada")
    driver.find_element(By.NAME, "password").send_keys("any")
    page.press_in_popup("Sign-in")
    page.decide("Continue")
    assert page.status("connected", "failed", "declined") == "connected"
    assert page.result()["connection"]["external_account"] == "ada@oidc.example"
