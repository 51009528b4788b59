"""A user connects what needs something typed, wrong values first, through the tag, in each engine."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from typing import Final

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webdriver import WebDriver

from tests.support.accessibility import emulate, unreadable
from tests.support.browsers import missing
from tests.support.cyclr.stack import CyclrStack, open_cyclr_stack
from tests.support.host_page import HostPage
from tests.support.stack import Stack
from tests.support.world import HOST, SECRET_KEY

CYCLR: Final = f"""
[[product]]
key = "demo"
name = "Demo SaaS"
origins = ["{HOST}"]
secret_keys = ["{SECRET_KEY}"]
connectors = ["sandbox-key", "sandbox-shop", "feed", "region"]
[product.connector.sandbox-key]
name = "Key CRM"
reference = "Key CRM"
[product.connector.sandbox-shop]
name = "Shop CRM"
reference = "Shop CRM"
[product.connector.feed]
name = "Feed"
reference = "Feed"
[product.connector.region]
name = "Region CRM"
reference = "Region CRM"
[product.messages.default]
kind = "sealed"
text = "connected:{{connector}}"
"""
LISTEN: Final = """
window.said = [];
addEventListener("message", ({ data }) => { if (typeof data === "string") window.said.push(data); });
"""


class FormPage(HostPage):
    """The host page, and the form in its popup."""

    def fill(self, value: str, *, submit: str) -> None:
        """Type into the form's first field, and press its button."""
        field = self.wait(lambda: self.driver.find_element(By.ID, "v0"))
        self.driver.execute_script("arguments[0].value = ''", field)
        field.send_keys(value)
        self.press_in_popup(submit)

    def faults(self) -> str:
        """What is said beside the fields, and below them, once something is."""
        script = "return [...document.querySelectorAll('.fault')].map((one) => one.innerText).join('')"
        return str(self.wait(lambda: self.driver.execute_script(script)))

    def typed(self) -> str:
        """What stands in the first field."""
        return str(self.driver.execute_script("return document.getElementById('v0').value"))


@pytest.fixture(scope="session")
def cyclr_forms(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CyclrStack]:
    """The host page in front of the strict stand-in for Cyclr, with connectors that are not plain OAuth."""
    with open_cyclr_stack(tmp_path_factory.mktemp("forms"), products_text=CYCLR) as running:
        cyclr = running.cyclr
        cyclr.release(1, "Key CRM", auth_type="ApiKey")
        cyclr.release(2, "Shop CRM", plain_keys=("Shop",))
        cyclr.release(3, "Feed", auth_type="None")
        regions = ("eu", "us", "a region whose name is longer than a small window is wide")
        cyclr.release(4, "Region CRM", plain_keys=("Region",), values={"Region": regions})
        cyclr.habits.refused_values = frozenset({"sk_wrong"})
        yield running


@pytest.fixture
def page(driver: WebDriver, stack: Stack) -> FormPage:
    """The demo's page with Ada signed in, and nothing connected."""
    with contextlib.closing(sqlite3.connect(stack.folder / "partner.db", timeout=20)) as database, database:
        database.execute("UPDATE account_connector SET authenticated = 0, external_account = NULL")
        database.execute("DELETE FROM property_value")
    found = FormPage(driver, stack)
    found.sign_in()
    return found


@pytest.fixture
def cyclr_page(driver: WebDriver, cyclr_forms: CyclrStack) -> FormPage:
    """The same in front of the stand-in, where nothing is installed."""
    cyclr_forms.cyclr.installed.clear()
    found = FormPage(driver, cyclr_forms)
    found.sign_in()
    return found


@pytest.mark.one_engine
def test_a_key_is_typed_wrong_and_then_right(page: FormPage) -> None:
    """By the keyboard. The wrong one is told beside its field, and stands there still, as dots until *Show*.

    Then it is connected, as ever; the next time a Cancel is a no.
    """
    driver = page.driver
    driver.execute_script(LISTEN)
    driver.execute_script(
        "document.querySelector('hitchpost-connect[connector=sandbox-key]')"
        ".setAttribute('message', 'crm-connected')"
    )
    popup = page.connect("Key CRM")
    page.wait(lambda: driver.find_element(By.ID, "v0"))
    driver.switch_to.active_element.send_keys("sk_wrong", Keys.ENTER)
    assert "Key CRM did not accept this" in page.faults()
    assert driver.switch_to.active_element.get_attribute("id") == "v0"
    assert page.typed() == "sk_wrong"
    masked = "return getComputedStyle(document.getElementById('v0')).webkitTextSecurity"
    assert driver.execute_script(masked) == "disc"
    page.press_in_popup("Show")
    assert driver.execute_script(masked) == "none"
    page.fill("sk_sandbox_ada", submit="Connect")
    assert page.status("connected") == "connected"
    assert page.popup_is_gone(popup)
    page.front()
    assert driver.execute_script("return window.said") == ["crm-connected"]
    page.connect("Key CRM")
    page.press_in_popup("Cancel")
    assert page.status("declined") == "declined"


@pytest.mark.one_engine
def test_a_shop_is_typed_wrong_and_then_right(page: FormPage) -> None:
    """A name that is none stays in its field; one that is not there is mended by going back."""
    popup = page.connect("Shop CRM")
    page.fill("Not a shop!", submit="Continue to Shop CRM")
    assert "does not look right" in page.faults()
    assert page.typed() == "Not a shop!"
    page.fill("nowhere", submit="Continue to Shop CRM")
    page.wait(lambda: "There is no shop of this name" in page.source())
    page.driver.back()
    page.wait(lambda: page.typed() == "nowhere")
    page.fill("north.shop.example", submit="Continue to Shop CRM")
    page.press_in_popup("Allow")
    assert page.status("connected") == "connected"
    assert page.popup_is_gone(popup)


@pytest.mark.repetition
def test_a_key_with_cyclr(cyclr_page: FormPage) -> None:
    """The same page, by what Cyclr's catalogue says."""
    cyclr_page.connect("Key CRM")
    cyclr_page.fill("sk_wrong", submit="Connect")
    assert "did not accept" in cyclr_page.faults()
    cyclr_page.fill("sk_right", submit="Connect")
    assert cyclr_page.status("connected") == "connected"


@pytest.mark.repetition
def test_a_shop_with_cyclr(cyclr_page: FormPage) -> None:
    """No "Bad Request": the property is asked for first, and asked for again after a wrong one."""
    cyclr_page.connect("Shop CRM")
    cyclr_page.fill("nowhere", submit="Continue to Shop CRM")
    cyclr_page.wait(lambda: "There is no such shop" in cyclr_page.source())
    cyclr_page.driver.back()
    cyclr_page.wait(lambda: cyclr_page.typed() == "nowhere")
    cyclr_page.fill("north", submit="Continue to Shop CRM")
    cyclr_page.press_in_popup("Allow")
    assert cyclr_page.status("connected") == "connected"


@pytest.mark.skipif(missing("chromium") is not None, reason="Chromium cannot be driven here")
@pytest.mark.repetition
@pytest.mark.parametrize("engine", ["chromium"])
def test_what_cannot_be_connected_opens_no_window(cyclr_page: FormPage) -> None:
    """It is said on the page, at once."""
    before = cyclr_page.driver.window_handles
    cyclr_page.button("Connect Feed").click()
    element = cyclr_page.driver.find_element(By.CSS_SELECTOR, "hitchpost-connect[connector=feed]")
    shown = "return arguments[0].shadowRoot.querySelector('[part=status]').textContent"
    cyclr_page.wait(lambda: "not available" in cyclr_page.driver.execute_script(shown, element))
    assert cyclr_page.driver.window_handles == before


@pytest.mark.skipif(missing("chromium") is not None, reason="Chromium cannot be driven here")
@pytest.mark.parametrize("engine", ["chromium"])
def test_a_region_is_chosen_by_keyboard_and_for_everybody(cyclr_page: FormPage) -> None:
    """Asked for until it is; axe-core and 360 px, light and dark."""
    driver = cyclr_page.driver
    cyclr_page.connect("Region CRM")
    region = cyclr_page.wait(lambda: driver.find_element(By.TAG_NAME, "select"))
    for scheme in ("light", "dark"):
        emulate(driver, scheme, 360)
        assert unreadable(driver) == []
    driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert (region.accessible_name, driver.switch_to.active_element) == ("Region", region)
    cyclr_page.press_in_popup("Continue to Region CRM")
    assert "Choose one from the list." in cyclr_page.faults()
    assert driver.switch_to.active_element == region
    region.send_keys("us")
    cyclr_page.press_in_popup("Continue to Region CRM")
    cyclr_page.press_in_popup("Allow")
    assert cyclr_page.status("connected") == "connected"
