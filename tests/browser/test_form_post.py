"""A provider that brings its answer as a form: what engines send with a POST of another site differs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver.remote.webdriver import WebDriver

from tests.support.emulations import EMULATIONS
from tests.support.host_page import HostPage
from tests.support.provider import CLIENT, SECRET, open_provider
from tests.support.stack import ROOT, Stack, run_demo

CONNECTOR = """
[[connector]]
id = 901
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


@pytest.fixture(scope="module")
def posting_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The demo, and a provider on another site (``localhost`` is one beside ``127.0.0.1``)."""
    folder: Path = tmp_path_factory.mktemp("form-post")
    with open_provider(EMULATIONS["apple"].habits) as provider:
        elsewhere = provider.url.replace("127.0.0.1", "localhost")
        added = CONNECTOR.format(url=provider.url, elsewhere=elsewhere, client=CLIENT, secret=SECRET)
        catalogue = folder / "catalogue.toml"
        catalogue.write_text((ROOT / "bff/partner/demo-catalogue.toml").read_text() + added)
        with run_demo(folder / "demo", {"HITCHPOST_DEMO_CATALOGUE": str(catalogue)}) as stack:
            yield stack


@pytest.mark.one_engine
def test_an_answer_that_is_posted_from_another_site_connects(driver: WebDriver, posting_stack: Stack) -> None:
    """The cookie of the flow does not come with the POST, and does with the GET that it leads to."""
    page = HostPage(driver, posting_stack)
    page.sign_in()
    page.connect("Poster CRM")
    assert page.status("connected", "failed", "declined") == "connected"
    assert page.result()["connection"]["external_account"] == "ada@example.com"
