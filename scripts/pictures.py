"""Makes every picture of the documentation from the running product, in Chromium: see ``make pictures``.

docs/picture.png shows the click, the popup and the page that knows; docs/pictures/words has each scene in
which users read words; docs/pictures has the Studio at work; docs/pictures/states has every state on contact
sheets (states.py). ``scripts/pictures.py elements-de lists`` makes only the sheets whose names begin so.
"""

from __future__ import annotations

import base64
import sys
import tempfile
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from selenium.webdriver.remote.webdriver import WebDriver

ROOT: Final = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from small_png import smaller  # noqa: E402
from states import IS_DRAWN, picture_states  # noqa: E402

from bff.content.words import CATALOGUE  # noqa: E402
from bff.studio.scenes import SCENES, Scene  # noqa: E402
from tests.support.browsers import open_browser  # noqa: E402
from tests.support.host_page import HostPage  # noqa: E402
from tests.support.stack import Stack, run_demo  # noqa: E402
from tests.support.studio_page import StudioPage  # noqa: E402

PICTURES: Final = ROOT / "docs/pictures"
MARGIN: Final = 16
KIB: Final = 1024

SHEET: Final = """
<body><style>
  body {{ margin: 0; width: 1500px; height: 540px; background: #e6eaf2;
         font: 600 22px system-ui, sans-serif; }}
  main {{ display: flex; gap: 30px; padding: 30px; align-items: flex-start; color: #1b2130; }}
  figure {{ margin: 0; flex: 1; min-width: 0; }}
  figure:nth-child(2) {{ flex: 0 0 330px; }}
  figure:nth-child(2) img {{ object-position: center; }}
  figcaption {{ margin-bottom: 14px; }}
  img {{ width: 100%; height: 440px; object-fit: cover; object-position: left top; border-radius: 12px;
         box-shadow: 0 8px 30px #0b174033; }}
</style><main>
  <figure><figcaption>1. A click on your page</figcaption><img src="{before}"></figure>
  <figure><figcaption>2. The sign-in, in a popup</figcaption><img src="{popup}"></figure>
  <figure><figcaption>3. Your page knows how it ended</figcaption><img src="{after}"></figure>
</main></body>
"""

# What a scene shows: the window's box, or the element's own parts.
EXTENT: Final = """
const element = document.querySelector("hitchpost-connections, hitchpost-connect");
const shown = element ? [...element.shadowRoot.children] : [document.querySelector("main")];
const boxes = shown.map((part) => part.getBoundingClientRect()).filter((box) => box.width && box.height);
const least = (side) => Math.min(...boxes.map((box) => box[side]));
const most = (side) => Math.max(...boxes.map((box) => box[side]));
return [least("left"), least("top"), most("right"), most("bottom")];
"""


def main() -> None:
    """Run the demo, and go through it."""
    with (
        tempfile.TemporaryDirectory() as folder,
        run_demo(Path(folder)) as stack,
        open_browser("chromium") as driver,
    ):
        driver.execute_cdp_cmd("Emulation.setScrollbarsHidden", {"hidden": True})
        # Its draft goes from room to room and is never published: the demo's page stays as it is.
        studio = StudioPage(driver, stack)
        studio.enter()
        picture_states(driver, stack, tuple(sys.argv[1:]))
        if sys.argv[1:]:
            return
        driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
        picture_words(driver, stack)
        driver.set_window_size(1240, 1100)
        picture_messages(studio)
        picture_their_words(studio)
        picture_look(studio)
        picture_changes(studio)
        picture_trial(studio)
        picture_click(driver, stack, Path(folder))


def picture_words(driver: WebDriver, stack: Stack) -> None:
    """One picture for each scene in which some word stands; those of scenes that are gone go too."""
    folder = PICTURES / "words"
    folder.mkdir(parents=True, exist_ok=True)
    scenes = [scene for scene in SCENES.values() if scene.key in {key.scene for key in CATALOGUE.values()}]
    for old in set(folder.glob("*.png")) - {folder / f"{scene.key}.png" for scene in scenes}:
        old.unlink()
    for scene in scenes:
        driver.set_window_size(540, 760)
        open_scene(driver, stack, scene)
        left, top, right, bottom = driver.execute_script(EXTENT)
        area = (left - MARGIN, top - MARGIN, right + MARGIN, bottom + MARGIN)
        save(driver, folder / f"{scene.key}.png", area, most=48 * KIB)


def open_scene(driver: WebDriver, stack: Stack, scene: Scene) -> None:
    """The Studio's preview of a scene, by itself."""
    query = urlencode({"scene": scene.key, "locale": "en", "connector": "sandbox", "scheme": "light"})
    driver.get(f"{stack.bff}/studio/preview?{query}")
    HostPage(driver, stack).wait(lambda: driver.execute_script(IS_DRAWN, scene.key))


def picture_messages(studio: StudioPage) -> None:
    """A message with a text of its own for Germans, and what is sent to whom."""
    studio.open("messages/default?locale=de&add=1")
    studio.write("f-messages-default-text-any-de", "verbunden:{connector}")
    studio.wait(lambda: "verbunden:sandbox" in studio.text_of("sent"))
    keep(studio, "messages", 820)


def picture_their_words(studio: StudioPage) -> None:
    """Another German button, and the preview that follows."""
    studio.open("words?locale=de")
    studio.write("f-words-any-de-button", "{connector_name} anbinden")
    studio.wait(lambda: studio.previewed() == "Sandbox CRM anbinden")
    keep(studio, "words", 900)


def picture_look(studio: StudioPage) -> None:
    """An accent on which white cannot be read; then the one that is proposed."""
    studio.open("look")
    studio.driver.find_element("id", "f-look-accent").send_keys("#f5a300")
    proposed = studio.wait(lambda: studio.driver.find_element("css selector", "#f-look-accent-use button"))
    studio.wait(studio.is_drawn)
    keep(studio, "look", 900)
    proposed.click()
    studio.wait(lambda: not studio.text_of("f-look-accent-faults"))


def picture_changes(studio: StudioPage) -> None:
    """What differs, and the button that publishes it."""
    studio.open("changes")
    studio.driver.find_element("id", "note").send_keys("German for the launch in spring")
    keep(studio, "changes", 876)


def picture_trial(studio: StudioPage) -> None:
    """A real run with the draft."""
    studio.open("try?connector=sandbox&message=default&locale=de")
    studio.choose("Sandbox CRM anbinden")
    studio.decide("Allow")
    studio.wait(lambda: studio.text_of("outcome") == "connected")
    keep(studio, "try", 776)


def keep(studio: StudioPage, name: str, height: int) -> None:
    """The upper part of a page of the Studio, without the mark of where the focus is."""
    studio.driver.execute_script("document.activeElement.blur(); scrollTo(0, 0);")
    width = studio.driver.execute_script("return document.documentElement.clientWidth")
    save(studio.driver, PICTURES / f"{name}.png", (0, 0, width, height), most=120 * KIB)


def picture_click(driver: WebDriver, stack: Stack, folder: Path) -> None:
    """Three views of one click, side by side, for the README."""
    driver.set_window_size(720, 760)
    page = HostPage(driver, stack)
    page.sign_in()
    page.button("Connect Sandbox CRM")
    before = shot(driver)
    page.connect()
    page.wait(lambda: "Allow" in driver.page_source)
    popup = shot(driver)
    page.decide("Allow")
    page.status("connected")
    after = shot(driver)
    sheet = folder / "sheet.html"
    sheet.write_text(SHEET.format(before=before, popup=popup, after=after))
    driver.set_window_size(1560, 760)
    driver.get(sheet.as_uri())
    # As it comes: of the shadows' many greys a palette would make steps.
    driver.find_element("tag name", "body").screenshot(str(ROOT / "docs/picture.png"))


def shot(driver: WebDriver) -> str:
    """The window's picture as a data URI."""
    return "data:image/png;base64," + base64.b64encode(driver.get_screenshot_as_png()).decode()


def save(driver: Any, path: Path, area: tuple[float, float, float, float], *, most: int) -> None:
    """Write an area (left, top, right, bottom) of the page as a file of at most ``most`` bytes."""
    left, top = (max(0, round(side)) for side in area[:2])
    clip = {"x": left, "y": top, "width": round(area[2]) - left, "height": round(area[3]) - top, "scale": 1}
    asked = {"format": "png", "clip": clip, "captureBeyondViewport": True}
    data = smaller(base64.b64decode(driver.execute_cdp_cmd("Page.captureScreenshot", asked)["data"]))
    if len(data) > most:
        raise SystemExit(f"{path} would have {len(data)} bytes; at most {most} go into the repository")
    path.write_bytes(data)
    print(f"{path.relative_to(ROOT)}: {len(data)} bytes")


if __name__ == "__main__":
    main()
