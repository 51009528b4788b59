"""Pages that draw their buttons anew, are reloaded, or have buttons of their own anywhere: real clicks."""

from __future__ import annotations

from typing import Any, Final

import pytest
from selenium.common.exceptions import TimeoutException
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement

from tests.support.host_page import HostPage

CLICKED_AGAIN: Final = 10.0
"""Seconds after which a click without a window has met nothing."""
WATCH: Final = """
window.told = [];
for (const name of ["connected", "failed"]) {
  document.addEventListener("hitchpost:" + name, ({ target, detail }) =>
    window.told.push([name, detail.code ?? detail.connector, target.localName ?? "document"]));
}
"""
DRAW_ANEW: Final = """
const list = document.querySelector("ul.tools");
const html = list.innerHTML;
const policy = globalThis.trustedTypes?.createPolicy("framework", { createHTML: (text) => text });
list.innerHTML = policy ? policy.createHTML(html) : html;
"""
BUTTON: Final = """
const root = document.querySelector(`hitchpost-connect[connector="${arguments[0]}"]`).shadowRoot;
return root.querySelector("[part=button]");
"""
STANDS: Final = """
const { shadowRoot } = document.querySelector(`hitchpost-connect[connector="${arguments[0]}"]`);
const [button, status] = ["button", "status"].map((part) => shadowRoot.querySelector(`[part=${part}]`));
return [button.ariaBusy, status.textContent];
"""
STATE: Final = STANDS.replace("return [", "return [shadowRoot.host.getAttribute('state'), ")
OWN_BUTTONS: Final = """
const box = document.body.insertBefore(document.createElement("section"), document.body.firstChild);
const make = (tag, id, parent = box, more = {}) => {
  const made = Object.assign(document.createElement(tag), { id, textContent: id, ...more });
  parent.append(made);
  return made;
};
const connect = (element) => { element.dataset.hitchpostConnect = "sandbox"; };
const form = make("form", "form", box, { action: "/left", textContent: "" });
connect(make("button", "typeless", form));
connect(make("a", "link", box, { href: "/left" }));
const stopping = make("div", "", box, { textContent: "" });
stopping.addEventListener("click", (event) => event.stopPropagation());
connect(make("button", "stopped", stopping));
const shadow = make("div", "host", box, { textContent: "" }).attachShadow({ mode: "open" });
connect(make("button", "shadow", shadow));
const fieldset = make("fieldset", "fieldset", box, { disabled: true, textContent: "" });
connect(make("button", "disabled", fieldset));
const ours = document.createElement("hitchpost-connect");
ours.setAttribute("connector", "sandbox");
fieldset.append(ours);
"""
SANDBOX: Final = """
const frame = document.querySelector("iframe");
const sandboxed = frame.cloneNode();
sandboxed.sandbox = "allow-scripts allow-same-origin allow-forms";
frame.replaceWith(sandboxed);
"""
OURS: Final = "const ours = document.querySelector('fieldset hitchpost-connect');"


LAUNCHED: Final = """
return Object.values(sessionStorage).some((asked) => asked.split(" ")[0] === arguments[0]);
"""


class LivingPage(HostPage):
    """The demo's page, which notes who is told how it ended."""

    def watch(self) -> None:
        """Note from now on who is told."""
        self.run(WATCH)

    def run(self, script: str, *given: object) -> Any:
        """What this script returns in the page."""
        return self.driver.execute_script(script, *given)

    def button_of(self, connector: str) -> WebElement:
        """The button inside the element of this connector."""
        return self.wait(lambda: self.run(BUTTON, connector))

    def opens(self, button: WebElement, *, by_key: bool = False) -> str:
        """Click this button, or press Enter on it; the handle of the window that opens. The page stays.

        A click meets what stands at its place then: on a page that still loads the button may have moved, and
        the user clicks again. A flow that has begun after all is not disturbed by that.
        """
        before = set(self.driver.window_handles)

        def opened() -> str | None:
            return next(iter(set(self.driver.window_handles) - before), None)

        if by_key:
            button.send_keys(Keys.ENTER)
            return self.wait(opened)
        button.click()
        try:
            return self.wait(opened, seconds=CLICKED_AGAIN)
        except TimeoutException:
            button.click()
            return self.wait(opened)

    def begin(self, connector: str) -> str:
        """Press Connect, and wait until the attempt is launched; the handle of its window."""
        popup = self.opens(self.button_of(connector))
        self.wait(lambda: self.run(LAUNCHED, connector))
        return popup

    def allow(self, popup: str) -> None:
        """Allow in this window."""
        self.driver.switch_to.window(popup)
        self.decide("Allow")

    def close(self, popup: str) -> None:
        """The user closes this window, once it shows the third party's page.

        Chromium's driver may fail to close a window that is on its way from one page to another.
        """
        self.driver.switch_to.window(popup)
        self.wait(lambda: "/connect/opening" not in self.driver.current_url)
        self.wait(lambda: self.run("return document.readyState === 'complete'"))
        self.driver.close()
        self.front()

    def told(self, count: int) -> list[list[str]]:
        """Who was told what, once there were so many endings."""

        def enough() -> list[list[str]] | None:
            found: list[list[str]] = self.run("return window.told")
            return found if len(found) >= count else None

        return self.wait(enough)

    def reload(self) -> None:
        """Reload the page, and watch it again."""
        self.driver.refresh()
        self.wait(lambda: self.driver.find_elements(By.TAG_NAME, "hitchpost-connect"))
        self.watch()


@pytest.fixture
def living(page: HostPage) -> LivingPage:
    """The demo's page with Ada signed in, watched."""
    found = LivingPage(page.driver, page.stack)
    found.watch()
    return found


@pytest.mark.repetition
def test_a_page_draws_its_buttons_anew_in_mid_flow(living: LivingPage) -> None:
    """The new element shows the flow, and is told how it ended."""
    popup = living.begin("sandbox")
    living.run(DRAW_ANEW)
    busy, waiting = living.wait(lambda: living.run(STANDS, "sandbox"))
    assert (busy, bool(waiting)) == ("true", True)
    living.allow(popup)
    assert living.told(1) == [["connected", "sandbox", "hitchpost-connect"]]
    busy, ended = living.run(STANDS, "sandbox")
    assert (busy, ended != waiting) == ("false", True)


@pytest.mark.repetition
def test_a_page_is_reloaded_with_two_flows(living: LivingPage) -> None:
    """Both go on, and each element is told its own."""
    popups = [living.begin(connector) for connector in ("sandbox", "sandbox-hop")]
    living.reload()
    for popup in popups:
        living.allow(popup)
    assert sorted(living.told(2)) == [
        ["connected", connector, "hitchpost-connect"] for connector in ("sandbox", "sandbox-hop")
    ]
    assert living.run("return sessionStorage.length") == 0


@pytest.mark.one_engine
def test_connect_after_the_popup_was_closed_and_the_page_reloaded(living: LivingPage) -> None:
    """At once: there is a window, and it connects."""
    living.close(living.begin("sandbox"))
    living.reload()
    living.allow(living.opens(living.button_of("sandbox"), by_key=True))
    assert living.told(1) == [["connected", "sandbox", "hitchpost-connect"]]


@pytest.mark.repetition
def test_another_user_hears_nothing_of_a_flow_that_was_left(living: LivingPage) -> None:
    """Nobody pressed anything: no event, no words, and it is forgotten."""
    living.close(living.begin("sandbox"))
    living.driver.delete_all_cookies()
    living.driver.get(living.stack.host)
    living.button("Sign in as Grace").click()
    living.button_of("sandbox")
    living.watch()
    living.wait(lambda: living.run("return sessionStorage.length === 0"))
    assert living.run("return [window.heard, window.told]") == [[], []]
    # The only word is of what stands in the account, which is everybody's there, until its name is known.
    state, busy, word = living.run(STATE, "sandbox")
    assert busy == "false"
    assert word in ({"", "Connected"} if state == "connected" else {""})


@pytest.mark.one_engine
def test_buttons_of_the_hosts_own(living: LivingPage) -> None:
    """In a form, as a link, where clicks are stopped, in a shadow root; and disabled ones do nothing.

    An element of ours that is hidden is not seen, as any other.
    """
    address = living.driver.current_url
    living.run(OWN_BUTTONS)
    shadow = living.run("return document.querySelector('#host').shadowRoot.querySelector('button')")
    own = [living.driver.find_element(By.ID, name) for name in ("typeless", "link", "stopped")]
    for button in [*own, shadow]:
        living.close(living.opens(button))
    assert living.driver.current_url == address
    living.run("document.querySelector('#disabled').click();" + OURS + "ours.click()")
    living.driver.find_element(By.ID, "disabled").click()
    assert living.run(OURS + "return ours.shadowRoot.querySelector('button').disabled") is True
    assert living.driver.window_handles == [living.window]
    living.run(OURS + "ours.closest('fieldset').disabled = false; ours.focus()")
    assert living.run(OURS + "return document.activeElement === ours && ours.matches(':enabled')") is True
    living.close(living.opens(living.run(OURS + "return ours.shadowRoot.querySelector('button')")))
    assert living.run(OURS + "return getComputedStyle(ours).display") != "none"
    assert living.run(OURS + "ours.hidden = true; return getComputedStyle(ours).display") == "none"


@pytest.mark.parametrize(
    "engine", ["firefox", pytest.param("chromium", marks=pytest.mark.repetition)], indirect=True
)
def test_a_frame_whose_sandbox_allows_no_popups(living: LivingPage) -> None:
    """Firefox throws where others refuse: either way the user is offered what can be done."""
    living.driver.get(living.stack.host.replace("localhost", "127.0.0.1") + "/framed")
    living.run(SANDBOX)
    living.framed = True
    living.front()
    living.button_of("sandbox").click()
    assert "blocked" in living.wait(lambda: living.run(STANDS, "sandbox")[1])
    assert living.driver.window_handles == [living.window]
