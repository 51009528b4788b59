"""For a host's own browser tests: runs a whole Hitchpost, and presses buttons at its sandbox third party.

``run_hitchpost(origins=[...])`` starts it for the pages of an application under test;
``ThirdParty(driver).allow("Sandbox CRM")`` presses Allow on the consent page in the popup. ``driver`` is a
Selenium WebDriver; nothing of Selenium is imported here. docs/testing.md has a whole example.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import requests

T = TypeVar("T")
LOWEST, HIGHEST = 20000, 32000
PRODUCT: Final = "app"
CONNECTORS: Final = ("", "-isolated", "-slow", "-broken", "-silent", "-stranger", "-hop", "-garbled")
_WATCH: Final = """
document.pressed = false;
arguments[0].addEventListener("click", () => { document.pressed = true; });
"""


class DidNotStart(Exception):
    """Hitchpost did not start. The message is its output."""


@dataclass(frozen=True)
class Running:
    """A running Hitchpost: the URLs of its programs, and the credentials of a host's server."""

    host: str
    bff: str
    partner: str
    sandbox: str
    product: str
    secret_key: str
    account: str
    folder: Path

    def get(self, path: str) -> dict[str, Any]:
        """Call the BFF as the host's server does. Returns the JSON. Raises ``requests.HTTPError``."""
        headers = {"Authorization": f"Bearer {self.secret_key}"}
        answer = requests.get(self.bff + path, headers=headers, timeout=20, allow_redirects=False)
        answer.raise_for_status()
        document: dict[str, Any] = answer.json()
        return document

    def attempt(self, attempt_id: str) -> dict[str, Any]:
        """The attempt, with its timeline."""
        return self.get(f"/v1/attempts/{attempt_id}")


@contextlib.contextmanager
def run_hitchpost(
    *,
    origins: Sequence[str] = (),
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> Iterator[Running]:
    """Run BFF, embedded partner service, sandbox and demo page on free ports until the block ends.

    With ``origins`` (each ``scheme://host[:port]``), a product for the host's own pages is registered, with
    every connector of the sandbox. Without, the demo's product is used. Raises ``DidNotStart``.
    """
    with contextlib.ExitStack() as stack:
        place = folder or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        key = "sk_app_" + secrets.token_urlsafe(24)
        more = dict(environment or {})
        if origins:
            products = place / "app.toml"
            products.write_text(_product(origins, key), encoding="utf-8")
            more["HITCHPOST_DEMO_PRODUCTS"] = str(products)
        stack.callback(_stop, _start(place, more))
        demo = json.loads((place / "demo.json").read_text())
        if origins:
            demo |= {"product": PRODUCT, "secret_key": key}
        names = ("host", "bff", "partner", "sandbox", "product", "secret_key", "account")
        yield Running(folder=place, **{name: demo[name] for name in names})


class ThirdParty:
    """Presses buttons on the sandbox's consent page, in a popup or in the page's own tab.

    ``driver`` is a Selenium WebDriver. ``patience`` is how many seconds to wait for a page or a button.
    """

    def __init__(self, driver: Any, *, patience: float = 30.0) -> None:
        self._driver = driver
        self._patience = patience

    def allow(self, name: str) -> None:
        """Press Allow on the consent page of ``name`` ("Sandbox CRM"), and switch back to the host page."""
        self._decide(name, "Allow")

    def deny(self, name: str) -> None:
        """Press Deny on the consent page, and switch back to the host page."""
        self._decide(name, "Deny")

    def close(self, name: str) -> None:
        """Close the consent page's window without an answer, and switch back to the host page."""
        before = self._find(name)
        self._driver.close()
        self._driver.switch_to.window(before)

    def _decide(self, name: str, button: str) -> None:
        before = self._find(name)
        press(self._driver, button, patience=self._patience)
        if before in self._driver.window_handles:
            self._driver.switch_to.window(before)

    def _find(self, name: str) -> str:
        before: str = self._driver.current_window_handle

        def found() -> bool:
            for handle in self._driver.window_handles:
                self._driver.switch_to.window(handle)
                if self._driver.find_elements("xpath", f"//h1[contains(., 'use your {name} account')]"):
                    return True
            self._driver.switch_to.window(before)
            return False

        _wait(found, self._patience, lambda: f"no window shows the consent page of {name}")
        return before


def press(driver: Any, name: str, *, patience: float = 30.0) -> None:
    """Press the button with this text in the driver's current window. Raises ``TimeoutError``.

    A new window may still move while its page is shown, so that a press misses the button. Then the press is
    repeated. A press that reached the button is never repeated.
    """
    clicked, last = False, ""

    def pressed() -> bool:
        nonlocal clicked, last
        try:
            buttons = driver.find_elements("xpath", f"//button[normalize-space()='{name}']")
            if not buttons:
                return clicked  # After a press, the button is gone because another page has loaded.
            driver.execute_script(_WATCH, buttons[0])
        except Exception as error:  # noqa: BLE001  # between two pages, or the press has closed the window
            last = f" ({type(error).__name__})"
            return clicked
        clicked = True
        try:
            buttons[0].click()
            return bool(driver.execute_script("return document.pressed !== false"))
        except Exception:  # noqa: BLE001  # the press has closed the page or its window
            return True

    _wait(pressed, patience, lambda: f"there is no button {name!r} to press{last}")


def _wait(condition: Callable[[], bool], patience: float, complaint: Callable[[], str]) -> None:
    deadline = time.monotonic() + patience
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(complaint())
        time.sleep(0.05)  # house-allow: sleep: between two looks at the condition


def _product(origins: Sequence[str], key: str) -> str:
    connectors = [f"sandbox{variant}" for variant in CONNECTORS]
    # These JSON strings and lists are valid TOML.
    return (
        f'[[product]]\nkey = "{PRODUCT}"\nname = "Your application"\norigins = {json.dumps(list(origins))}\n'
        f"secret_keys = {json.dumps([key])}\nconnectors = {json.dumps(connectors)}\n"
    )


def _start(folder: Path, environment: Mapping[str, str]) -> subprocess.Popen[str]:
    for _ in range(5):
        process, lines = _start_on(folder, _free_ports(), environment)
        if lines and lines[-1].startswith("ready "):
            return process
        process.wait(20)
    raise DidNotStart("".join(lines))


def _start_on(
    folder: Path, port: int, environment: Mapping[str, str]
) -> tuple[subprocess.Popen[str], list[str]]:
    folder_settings = {"HITCHPOST_DEMO_DIR": str(folder), "HITCHPOST_DEMO_PORT": str(port)}
    process = subprocess.Popen(
        [sys.executable, "-m", "bff", "demo"],
        env={**os.environ, **folder_settings, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None  # noqa: S101  # for the type checker
    lines: list[str] = []
    for line in process.stdout:
        lines.append(line)
        if line.startswith("ready "):
            break
    threading.Thread(target=process.stdout.read, daemon=True).start()
    return process, lines


def _stop(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGINT)
    process.wait(30)


def _free_ports() -> int:
    """The first of four consecutive free ports."""
    # Random, as tests run in parallel. If another process takes one meanwhile, the demo does not start, and
    # ``_start`` tries again.
    while True:
        first = random.randrange(LOWEST, HIGHEST, 4)  # noqa: S311  # a port is no secret
        if all(_is_free(port) for port in range(first, first + 4)):
            return first


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0
