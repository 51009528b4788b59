"""Every text, in every language, on every page: it is there, translated, fits, and all can read it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

import pytest
import requests
from selenium.webdriver.remote.webdriver import WebDriver

from bff.content.words import CATALOGUE, LOCALES, Words
from bff.studio.scenes import SCENES, Scene
from tests.support.accessibility import (
    BY_COLOUR,
    BY_PLACE,
    RULES,
    emulate,
    overflowing,
    unreadable,
    violations,
)
from tests.support.browsers import missing
from tests.support.host_page import HostPage
from tests.support.scene_texts import VALUES, faulty_texts
from tests.support.stack import ROOT, Stack, invite

NARROW: Final = 360
SCHEMES: Final = ("light", "dark")
IN_BOTH_SCHEMES: Final = "en"
"""Colours know no language: the dark ones are looked at in one."""
ERROR_LOOKED_AT: Final = "page_error"
"""The page of an error that axe-core looks at, for all of them."""
HEADING: Final = "page-has-heading-one"
SCREENSHOTS: Final = ROOT / "test-output" / "texts"
SHOWN: Final = """
const texts = (root) => [...root.querySelectorAll("*")].flatMap((element) => [
  // A button that copies is shown by a script, which a preview has none of.
  element.matches("[data-copied]") ? `${element.textContent} ${element.dataset.copied}` : "",
  ...(element.checkVisibility() ? [element.title, element.placeholder, element.ariaLabel] : []),
  ...[...element.shadowRoot?.children ?? []].map((part) => part.innerText),
  ...(element.shadowRoot ? texts(element.shadowRoot) : []),
]);
const title = document.querySelector("hitchpost-connect") ? "" : document.title;
return [title, document.body.innerText, ...texts(document)].join("\\n");
"""
IS_DRAWN: Final = """
const { scene, shown } = document.documentElement.dataset;
return document.readyState === "complete" && shown === scene;
"""
pytestmark = pytest.mark.skipif(missing("chromium") is not None, reason="Chromium cannot be driven here")
in_chromium = pytest.mark.parametrize("engine", ["chromium"])
PLAYED: Final = ("en", "de", "ar")
"""By `make test`: the language of the colours, that of the longest words, and one from right to left."""
in_each_language = pytest.mark.parametrize(
    "locale", [pytest.param(each, marks=[] if each in PLAYED else pytest.mark.repetition) for each in LOCALES]
)


@pytest.fixture
def narrow(driver: WebDriver, request: pytest.FixtureRequest) -> Iterator[Callable[[str], WebDriver]]:
    """A browser 360 pixels wide, for somebody who prefers the scheme that is asked for."""

    def prefer(scheme: str) -> WebDriver:
        emulate(driver, scheme, NARROW)
        return driver

    yield prefer
    driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})  # type: ignore[attr-defined]
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})  # type: ignore[attr-defined]


@in_chromium
@in_each_language
def test_every_text_can_be_read(narrow: Callable[[str], WebDriver], stack: Stack, locale: str) -> None:
    """Each scene at 360 px: its texts are there and translated, nothing overflows; axe-core is content.

    axe-core looks at everything in one language, at both schemes' colours, and in each direction of writing.
    """
    page = reader(narrow("light"), stack, locale)
    look_at([scene for scene in SCENES.values() if is_looked_at(scene, locale)], page, narrow, locale)


@in_chromium
@in_each_language
@pytest.mark.repetition
def test_every_error_page_can_be_read(narrow: Callable[[str], WebDriver], stack: Stack, locale: str) -> None:
    """The pages of errors that are not looked at with the other scenes."""
    page = reader(narrow("light"), stack, locale)
    look_at([scene for scene in SCENES.values() if not is_looked_at(scene, locale)], page, narrow, locale)


def reader(driver: WebDriver, stack: Stack, locale: str) -> HostPage:
    """A page whose browser is signed in to the Studio."""
    page = HostPage(driver, stack)
    driver.get(invite(stack, f"reader-{locale}@acme.example"))
    page.button(f"Sign in as reader-{locale}@acme.example").click()
    page.wait(lambda: "/studio/messages" in driver.current_url or driver.find_elements("id", "main"))
    return page


def look_at(scenes: list[Scene], page: HostPage, narrow: Callable[[str], WebDriver], locale: str) -> None:
    """Look at these scenes, and tell all that is wrong with any of them."""
    driver = page.driver
    faults: dict[str, list[str]] = {}
    for scene in scenes:
        show(page, scene, locale)
        found = faulty_texts(driver.execute_script(SHOWN), scene, locale)
        for scheme in schemes(scene, locale):
            narrow(scheme)
            # The button stands in a frame of its own, which needs no heading.
            told = violations(driver, rules) if (rules := rules_for(scene, locale, scheme)) else []
            said = [fault for fault in told if scene.page or HEADING not in fault]
            found += [f"{scheme}: {fault}" for fault in (*overflowing(driver), *said)]
        if found:
            faults[scene.key] = found
            keep(driver, f"{locale}-{scene.key}")
    assert faults == {}, "\n".join(f"{where}: {found}" for where, found in faults.items())


@in_chromium
def test_the_demo_and_the_third_party_can_be_read(narrow: Callable[[str], WebDriver], stack: Stack) -> None:
    """The host's page before and after signing in, a rehearsal, the consent page, and pages of trouble."""
    driver = narrow("light")
    page = HostPage(driver, stack)
    driver.get(stack.host)
    faults = {"signed out": unreadable_in_a_scheme(narrow)}
    page.sign_in()
    faults["signed in"] = unreadable_in_a_scheme(narrow)
    driver.get(f"{stack.host}/?rehearse=unsure")
    faults["rehearsal"] = unreadable_in_a_scheme(narrow)
    url = minted(stack)
    driver.get(url)
    faults["consent"] = unreadable_in_a_scheme(narrow)
    driver.get(url)
    page.wait(lambda: "was used already" in page.source())
    faults["used already"] = unreadable_in_a_scheme(narrow)
    driver.get(f"{stack.bff}/connect/nowhere")
    faults["nowhere"] = unreadable_in_a_scheme(narrow)
    assert [f"{where}: {found}" for where, found in faults.items() if found] == []


@in_chromium
@in_each_language
def test_the_last_page_of_a_sign_in_can_be_read(
    narrow: Callable[[str], WebDriver], stack: Stack, locale: str
) -> None:
    """The partner service's own pages, in the browser's language, light and dark."""
    driver = narrow("light")
    header = {"headers": {"Accept-Language": locale}}
    driver.execute_cdp_cmd("Network.enable", {})  # type: ignore[attr-defined]
    driver.execute_cdp_cmd("Network.setExtraHTTPHeaders", header)  # type: ignore[attr-defined]
    page = HostPage(driver, stack)
    driver.get(minted(stack))
    page.press_in_popup("Deny")
    page.wait(lambda: "/connector/callback" in driver.current_url)
    assert driver.execute_script("return document.documentElement.lang") == locale
    assert unreadable_in_a_scheme(narrow) == []
    assert "/connector/callback" in driver.current_url
    driver.execute_cdp_cmd("Network.setExtraHTTPHeaders", {"headers": {}})  # type: ignore[attr-defined]


def unreadable_in_a_scheme(narrow: Callable[[str], WebDriver]) -> list[str]:
    """What cannot be read of the page in front, in light or dark."""
    return [f"{scheme}: {fault}" for scheme in SCHEMES for fault in unreadable(narrow(scheme))]


def rules_for(scene: Scene, locale: str, scheme: str) -> Sequence[str]:
    """By what axe-core looks: by all in one language, and elsewhere by what may differ there."""
    if is_one_of_many(scene) and scene.key != ERROR_LOOKED_AT:
        return []
    if locale == IN_BOTH_SCHEMES:
        return RULES if scheme == SCHEMES[0] else BY_COLOUR
    return BY_PLACE if locale == "ar" else []


def schemes(scene: Scene, locale: str) -> tuple[str, ...]:
    """Those that a scene is looked at in."""
    return SCHEMES if locale == IN_BOTH_SCHEMES and not is_one_of_many(scene) else SCHEMES[:1]


def is_one_of_many(scene: Scene) -> bool:
    """Whether it is a page of an error: those differ in their words alone."""
    return scene.code is not None and scene.page is not None


def is_looked_at(scene: Scene, locale: str) -> bool:
    """Whether `make test` looks at it: of the pages of errors at one, and at that of the longest words."""
    words = Words(None, [locale])

    def length(each: Scene) -> int:
        keys = (key for key, entry in CATALOGUE.items() if entry.scene == each.key)
        return sum(len(words.text(key, **VALUES)) for key in keys)

    longest = max(filter(is_one_of_many, SCENES.values()), key=length)
    return not is_one_of_many(scene) or scene.key in {ERROR_LOOKED_AT, longest.key}


def show(page: HostPage, scene: Scene, locale: str) -> None:
    """Open a scene of the preview, in the scheme that its reader prefers, and wait until it is drawn."""
    asked = f"scene={scene.key}&locale={locale}&connector=sandbox"
    page.driver.get(f"{page.stack.bff}/studio/preview?{asked}")
    if scene.page is None:
        page.wait(lambda: page.driver.execute_script(IS_DRAWN))
    assert page.driver.execute_script("return document.documentElement.lang") == locale
    wanted = "rtl" if locale == "ar" else "ltr"
    assert page.driver.execute_script("return document.documentElement.dir") == wanted


def keep(driver: WebDriver, name: str) -> None:
    """Keep a screenshot of what is faulty for whoever looks through the test's output."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    driver.save_screenshot(str(SCREENSHOTS / f"{name}.png"))


def minted(stack: Stack) -> str:
    """A minted URL, as the host's own server gets it."""
    body = {
        "user": {"id": "reader"},
        "account": {"id": "readers"},
        "connector": "sandbox",
        "target_origin": stack.host,
        "callback_message": "done",
    }
    secret = {"Authorization": f"Bearer {stack.secret_key}"}
    answer = requests.post(f"{stack.bff}/v1/sign-in-urls", json=body, headers=secret, timeout=20)
    answer.raise_for_status()
    return str(answer.json()["url"])
