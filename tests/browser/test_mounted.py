"""A page of a host's own Flask app with the BFF in it, whose cookie says who is signed in."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from selenium.webdriver.remote.webdriver import WebDriver

from tests.support.host_page import HostPage
from tests.support.mounted import create_host
from tests.support.servers import serve
from tests.support.stack import Stack
from tests.support.world import open_world

PAGE = """<!doctype html><html lang="en"><title>Host</title>
<script src="/hitchpost/widget/v1/hitchpost.js" data-product="embedded" async></script>
<main><h1>Tools</h1><hitchpost-connect connector="sandbox"></hitchpost-connect><p role="status"></p></main>
<script>
for (const name of ["connected", "failed"]) {
  document.addEventListener(`hitchpost:${name}`, ({ detail }) => {
    document.querySelector("[role=status]").textContent = detail.status ?? detail.code;
  });
}
</script></html>"""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The host's app, and the partner service behind it."""
    folder: Path = tmp_path_factory.mktemp("mounted")
    with contextlib.ExitStack() as running:
        world = running.enter_context(open_world(folder))

        def host_at(url: str) -> Flask:
            app = create_host(url, folder, world.partner)
            app.add_url_rule("/page", "page", lambda: PAGE)
            return app

        host = running.enter_context(serve(host_at))
        yield Stack(host, f"{host}/hitchpost", world.partner, world.sandbox, "embedded", "", "acme", folder)


@pytest.fixture
def mounted(driver: WebDriver, stack: Stack) -> HostPage:
    """The page, for a user of this test's own engine."""
    driver.get(f"{stack.host}/sign-in/{driver.capabilities['browserName'].split()[0]}")
    driver.get(f"{stack.host}/page")
    return HostPage(driver, stack)


@pytest.mark.one_engine
def test_a_closed_window_is_opened_again_and_a_denial_told(mounted: HostPage) -> None:
    """Every signal of the widget is taken by cookie too, also one that is no hint: the flow goes on.

    Whoever denies is back on the page, which learns of it.
    """
    popup = mounted.connect()
    mounted.wait(lambda: mounted.driver.current_url.startswith(mounted.stack.sandbox))
    mounted.driver.close()
    mounted.front()
    assert popup not in mounted.driver.window_handles
    mounted.choose("Open again")
    mounted.decide("Deny")
    assert mounted.status("connected", "declined", "invalid_request") == "declined"
