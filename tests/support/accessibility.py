"""What a page is like for people who look at it otherwise: axe-core, narrow windows, either colour scheme."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from selenium.webdriver.remote.webdriver import WebDriver

from tests.support.stack import ROOT

AXE: Final = ROOT / "node_modules/axe-core/axe.min.js"
RULES: Final = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
BY_COLOUR: Final = ["color-contrast"]
"""Of these the rule that the colour scheme decides."""
BY_PLACE: Final = ["color-contrast", "target-size"]
"""And those that look at where things stand."""
CHECK: Final = """
const [rules, done] = arguments;
axe.run(document, { runOnly: rules, resultTypes: ["violations"] }).then(({ violations }) =>
  done(violations.map(({ id, nodes }) => `${id}: ${nodes[0].html}`)));
"""
WIDER: Final = """
const all = (root) => [...root.querySelectorAll("*")].flatMap((element) =>
  [element, ...(element.shadowRoot ? all(element.shadowRoot) : [])]);
const shown = (element) => element.checkVisibility?.() && !element.closest("[hidden]");
const inside = ({ left, right }) => left >= -0.5 && right <= innerWidth + 0.5;
const scrolls = (element) => ["auto", "scroll"].includes(getComputedStyle(element).overflowX);
const scrolled = ({ parentElement: up }) => up !== null && (scrolls(up) || scrolled(up));
const beyond = all(document.body)
  .filter((element) => shown(element) && !inside(element.getBoundingClientRect()) && !scrolled(element))
  .map((element) => element.outerHTML.slice(0, 120));
const wide = document.documentElement.scrollWidth > innerWidth ? ["the page scrolls sideways"] : [];
return [...wide, ...beyond];
"""


def violations(driver: WebDriver, rules: Sequence[str] = RULES) -> list[str]:
    """What axe-core has to say of the page, by rules of these names or these kinds."""
    if not driver.execute_script("return 'axe' in window"):
        driver.execute_script(AXE.read_text())
    told: list[str] = driver.execute_async_script(CHECK, list(rules))
    return told


def overflowing(driver: WebDriver) -> list[str]:
    """What stands beyond the edge of the window, in the page and in its elements' shadow roots."""
    found: list[str] = driver.execute_script(WIDER)
    return found


def unreadable(driver: WebDriver, rules: Sequence[str] = RULES) -> list[str]:
    """What overflows, and what axe-core has to say."""
    return [*overflowing(driver), *violations(driver, rules)]


def emulate(driver: Any, scheme: str, width: int, **more: str) -> None:
    """A Chromium window of this width, for somebody who prefers this scheme, and colours that do not fade.

    ``more``: other media features, such as ``forced_colors="active"``.
    """
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    features = {"prefers-color-scheme": scheme, "prefers-reduced-motion": "reduce"}
    features |= {name.replace("_", "-"): more[name] for name in more}
    preference = [{"name": name, "value": value} for name, value in features.items()]
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": preference})
