"""One running demo for each worker, one browser of each engine, and a fresh tab for each test."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from selenium.common.exceptions import NoSuchWindowException
from selenium.webdriver.remote.webdriver import WebDriver
from selenium.webdriver.support.ui import WebDriverWait

from tests.support.browsers import ENGINES, answers, missing, open_browser
from tests.support.cyclr.stack import CyclrStack, open_cyclr_stack
from tests.support.cyclr.world import stock
from tests.support.deselecting import deselect
from tests.support.host_page import HostPage
from tests.support.stack import ROOT, Stack, run_demo

OUTPUT = ROOT / "test-output"
OUTCOMES = Path(__file__).parent / "outcomes"


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The demo that the tests of a worker share: each start of its five programs costs seconds.

    A sign-in counts only in the browser that launched it, as in production. Any test may connect, on
    anybody's account; whoever publishes something does that for a product of its own (``own_product``).
    """
    with run_demo(tmp_path_factory.mktemp("demo"), {"HITCHPOST_SAME_BROWSER": "required"}) as running:
        yield running


@pytest.fixture(scope="session")
def shared_cyclr_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CyclrStack]:
    """The demo's host page and a BFF, with the strict stand-in for Cyclr behind them."""
    with open_cyclr_stack(tmp_path_factory.mktemp("cyclr")) as running:
        yield running


@pytest.fixture
def cyclr_stack(shared_cyclr_stack: CyclrStack) -> CyclrStack:
    """The same with everything at the partner service as it was at first."""
    shared_cyclr_stack.cyclr.reset()
    stock(shared_cyclr_stack.cyclr)
    return shared_cyclr_stack


@pytest.fixture
def cyclr_page(driver: WebDriver, cyclr_stack: CyclrStack) -> HostPage:
    """The host page with Ada signed in, against the stand-in."""
    found = HostPage(driver, cyclr_stack)
    found.sign_in()
    return found


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave repetitions to `make outcomes` and `make engines`; play again what an engine itself spoiled.

    Its driver falls silent, or the browser crashes, as WebKitGTK's MiniBrowser does now and then.
    """
    if not (os.environ.get("TESTS_OUTCOMES") or os.environ.get("TESTS_EVERY_ENGINE")):
        deselect(config, items, _repeats)
    if config.getoption("reruns"):
        return  # Whatever fails is played again.
    silent = pytest.mark.flaky(
        reruns=2,
        only_rerun=[
            "ReadTimeoutError", "MaxRetryError", "InvalidSessionIdException", "failed to close window",
        ],
    )  # fmt: skip
    for item in items:
        if "engine" in getattr(item, "fixturenames", ()):
            item.add_marker(silent)


def _repeats(item: pytest.Item) -> bool:
    """Whether other tests play the same, or the first engine does and none is known to differ in it."""
    if item.get_closest_marker("repetition"):
        return True
    spec = getattr(item, "callspec", None)
    if spec is None or spec.params.get("engine", ENGINES[0]) == ENGINES[0]:
        return False
    if OUTCOMES in item.path.parents:
        return item.get_closest_marker("every_engine") is None
    return item.get_closest_marker("one_engine") is not None


@pytest.fixture(scope="session")
def browsers() -> Iterator[Callable[[str], WebDriver]]:
    """Browsers by engine, each started when it is first asked for, or no longer answers."""
    with contextlib.ExitStack() as opened:
        kept: dict[str, tuple[WebDriver, contextlib.ExitStack]] = {}

        def get(engine: str) -> WebDriver:
            if engine in kept and not answers(kept[engine][0]):
                kept.pop(engine)[1].close()
            if engine not in kept:
                own = opened.enter_context(contextlib.ExitStack())
                kept[engine] = own.enter_context(open_browser(engine)), own
            return kept[engine][0]

        yield get


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest, record_property: Callable[[str, object], None]) -> str:
    """Each engine that can be driven here; the others are skipped by name."""
    name: str = request.param
    record_property("engine", name)
    if reason := missing(name):
        record_property("engine_missing", reason)
        pytest.skip(f"{name}: {reason}")
    return name


@pytest.fixture
def driver(
    engine: str, browsers: Callable[[str], WebDriver], request: pytest.FixtureRequest
) -> Iterator[WebDriver]:
    """A browser with one fresh tab."""
    driver = browsers(engine)
    # A popup of the test before may close itself at any moment: then it is simply tried again.
    WebDriverWait(driver, 20, ignored_exceptions=(NoSuchWindowException,)).until(_with_one_fresh_tab)
    yield driver
    if getattr(request.node, "failed", False) and answers(driver):
        _keep_evidence(driver, engine, request.node.nodeid)
        # What spoiled this test may be the browser's: the next one gets another.
        with contextlib.suppress(Exception):
            driver.quit()


@pytest.fixture
def page(driver: WebDriver, stack: Stack) -> HostPage:
    """The demo's page with Ada signed in."""
    found = HostPage(driver, stack)
    found.sign_in()
    return found


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Remember on the test whether it failed, for the fixtures that end after it."""
    report = yield
    if report.when == "call":
        item.failed = report.failed  # type: ignore[attr-defined]
    return report


def _with_one_fresh_tab(driver: WebDriver) -> bool:
    driver.switch_to.window(driver.window_handles[0])
    driver.switch_to.new_window("tab")
    fresh = driver.current_window_handle
    for handle in set(driver.window_handles) - {fresh}:
        with contextlib.suppress(Exception):
            driver.switch_to.window(handle)
            driver.close()
    driver.switch_to.window(fresh)
    return True


def _keep_evidence(driver: WebDriver, engine: str, test: str) -> None:
    OUTPUT.mkdir(exist_ok=True)
    name = re.sub(r"\W+", "-", test)
    with contextlib.suppress(Exception):
        for number, handle in enumerate(driver.window_handles):
            driver.switch_to.window(handle)
            if engine != "webkit":  # Its driver may hang there, and answers nothing after it.
                driver.save_screenshot(str(OUTPUT / f"{name}-{number}.png"))
            Path(OUTPUT / f"{name}-{number}.html").write_text(f"{driver.current_url}\n{driver.page_source}")
