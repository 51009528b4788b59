"""What the tests do when a browser dies under them, or is between two pages."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path

import pytest
from flask import Flask
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.remote.webdriver import WebDriver
from selenium.webdriver.support.ui import WebDriverWait

from tests.support.browsers import answers, missing, open_browser
from tests.support.host_page import HostPage
from tests.support.servers import serve
from tests.support.stack import Stack

# It goes on twenty times, each time after a moment.
RESTLESS = """<title>on its way</title><script>
const left = Number(location.search.slice(1) || "20");
if (left > 0) setTimeout(() => location.replace("?" + (left - 1)), 25);
else document.title = "at rest";
</script>"""


def children(pid: int) -> set[int]:
    """The processes below this one, and below those."""
    found: set[int] = set()
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, re.findall(r"\d+", task.read_text())):
            found |= {child, *children(child)}
    return found


@pytest.mark.skipif(missing("webkit") is not None, reason="WebKit cannot be driven here")
def test_a_browser_that_crashed_is_not_taken_for_one_that_answers() -> None:
    """WebKitGTK's browser dies by a signal: its driver goes on, and says only that the session is gone."""
    with open_browser("webkit") as driver:
        assert answers(driver)
        for pid in children(driver.service.process.pid):
            os.kill(pid, signal.SIGSEGV)
        WebDriverWait(driver, 20, 0.1).until(_is_lost)
        assert not answers(driver)


@pytest.mark.one_engine
def test_a_page_that_is_not_there_yet_is_asked_again(driver: WebDriver, stack: Stack) -> None:
    """Between two pages a document has no root for a while."""
    page = HostPage(driver, stack)
    driver.get("data:text/html,<title>there</title>")
    driver.execute_script(
        "const root = document.documentElement; root.remove(); setTimeout(() => document.append(root), 500)"
    )
    assert page.wait(lambda: "<title>there" in page.source())


@pytest.mark.parametrize("engine", ["firefox"], indirect=True)
def test_a_page_that_goes_while_it_is_read_is_asked_again(driver: WebDriver, stack: Stack) -> None:
    """Firefox answers a script with nothing when its page goes under it."""
    page = HostPage(driver, stack)
    app = Flask("restless")
    app.add_url_rule("/", view_func=lambda: RESTLESS)
    with serve(lambda _: app) as address:
        driver.get(address)
        page.wait(lambda: "<title>at rest" in _some(page.source()))


def _some(source: str) -> str:
    # Whoever waits until something is gone would take an empty page for that.
    assert source
    return source


def _is_lost(driver: WebDriver) -> bool:
    try:
        return not driver.current_window_handle
    except WebDriverException:
        return True
