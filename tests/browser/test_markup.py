"""Whatever a team writes is shown as the text that it is, in every engine."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

import pytest
from selenium.webdriver.remote.webdriver import WebDriver

from bff.content.entries import path_of_word
from bff.content.store import ContentStore
from bff.serving.database import open_database
from tests.support.host_page import HostPage
from tests.support.stack import Stack, run_demo

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


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A demo of its own, whose team has written nothing but markup."""
    with run_demo(tmp_path_factory.mktemp("markup")) as running:
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
def test_markup_is_shown_as_text(driver: WebDriver, stack: Stack) -> None:
    """On the button, in the line below it, and on the pages in the popup: nothing of it ever acts."""
    page = HostPage(driver, stack)
    page.sign_in()
    button = f"{TEXT} Sandbox CRM"
    page.wait(lambda: driver.execute_script(SHOWN)[0] == button)
    page.choose(button)
    page.decide("Deny")
    page.status("declined")
    assert driver.execute_script(SHOWN)[1].startswith(TEXT)
    assert driver.execute_script(HACKED) == ["undefined", 0]
    query = f"product={stack.product}&origin={stack.host}&connector=sandbox"
    driver.get(f"{stack.bff}/connect/opening?{query}")
    page.wait(lambda: f"{TEXT} Demo SaaS" in driver.execute_script("return document.body.textContent"))
    assert f"{TEXT} Sandbox CRM" in driver.execute_script("return document.body.textContent")
    assert driver.title == f"{TEXT} Sandbox CRM"
    assert driver.execute_script(HACKED) == ["undefined", 0]
