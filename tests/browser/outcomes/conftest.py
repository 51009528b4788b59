"""A scene for each test; `make outcomes` plays each in every engine, `make test` most in one."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from selenium.webdriver.remote.webdriver import WebDriver

from tests.support.cyclr.scene import PRODUCTS, CyclrScene
from tests.support.cyclr.stack import CyclrStack, open_cyclr_stack
from tests.support.scene import Scene
from tests.support.stack import Stack, end_connections


@pytest.fixture
def scene(driver: WebDriver, stack: Stack, record_property: Callable[[str, object], None]) -> Iterator[Scene]:
    """The demo's page; whatever was stopped goes on again afterwards, and no connection is left."""
    found = Scene(driver, stack, record_property)
    end_connections(stack)
    yield found
    for program in ("bff", "partner", "sandbox"):
        found.go_on(program)


@pytest.fixture(scope="session")
def cyclr_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CyclrStack]:
    """The same page in front of the strict stand-in for Cyclr."""
    folder = tmp_path_factory.mktemp("cyclr")
    with open_cyclr_stack(folder, products_text=PRODUCTS) as running:
        yield running


@pytest.fixture
def cyclr_scene(
    driver: WebDriver, cyclr_stack: CyclrStack, record_property: Callable[[str, object], None]
) -> CyclrScene:
    """The page there; nothing is installed, and the stand-in has its usual habits."""
    cyclr_stack.cyclr.reset()
    return CyclrScene(driver, cyclr_stack, record_property)
