"""Any OAuth 2.0 server is a few lines of the catalogue: here one that was written by others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webdriver import WebDriver

from tests.support.host_page import HostPage
from tests.support.oidc_provider import CLIENT_ID, CLIENT_SECRET, run_oidc_provider
from tests.support.stack import Stack

CONNECTOR: Final = """
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


def connector(port: int) -> str:
    """What is added to the demo's catalogue."""
    issuer = f"http://127.0.0.1:{port}"
    return CONNECTOR.format(issuer=issuer, client_id=CLIENT_ID, client_secret=CLIENT_SECRET)


@pytest.fixture
def with_oidc(stack_with_others: Stack, oidc_port: int) -> Iterator[Stack]:
    """The demo with the provider of that connector running."""
    with run_oidc_provider(oidc_port, f"{stack_with_others.partner}/connector/callback"):
        yield stack_with_others


@pytest.mark.parametrize("engine", ["chromium"], indirect=True)
def test_a_provider_written_by_others_connects(driver: WebDriver, with_oidc: Stack) -> None:
    """An OpenID provider from npm, added to the catalogue, connects with no change of code."""
    page = HostPage(driver, with_oidc)
    page.sign_in()
    page.connect("Elsewhere ID")
    page.wait(lambda: driver.find_element(By.NAME, "login")).send_keys("ada")
    driver.find_element(By.NAME, "password").send_keys("any")
    page.press_in_popup("Sign-in")
    page.decide("Continue")
    assert page.status("connected", "failed", "declined") == "connected"
    assert page.result()["connection"]["external_account"] == "ada@oidc.example"
