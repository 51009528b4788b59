"""Makes docs/picture.png from the running product: the click, the popup, the page that knows."""

from __future__ import annotations

import base64
import sys
import tempfile
from pathlib import Path

from selenium.webdriver.remote.webdriver import WebDriver

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from tests.support.browsers import open_browser  # noqa: E402
from tests.support.host_page import HostPage  # noqa: E402
from tests.support.stack import run_demo  # noqa: E402

SHEET = """
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


def main() -> None:
    """Run the demo, click through it in Chromium, and keep three views of it as one picture."""
    with (
        tempfile.TemporaryDirectory() as folder,
        run_demo(Path(folder)) as stack,
        open_browser("chromium") as driver,
    ):
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
        sheet = Path(folder) / "sheet.html"
        sheet.write_text(SHEET.format(before=before, popup=popup, after=after))
        driver.set_window_size(1560, 760)
        driver.get(sheet.as_uri())
        driver.find_element("tag name", "body").screenshot(str(ROOT / "docs/picture.png"))


def shot(driver: WebDriver) -> str:
    """The window's picture as a data URI."""
    return "data:image/png;base64," + base64.b64encode(driver.get_screenshot_as_png()).decode()


if __name__ == "__main__":
    main()
