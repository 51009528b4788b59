"""Goal 6: from the click to the partner service, in a real browser, at the distance of a real network."""

from __future__ import annotations

import contextlib
import queue
import shutil
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

from selenium.webdriver.remote.webdriver import WebDriver
from selenium.webdriver.support.ui import WebDriverWait

from bench.browser import Chromium, chromium, click, close_others, hover
from bench.context import Context
from bench.delay import Line, line
from bench.partner_stub import answer as partner_answer
from bench.process import ROOT, serving
from bench.product import NAME
from bench.results import Figure, Outcome, Verdict
from bench.site import PAGES, ROUND_TRIP_MS, bff_at_a_distance, files, partner_pages, write_page
from bench.web import Answer, Request, web
from tests.support.ports import free_port

RIVAL: Final = ROOT / "bench/peers"
MINT_SECONDS: Final = 0.1
CLICKS: Final = 7
PATIENCE: Final = 30.0
SETTLED: Final = 0.3
"""Seconds between the pointer's coming and a warm click, for every page alike."""
BESIDE: Final = "h1"
BUTTON: Final = "#connect"
SIGN_IN: Final = "/connectorauth/"
RIVALS: Final = {"fetch-first": "fetch, then open", "blank-first": "blank window, then steer"}
SAME: Final = "BFF at the page's origin"
MOST, MOST_COLD_AT_HOME = 1.0, 1.2
METHOD: Final = (
    "Chromium, headless, clicked through WebDriver; each visitor has a browser profile of its own."
    f" Between the browser and each BFF a proxy adds {ROUND_TRIP_MS} ms of round trip, and as much for"
    " each new connection (TCP; no TLS); minting a sign-in token takes 100 ms, everything else at the"
    " partner service nothing. The time runs from the page's pointerdown to the arrival of the sign-in"
    " URL at the partner service. Cold: the visitor's first click, right after the load event. Warm: the"
    f" third visit, the pointer on the button for {SETTLED} s, and with Hitchpost an attempt prepared."
    " Hitchpost is told of the press as the button goes down, mints for the account's connector, and launches"
    " with that token; the rivals know session, access token and account connector, and only mint. Their BFF"
    " (Flask, requests, gunicorn) is at an origin of its own as Hitchpost's is, with preflights that are"
    " cached for ten minutes; or"
    " it serves the page too, so there are none and its connection is open."
)
CAUSE: Final = (
    "Hitchpost mints as the button goes down, while its opening page starts in a new window and is handed the"
    " launch token; the launch then takes a round trip of its own. A rival waits for one round trip and the"
    " 100 ms. {more}"
)
WARM_CAUSE: Final = (
    "The mint was asked for {asked:.0f} ms after the press, its token was there after {there:.0f} ms, and the"
    " partner service met the browser after {ours:.0f} ms: between lie the start of a window and half a round"
    " trip. A token minted still earlier would save nothing."
)
COLD_CAUSE: Final = (
    "Cold, the popup needs a connection of its own as well (browsers keep one for each top-level site) and"
    " its page, whose script and style come inside it."
)


@dataclass(frozen=True)
class Page:
    """A page with a Connect button. ``apart``: its BFF is at another origin than itself, as ours is."""

    name: str
    url: str
    apart: bool = True

    @property
    def is_ours(self) -> bool:
        """Whether Hitchpost is on it."""
        return self.name == NAME


@dataclass(frozen=True)
class Clicks:
    """Milliseconds from the press (pointerdown) to the partner service, of one visitor."""

    cold: float
    warm: float
    asked: float
    """The same of the warm click to the question for its sign-in token."""


class Partner:
    """The partner service: an API whose sign-in tokens take their time, and pages that note who arrives."""

    def __init__(self) -> None:
        self.arrivals: queue.Queue[float] = queue.Queue()
        self.minted_at = 0.0

    def __call__(self, request: Request) -> Answer:
        """One request."""
        if request.target.startswith(SIGN_IN):
            self.arrivals.put(request.at)
            return Answer(b"<!doctype html><title>Sign in</title>")
        path = request.target.partition("?")[0].encode()
        whole, _ = partner_answer(request.method.encode(), path, request.body)
        delay = 0.0
        if path.endswith(b"/signintoken"):
            self.minted_at, delay = request.at, MINT_SECONDS
        return Answer(whole.partition(b"\r\n\r\n")[2], "application/json", delay=delay)


def measure(context: Context) -> Outcome:
    """Visits to five pages, which take turns; each has a cold click, then a warm one."""
    partner = Partner()
    found: dict[Page, list[Clicks]] = {}
    with (
        context.folder("click") as folder,
        web(partner) as port,
        _pages(folder, port) as pages,
        chromium() as browser,
    ):
        for number in range(-1, CLICKS):
            print(f"  {number + 1}/{CLICKS}", flush=True)
            for page in pages:
                clicks = _visit(browser, page, partner)
                if number >= 0:  # The first round warms up the browser itself.
                    found.setdefault(page, []).append(clicks)
    return _outcome(found)


def _visit(browser: Chromium, page: Page, partner: Partner) -> Clicks:
    """Somebody new clicks right after the page has loaded; comes back twice, takes time to aim, clicks."""
    with browser.visitor() as driver:
        driver.get(page.url)
        cold, _ = _press(driver, partner)
        close_others(driver)
        _come_back(driver, page)
        _press(driver, partner)
        close_others(driver)
        _come_back(driver, page)
        return Clicks(cold, *_press(driver, partner))


def _come_back(driver: WebDriver, page: Page) -> None:
    # A flow that has ended leaves nothing; the last one was cut short.
    driver.execute_script("sessionStorage.clear()")
    driver.get(page.url)
    hover(driver, BUTTON)
    if page.is_ours:
        WebDriverWait(driver, PATIENCE, 0.25).until(_is_prepared)
    time.sleep(SETTLED)


def _is_prepared(driver: WebDriver) -> bool:
    """Whether the pointer has prepared an attempt. It comes again if it came before the script heard it."""
    if driver.execute_script("return globalThis.prepared"):
        return True
    hover(driver, BESIDE)
    hover(driver, BUTTON)
    return False


def _press(driver: WebDriver, partner: Partner) -> tuple[float, float]:
    """Milliseconds until the partner service met the browser, and until it was asked for the token."""
    click(driver, BUTTON)
    arrived = partner.arrivals.get(timeout=PATIENCE) * 1000
    pressed: float = driver.execute_script("return globalThis.pressed")
    return arrived - pressed, partner.minted_at * 1000 - pressed


@contextlib.contextmanager
def _pages(folder: Path, partner_port: int) -> Iterator[list[Page]]:
    apart, together = folder / "apart", folder / "together"
    with contextlib.ExitStack() as stack:
        host = f"http://localhost:{stack.enter_context(web(files(apart)))}"
        rival = _rival(stack, together, host, partner_port)
        bff = bff_at_a_distance(stack, folder, host, partner_port)
        values = {"session": "a-session-that-is-known"}
        _write(apart, values | {"bff": f"http://127.0.0.1:{rival.port}"})
        _write(together, values | {"bff": ""})
        write_page(apart, "hitchpost.html", {"bff": bff.url, "session": bff.session})
        own = f"http://localhost:{rival.port}"
        yield [
            Page(NAME, f"{host}/hitchpost.html"),
            *(Page(name, f"{host}/{file}.html") for file, name in RIVALS.items()),
            *(Page(f"{name} ({SAME})", f"{own}/{file}.html", apart=False) for file, name in RIVALS.items()),
        ]


def _rival(stack: contextlib.ExitStack, pages: Path, host: str, partner_port: int) -> Line:
    way, port = stack.enter_context(line(ROUND_TRIP_MS)), free_port()
    environment = {
        "PARTNER": f"http://127.0.0.1:{partner_port}",
        "PARTNER_PAGES": partner_pages(partner_port),
        "HOST": host,
        "FOLDER": str(pages),
    }
    command = [
        sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", "--worker-class", "gthread",
        "--threads", "8", "--keep-alive", "15", "sign_in_url:app",
    ]  # fmt: skip
    log = pages.with_suffix(".log")
    stack.enter_context(serving("rival", command, port=port, log=log, environment=environment, folder=RIVAL))
    way.target = port
    return way


def _write(folder: Path, values: dict[str, str]) -> None:
    folder.mkdir()
    for page in PAGES.glob("*-first.html"):
        write_page(folder, page.name, values)
    for script in PAGES.glob("*.js"):
        shutil.copy(script, folder)


def _outcome(found: dict[Page, list[Clicks]]) -> Outcome:
    warm = {page: [round(one.warm, 1) for one in clicks] for page, clicks in found.items()}
    cold = {page: [round(one.cold, 1) for one in clicks] for page, clicks in found.items()}
    figures = [
        Figure(f"{page.name}, {how}", "ms", tuple(runs))
        for how, each in (("warm", warm), ("cold", cold))
        for page, runs in each.items()
    ]
    own = next(clicks for page, clicks in found.items() if page.is_ours)
    asked = median(one.asked for one in own)
    why = WARM_CAUSE.format(
        asked=asked, there=asked + MINT_SECONDS * 1000, ours=median(one.warm for one in own)
    )
    verdicts = [
        verdict
        for apart in (True, False)
        for verdict in (
            _verdict("warm", warm, apart, MOST, CAUSE.format(more=why)),
            _verdict(
                "cold", cold, apart, MOST if apart else MOST_COLD_AT_HOME, CAUSE.format(more=COLD_CAUSE)
            ),
        )
    ]
    return Outcome(6, "Click to the partner service", figures, verdicts, method=METHOD)


def _verdict(how: str, runs: dict[Page, list[float]], apart: bool, goal: float, cause: str) -> Verdict:
    ours = next(median(found) for page, found in runs.items() if page.is_ours)
    best = min(median(found) for page, found in runs.items() if not page.is_ours and page.apart is apart)
    what = f"{how}, against the better one" + ("" if apart else f" ({SAME})")
    return Verdict(what, round(ours / best, 3), goal, at_least=False, cause=cause)
