"""The Studio in a real browser: write, look, try, publish, go back; users meet each without a restart."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import pytest
from selenium.common.exceptions import ElementClickInterceptedException
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webdriver import WebDriver
from selenium.webdriver.remote.webelement import WebElement

from tests.support.accessibility import BY_COLOUR, BY_PLACE, RULES, emulate, unreadable
from tests.support.host_page import HostPage
from tests.support.stack import Stack, invite, run_demo
from tests.support.studio_page import StudioPage

PAGES: Final = (
    "messages",
    "messages/default",
    "words?locale=de",
    "words?locale=ar&connector=sandbox",
    "words?q=cancel&ours=1",
    "look",
    "connectors",
    "try",
    "changes",
    "discard",
    "history",
    "history/1",
    "history/1/restore",
    "webhooks",
    "snippet",
)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A demo of its own: what is published here is nothing to other tests."""
    with run_demo(tmp_path_factory.mktemp("studio")) as running:
        yield running


in_chromium = pytest.mark.parametrize("engine", ["chromium"])
PHONE: Final = 360
LOOKS: Final = (("light", PHONE, RULES), ("light", 1280, BY_PLACE), ("dark", 1280, BY_COLOUR))
"""Scheme, width, and by what axe-core looks: by all once, and elsewhere by what may differ there."""


@pytest.fixture
def studio(driver: WebDriver, stack: Stack) -> StudioPage:
    """The Studio with Ada signed in as a publisher."""
    found = StudioPage(driver, stack)
    found.enter()
    return found


@pytest.mark.one_engine
def test_what_is_written_is_previewed_tried_published_and_undone(studio: StudioPage, engine: str) -> None:
    """The preview shows the draft, the trial hears its message; users meet it once it is published."""
    message = f"Verbunden ({engine}): {{connector_name}}"
    studio.open("messages/default")
    studio.write("f-messages-default-text-any-any", message)
    studio.wait(lambda: f"Verbunden ({engine}): Sandbox CRM" in studio.text_of("sent"))
    studio.open("words?locale=de")
    studio.write("f-words-any-de-button", f"{{connector_name}} anbinden ({engine})")
    studio.wait(lambda: studio.previewed() == f"Sandbox CRM anbinden ({engine})")

    studio.open("try?connector=sandbox&message=default&locale=de")
    assert studio.text_of("expected") == f"Verbunden ({engine}): Sandbox CRM"
    studio.choose(f"Sandbox CRM anbinden ({engine})")
    studio.decide("Allow")
    studio.wait(lambda: studio.text_of("outcome") == "connected")
    assert studio.text_of("message") == f"Verbunden ({engine}): Sandbox CRM"
    assert studio.text_of("same") == "The same as the preview says."

    studio.open("changes")
    studio.driver.find_element(By.CSS_SELECTOR, "#note").send_keys(f"by {engine}")
    studio.button("Publish 2 changes").click()
    studio.wait(lambda: "is published" in studio.text_of("main"))
    host = HostPage(studio.driver, studio.stack)
    assert learn(host, f"Sandbox CRM anbinden ({engine})") == f"Verbunden ({engine}): Sandbox CRM"

    studio.open("history")
    live = studio.driver.find_element(By.CSS_SELECTOR, ".versions h2").text.split()[1]
    studio.driver.find_elements(By.CSS_SELECTOR, ".versions .button")[0].click()
    studio.wait(lambda: "Go back to version" in studio.text_of("main"))
    assert f"{{connector_name}} anbinden ({engine})" in studio.text_of("main")
    studio.button(f"Publish version {int(live) - 1} again").click()
    studio.wait(lambda: "is published" in studio.text_of("main"))


DISCONNECT_ALL: Final = """
const done = arguments[0];
const ended = (all) => Promise.all(all.map(({ id }) => Hitchpost.disconnect(id)));
Hitchpost.connections().then(ended).then(done, done);
"""


def learn(host: HostPage, button: str) -> str:
    """Connect on the demo's page, set to German, what is not connected yet; the message that it gets."""
    host.sign_in()
    host.driver.execute_async_script(DISCONNECT_ALL)
    host.driver.get(f"{host.stack.host}/?language=de")
    host.choose(button)
    host.decide("Allow")
    assert host.status("connected", "failed", "declined") == "connected"
    return str(host.result()["message"])


@pytest.mark.repetition
def test_two_texts_for_one_entry_are_both_kept_until_one_is_chosen(studio: StudioPage, engine: str) -> None:
    """Two tabs write into the same field: the second is told, keeps its text, and chooses."""
    field = "f-words-any-fr-button"
    first = studio.window
    studio.open("words?locale=fr")
    studio.driver.switch_to.new_window("tab")
    studio.window = studio.driver.current_window_handle
    studio.open("words?locale=fr")
    studio.write(field, f"{{connector_name}} un ({engine})")
    studio.driver.switch_to.window(first)
    control = studio.driver.find_element(By.ID, field)
    control.send_keys(Keys.CONTROL, "a")
    control.send_keys("{connector_name} deux")
    clash = studio.wait(lambda: next(filter(WebElement.is_displayed, boxes(studio)), None))
    assert f"{{connector_name}} un ({engine})" in clash.text
    assert control.get_attribute("value") == "{connector_name} deux"
    keep = clash.find_element(By.CSS_SELECTOR, "[data-keep]")
    # Away from the bar that stays in sight, as a person would scroll.
    studio.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", keep)
    studio.wait(lambda: pressed(keep))
    studio.wait(lambda: studio.text_of("saved") == "Saved")
    studio.window = first
    studio.open("words?locale=fr")
    assert studio.driver.find_element(By.ID, field).get_attribute("value") == "{connector_name} deux"
    studio.write(field, Keys.DELETE)


def pressed(button: WebElement) -> bool:
    """Whether the button could be pressed: the page may still be moving under the pointer."""
    try:
        button.click()
    except ElementClickInterceptedException:
        return False
    return True


def boxes(studio: StudioPage) -> list[WebElement]:
    """The places in which two texts may stand side by side."""
    return studio.driver.find_elements(By.CSS_SELECTOR, "[data-clash]")


@in_chromium
def test_nothing_pushes_a_field_away(driver: WebDriver, stack: Stack) -> None:
    """A fault, its summary and another's change appear; what is typed in stays where its editor sees it.

    The other's text is shown as it is now, and one choice ends it. What is typed while nobody is signed in is
    saved after the next sign-in, in this tab too; the preview says so in words of ours.
    """
    studio = StudioPage(driver, stack)
    studio.enter()
    studio.open("words?locale=es")
    field = "f-words-any-es-waiting"
    # As in Safari, which keeps nothing in its place by itself.
    driver.execute_script("document.documentElement.style.overflowAnchor = 'none'")
    driver.execute_script("document.getElementById(arguments[0]).scrollIntoView({block: 'center'})", field)
    control = driver.find_element(By.ID, field)
    place = "return Math.round(arguments[0].getBoundingClientRect().top)"
    before = driver.execute_script(place, control)
    control.send_keys("{nope}")
    studio.wait(lambda: "nothing is known to stand for {nope}" in studio.text_of("summary"))
    assert driver.execute_script(place, control) == before
    control.send_keys(Keys.CONTROL, "a")
    control.send_keys("Siga")
    studio.wait(lambda: studio.text_of("saved") == "Saved")

    saved_by_another(driver, "Otro uno")
    control.send_keys(" aquí")
    clash = studio.wait(lambda: next(filter(WebElement.is_displayed, boxes(studio)), None))
    assert driver.execute_script(place, control) == before
    saved_by_another(driver, "Otro dos", was="Otro uno")
    studio.wait(lambda: "Otro dos" in clash.text)
    driver.execute_script("arguments[0].click()", clash.find_element(By.CSS_SELECTOR, "[data-keep]"))
    studio.wait(lambda: studio.text_of("saved") == "Saved")
    assert not [box for box in boxes(studio) if box.is_displayed()]

    driver.delete_all_cookies()
    control.send_keys(" mismo")
    studio.wait(lambda: "signed out" in studio.text_of("saved"))
    driver.execute_script("document.querySelector('[data-preview] form').requestSubmit()")
    trouble = driver.find_element(By.CSS_SELECTOR, "[data-preview-trouble]")
    studio.wait(lambda: "signed out" in trouble.text)
    studio.enter()
    studio.wait(lambda: "1 text that you had typed" in studio.text_of("news"))
    studio.open("words?locale=es")
    kept = driver.find_element(By.ID, field)
    assert kept.get_attribute("value") == "Siga aquí mismo"
    studio.write(field, Keys.DELETE)


SAVE: Final = """
const [was, now, done] = arguments;
const edits = [{ path: "words/*/es/waiting", was, now }];
const headers = { "Content-Type": "application/json", "X-Hitchpost-Csrf": document.body.dataset.csrf };
const options = { method: "POST", headers, body: JSON.stringify({ edits }) };
fetch("save", options).then((answer) => done(answer.status));
"""


def saved_by_another(driver: WebDriver, text: str, was: str = "Siga") -> None:
    """Somebody else writes into the field, in another window."""
    assert driver.execute_async_script(SAVE, was, text) == 200


@in_chromium
def test_a_connector_is_dragged_to_its_place(driver: WebDriver, stack: Stack) -> None:
    """By its handle; and by the keyboard: its number, then Enter."""
    studio = StudioPage(driver, stack)
    studio.enter()
    studio.open("connectors")

    def order() -> list[str]:
        return [
            item.get_attribute("data-key") or ""
            for item in driver.find_elements(By.CSS_SELECTOR, ".order li")
        ]

    first, second, third, *rest = order()
    handles = driver.find_elements(By.CSS_SELECTOR, "[data-handle]")
    below = driver.find_elements(By.CSS_SELECTOR, ".order li")[2]
    actions = ActionChains(driver).click_and_hold(handles[0]).move_to_element(below).move_by_offset(0, 40)
    actions.release().perform()
    studio.wait(lambda: order()[:3] == [second, third, first])
    studio.wait(lambda: "is number 3 of" in studio.text_of("main"))
    number = driver.find_element(By.NAME, f"to-{first}")
    number.send_keys(Keys.CONTROL, "a")
    number.send_keys("1", Keys.ENTER)
    studio.wait(lambda: order() == [first, second, third, *rest])
    studio.wait(lambda: driver.switch_to.active_element.get_attribute("name") == f"to-{first}")


@in_chromium
def test_every_page_is_accessible(driver: WebDriver, stack: Stack) -> None:
    """axe-core finds nothing and no page is wider than its window, in each scheme, narrow and wide.

    On a phone the open room is in sight: their row scrolls, and the last one would stand outside the window.
    """
    studio = StudioPage(driver, stack)
    driver.get(invite(stack, "grace@acme.example"))
    found = {"invite": unreadable_somewhere(driver)}
    studio.enter("grace@acme.example")
    for path in PAGES:
        emulate(driver, "light", PHONE)
        studio.open(path)
        room = driver.find_element(By.CSS_SELECTOR, ".rooms [aria-current]").rect
        assert 0 <= room["x"] < room["x"] + room["width"] <= PHONE, path
        if driver.find_elements(By.NAME, "preview"):
            studio.wait(studio.is_drawn)
        found[path] = unreadable_somewhere(driver)
    assert {path: faults for path, faults in found.items() if faults} == {}


def unreadable_somewhere(driver: WebDriver) -> list[str]:
    """What axe-core says of this page, and what is too wide, in each scheme and width."""
    found = []
    for scheme, width, rules in LOOKS:
        emulate(driver, scheme, width)
        found += [f"{scheme} {width}: {fault}" for fault in unreadable(driver, rules)]
    return found
