"""Contact sheets of every state of the elements, the popup and the Studio: see ``make pictures``.

Each state is drawn in three languages, light and dark, 360 and 1280 pixels wide; then in forced colours, and
with text twice as large. axe-core looks at each, and nothing may stand beyond the edge of the window.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlencode

from contact_sheet import Figure, write
from selenium.webdriver.remote.webdriver import WebDriver

from bff.studio.scenes import ALL_BUTTONS, SCENES, Scene
from tests.support.accessibility import emulate, overflowing, violations
from tests.support.stack import ROOT, Stack
from tests.support.studio_page import StudioPage

FOLDER: Final = ROOT / "docs/pictures/states"
LANGUAGES: Final = ("en", "de", "ar")
WIDTHS: Final = (360, 1280)
SCHEMES: Final = ("light", "dark")
MARGIN: Final = 16
MOST: Final = 5_000_000
"""So many bytes may all sheets have: whoever clones the repository pays."""
HEADING: Final = "page-has-heading-one"
"""The preview stands in a frame of its own, which needs no heading."""
STUDIO: Final = (
    "messages",
    "messages/default",
    "words?locale=de",
    "look",
    "connectors",
    "try",
    "changes",
    "history",
    "webhooks",
    "snippet",
)

ANSWERED: Final = "return performance.getEntriesByType('navigation')[0].responseStatus"
IS_DRAWN: Final = """
const root = document.documentElement;
const element = document.querySelector("hitchpost-connections, hitchpost-connect");
return document.readyState === "complete" && (!element || root.dataset.shown === arguments[0]);
"""
DRIVE: Final = """
for (const element of document.querySelectorAll("hitchpost-connect")) {
  element.dispatchEvent(new CustomEvent(`hitchpost:${arguments[0]}`, { detail: arguments[1] }));
}
"""
EXTENT: Final = """
const elements = [...document.querySelectorAll("hitchpost-connections, hitchpost-connect")];
const shown = elements.length ? elements : [document.querySelector("main") ?? document.body];
const boxes = shown.map((part) => part.getBoundingClientRect()).filter((box) => box.width && box.height);
const whole = [...document.querySelectorAll("body *")].map((part) => part.getBoundingClientRect().bottom);
return [Math.min(...boxes.map((box) => box.left)), Math.max(...boxes.map((box) => box.right)),
  Math.min(...boxes.map((box) => box.top)), Math.max(...boxes.map((box) => box.bottom), ...whole)];
"""


@dataclass(frozen=True)
class State:
    """A scene, and what happens in it then: the detail of an event of the element."""

    name: str
    scene: Scene
    then: tuple[str, dict[str, str]] | None = None


def elements() -> list[State]:
    """Every state of the elements, those too in which what is connected is connected again."""
    plain = [
        State(s.title, s) for s in SCENES.values() if not s.page and s.key != ALL_BUTTONS and not is_list(s)
    ]
    failed = {"code": "failed", "title": "", "nextStep": "", "supportCode": "ABCD-2345"}
    again = [
        ("Again: waiting", "account", ("step", {"step": "waiting"})),
        ("Again: the window seems closed", "needs_reconnect", ("step", {"step": "unsure"})),
        ("Again: failed", "needs_reconnect", ("failed", failed)),
        ("Again: another account", "account", ("failed", failed | {"code": "account_mismatch"})),
        ("One more: waiting", "accounts", ("step", {"step": "waiting"})),
    ]
    return plain + [State(name, SCENES[key], then) for name, key, then in again]


def lists() -> list[State]:
    """Every state of the list."""
    return [State(scene.title, scene) for scene in SCENES.values() if is_list(scene)]


def pages() -> list[State]:
    """Every page of the popup."""
    return [State(scene.title, scene) for scene in SCENES.values() if scene.page]


def is_list(scene: Scene) -> bool:
    """Whether a scene shows the list of connections."""
    return scene.tag == "hitchpost-connections"


def picture_states(driver: WebDriver, stack: Stack, wanted: tuple[str, ...] = ()) -> None:
    """All sheets, or those whose names begin so. Raises ``SystemExit`` with what axe-core found."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    faults: list[str] = []
    for name, columns, draw in sheets(driver, stack, faults):
        if not wanted or name.startswith(wanted):
            write(driver, FOLDER / f"{name}.webp", columns, draw())
    emulate(driver, "light", WIDTHS[1])
    size = sum(sheet.stat().st_size for sheet in FOLDER.iterdir())
    print(f"{FOLDER.relative_to(ROOT)}: {size} bytes")
    if faults or size > MOST:
        raise SystemExit("\n".join([*faults, f"all sheets together have {size} bytes of {MOST}"]))


def sheets(
    driver: WebDriver, stack: Stack, faults: list[str]
) -> Iterator[tuple[str, int, Callable[[], list[Figure]]]]:
    """Name, columns and figures of each sheet."""
    for language in LANGUAGES:
        for group, states in (("elements", elements()), ("lists", lists()), ("pages", pages())):
            for width in WIDTHS:
                look = Look(driver, stack, faults, language, width)
                columns = 1 if group == "lists" and width > WIDTHS[0] else 2
                yield f"{group}-{language}-{width}", columns, lambda look=look, all_=states: look.all(all_)  # type: ignore[misc]
    for width in WIDTHS:
        look = Look(driver, stack, faults, "en", width)
        yield f"studio-{width}", 1 if width > WIDTHS[0] else 2, look.studio
    for name, more in (("forced-colours", {"forced_colors": "active"}), ("large-text", {"text": "200%"})):
        look = Look(driver, stack, faults, "de", WIDTHS[0], more)
        for group, states in (("elements", elements()), ("lists", lists())):
            yield f"{name}-{group}", 2, lambda look=look, all_=states: look.all(all_)  # type: ignore[misc]


@dataclass
class Look:
    """How somebody looks at a state."""

    driver: Any
    stack: Stack
    faults: list[str]
    language: str
    width: int
    more: dict[str, str] = field(default_factory=dict)

    def all(self, states: list[State]) -> list[Figure]:
        """Each state, light and dark."""
        return [self.one(state) for state in states]

    def one(self, state: State) -> Figure:
        """One state, light and dark."""
        open_state(self.driver, self.stack, state, self.language)
        return self.figure(state.name, state.scene.page is not None)

    def studio(self) -> list[Figure]:
        """The Studio's pages."""
        found = []
        page = StudioPage(self.driver, self.stack)
        for path in STUDIO:
            page.open(path)
            if self.driver.find_elements("name", "preview"):
                page.wait(page.is_drawn)
            found.append(self.figure(path, True))
        return found

    def figure(self, name: str, headed: bool) -> Figure:
        """The page that is open, light and dark; what is wrong with it goes to the faults."""
        figure = Figure(name)
        more = dict(self.more)
        text = more.pop("text", "")
        self.driver.execute_script("document.documentElement.style.fontSize = arguments[0]", text)
        for scheme in SCHEMES:
            emulate(self.driver, scheme, self.width, **more)
            # Forced colours are the user's own: axe-core reads those of the page.
            said = [] if "forced_colors" in more else violations(self.driver)
            found = [each for each in said if headed or HEADING not in each] + overflowing(self.driver)
            where = f"{name}, {self.language}, {self.width}, {scheme}, {self.more or 'plain'}"
            self.faults += [f"{where}: {each}" for each in found]
            figure.pictures.append(self.shot())
        return figure

    def shot(self) -> str:
        """What the page shows, as wide as its window where that is narrow, as a data URI."""
        left, right, top, bottom = self.driver.execute_script(EXTENT)
        narrow = self.width == WIDTHS[0]
        x, width = (0, self.width) if narrow else (max(0, left - MARGIN), right - left + 2 * MARGIN)
        y = max(0, top - MARGIN)
        clip = {"x": x, "y": y, "width": round(width), "height": round(bottom + MARGIN - y), "scale": 1}
        asked = {"format": "png", "clip": clip, "captureBeyondViewport": True}
        return "data:image/png;base64," + str(
            self.driver.execute_cdp_cmd("Page.captureScreenshot", asked)["data"]
        )


def open_state(driver: WebDriver, stack: Stack, state: State, language: str) -> None:
    """A state, drawn."""
    query = urlencode({"scene": state.scene.key, "locale": language, "connector": "sandbox"})
    driver.get(f"{stack.bff}/studio/preview?{query}")
    page = StudioPage(driver, stack)
    # A page of trouble is drawn as well as any other, and would go into the sheet.
    assert driver.execute_script(ANSWERED) in (200, None), f"{state.name} cannot be shown"
    page.wait(lambda: driver.execute_script(IS_DRAWN, state.scene.key))
    if state.then:
        driver.execute_script(DRIVE, *state.then)
