"""A provider that brings its answer as a form: what engines send with a POST of another site differs."""

from __future__ import annotations

from typing import Final

import pytest
from selenium.webdriver.remote.webdriver import WebDriver

from tests.support.host_page import HostPage
from tests.support.provider import CLIENT, SECRET
from tests.support.stack import Stack

PROVIDER: Final = "apple"
"""The emulation that answers so; it runs beside the demo, whose catalogue has the connector."""
CONNECTOR: Final = """
[[connector]]
id = 902
key = "poster"
name = "Poster CRM"
authorize_url = "{elsewhere}/authorize"
token_url = "{url}/token"
client_id = "{client}"
client_secret = "{secret}"
token_auth = "client_secret_post"
pkce = false
account_claim = "email"
scopes = ["name", "email"]
authorize_params = {{ response_mode = "form_post" }}
"""


def connector(url: str) -> str:
    """The catalogue's entry; the provider is on another site (``localhost`` is one beside ``127.0.0.1``)."""
    elsewhere = url.replace("127.0.0.1", "localhost")
    return CONNECTOR.format(url=url, elsewhere=elsewhere, client=CLIENT, secret=SECRET)


@pytest.mark.one_engine
def test_an_answer_that_is_posted_from_another_site_connects(
    driver: WebDriver, stack_with_others: Stack
) -> None:
    """The cookie of the flow does not come with the POST, and does with the GET that it leads to."""
    page = HostPage(driver, stack_with_others)
    page.sign_in()
    page.connect("Poster CRM")
    assert page.status("connected", "failed", "declined") == "connected"
    assert page.result()["connection"]["external_account"] == "ada@example.com"
