"""Pages that are odd, as only a real browser shows them; and a window whose page never comes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import pytest
import requests
from selenium.webdriver.common.by import By

from tests.support.fault_proxy import Fault, FaultProxy, fault_proxy
from tests.support.host_page import HostPage

FRAMED: Final = """
const [markup, bff, product, session, attributes] = arguments;
const policy = globalThis.trustedTypes?.createPolicy("test", { createHTML: (text) => text });
const tag = `<script src="${bff}/widget/v1/hitchpost.js" data-product="${product}" data-session="${session}"`;
const text = `<!doctype html><body>${markup}${tag} ${attributes}></` + `script>
  <hitchpost-connect connector="sandbox"></hitchpost-connect>`;
const frame = document.createElement("iframe");
frame.srcdoc = policy ? policy.createHTML(text) : text;
document.body.replaceChildren(frame);
"""
"""A page in a frame made from text: its address is about:srcdoc, and its location.origin "null"."""

CLOBBERED: Final = (
    '<a id="Hitchpost"></a><form id="Hitchpost"><input name="configure"></form>'
    '<form id="customElements"></form><img name="currentScript" data-product="evil" data-session="x"'
    ' src="https://evil.example/widget/v1/x.js">'
)
"""Elements that stand in for properties of the window and the document."""

ELSEWHERE: Final = """
const [bff, dead] = arguments, real = window.open;
window.open = (url, ...more) => real.call(window, url.replace(bff, dead), ...more);
window.mend = () => { window.open = real; };
"""
STATUS: Final = "return arguments[0].shadowRoot.querySelector('[part=status]').textContent"


@pytest.mark.one_engine
def test_a_frame_made_from_text_connects(page: HostPage) -> None:
    """By its parent's origin, and whatever its elements are called."""
    connect_in_frame(page, CLOBBERED, "")


@pytest.mark.parametrize("engine", ["chromium"], indirect=True)
def test_a_module_of_the_tag_connects(page: HostPage) -> None:
    """It is no current script to anybody: the page's tag is looked for."""
    connect_in_frame(page, "", 'type="module"')


def connect_in_frame(page: HostPage, markup: str, attributes: str) -> None:
    """Put the tag, after ``markup``, into a frame of the host page, and connect there."""
    stack = page.stack
    who = {"user": {"id": "ada"}, "account": {"id": stack.account}}
    headers = {"Authorization": f"Bearer {stack.secret_key}"}
    session = requests.post(f"{stack.bff}/v1/sessions", json=who, headers=headers, timeout=20).json()["token"]
    page.driver.execute_script(FRAMED, markup, stack.bff, stack.product, session, attributes)
    page.framed = True
    page.front()
    popup = page.connect()
    page.decide("Allow")
    assert page.popup_is_gone(popup)
    page.front()
    element = page.driver.find_element(By.TAG_NAME, "hitchpost-connect")
    page.wait(lambda: page.driver.execute_script(STATUS, element) == "Connected")


@pytest.fixture
def dead(page: HostPage) -> Iterator[FaultProxy]:
    """A door to the BFF through which nothing comes."""
    with fault_proxy(page.stack.bff) as proxy:
        yield proxy


@pytest.mark.repetition
def test_a_window_that_a_gateway_answers_is_told_of(page: HostPage, dead: FaultProxy) -> None:
    """In words, with choices, and the next window goes through."""
    open_dead(page, dead, Fault.STATUS_503)


@pytest.mark.parametrize("engine", ["webkit"], indirect=True)
def test_a_window_that_reaches_nobody_is_told_of(page: HostPage, dead: FaultProxy) -> None:
    """The same, in the engine in which such a window stays blank."""
    open_dead(page, dead, Fault.REFUSE)


def open_dead(page: HostPage, dead: FaultProxy, fault: Fault) -> None:
    """Connect by a window whose first page does not come, and then by one whose page does."""
    dead.switch(fault)
    page.driver.execute_script(ELSEWHERE, page.stack.bff, dead.url)
    page.connect()
    page.front()
    element = page.driver.find_element(By.CSS_SELECTOR, "hitchpost-connect[connector=sandbox]")
    page.button("Open again")
    assert page.driver.execute_script(STATUS, element) == "The sign-in window does not load."
    page.driver.execute_script("window.mend()")
    page.choose("Open again")
    page.decide("Allow")
    assert page.status("connected", "failed", "cancelled") == "connected"
