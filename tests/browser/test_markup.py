"""Whatever a team writes is shown as the text that it is, in every engine."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final
from uuid import uuid4

import pytest
from flask import Flask
from selenium.webdriver.remote.webdriver import WebDriver

from bff.content.entries import path_of_word
from bff.content.store import ContentStore
from bff.serving.database import open_database
from tests.support.host_page import HostPage
from tests.support.own_product import own_host, tag
from tests.support.stack import Stack

PRODUCT: Final = "markup"
CORPUS: Final = [
    "<script>top.hacked = 1</script>",
    '"><img src=x onerror="top.hacked=1">',
    "</h1></title></style><svg onload=top.hacked=1>",
    "<iframe srcdoc='<script>parent.hacked=1</script>'></iframe>",
    "javascript:top.hacked=1//<a href=javascript:top.hacked=1>x</a>",
    "&lt;b&gt; &amp; {{ 7*7 }} ${7*7} {% raw %}",
]
TEXT: Final = " ".join(CORPUS)
SHOWN: Final = """
const { shadowRoot } = document.querySelector("hitchpost-connect[connector=sandbox]");
return ["[part=button]", "[part=status]"].map((part) => shadowRoot.querySelector(part).textContent.trim());
"""
HACKED: Final = "return [typeof hacked, document.querySelectorAll('iframe, svg, img[src=x]').length]"
PAGE: Final = """<!doctype html><html lang="en"><title>host</title><link rel="icon" href="data:,">
<hitchpost-connect connector="sandbox"></hitchpost-connect><p role="status"></p>
<script>
document.addEventListener("hitchpost:failed", ({ detail }) => {
  document.querySelector("[role=status]").textContent = detail.code;
});
</script>"""
"""No policy keeps a script from running here."""


@pytest.fixture(scope="session")
def nasty(stack: Stack) -> Iterator[Stack]:
    """A host on another site than the BFF, whose team has written nothing but markup for its product."""
    app = Flask("host")
    app.add_url_rule("/", "page", lambda: PAGE + tag(stack, PRODUCT, uuid4().hex))
    with own_host(stack, PRODUCT, app, name="Markup SaaS", at="localhost") as running:
        engine = open_database(f"sqlite:///{running.folder}/bff.db")
        store = ContentStore(engine, lambda: datetime.now(UTC))
        words = ("waiting", "unsure", "page_opening", "page_stranded_hint", "page_close", "declined")
        written = {path_of_word(key): TEXT for key in words}
        written[path_of_word("button")] = TEXT + " {connector_name}"
        written[path_of_word("page_stranded")] = TEXT + " {product_name}"
        written[path_of_word("page_opening")] = TEXT + " {connector_name}"
        store.publish(running.product, {**store.published(running.product).content, **written}, "test")
        engine.dispose()
        yield running


@pytest.mark.one_engine
def test_markup_is_shown_as_text(driver: WebDriver, nasty: Stack) -> None:
    """On the button, in the line below it, and on the pages in the popup: nothing of it ever acts."""
    page = HostPage(driver, nasty)
    driver.get(nasty.host)
    button = f"{TEXT} Sandbox CRM"
    page.wait(lambda: driver.execute_script(SHOWN)[0] == button)
    page.choose(button)
    page.decide("Deny")
    page.status("declined")
    assert driver.execute_script(SHOWN)[1].startswith(TEXT)
    assert driver.execute_script(HACKED) == ["undefined", 0]
    query = f"product={nasty.product}&origin={nasty.host}&connector=sandbox"
    driver.get(f"{nasty.bff}/connect/opening?{query}")
    page.wait(lambda: f"{TEXT} Markup SaaS" in driver.execute_script("return document.body.textContent"))
    assert f"{TEXT} Sandbox CRM" in driver.execute_script("return document.body.textContent")
    assert driver.title == f"{TEXT} Sandbox CRM"
    assert driver.execute_script(HACKED) == ["undefined", 0]
