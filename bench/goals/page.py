"""Goal 7: what the host page pays before anybody clicks."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final

from selenium.webdriver.support.ui import WebDriverWait

from bench.browser import Chromium, chromium
from bench.context import Context
from bench.goals.click import Partner
from bench.process import ROOT
from bench.product import NAME
from bench.products_file import CONNECTOR
from bench.results import Figure, Outcome, Verdict
from bench.site import PAGES, bff_at_a_distance, files, write_page
from bench.web import web

VISITS: Final = 5
PATIENCE: Final = 30.0
QUIET_MS: Final = 500
"""So long after it was drawn a page may still ask for something, or move."""
BUTTONS: Final = 10
TAG: Final = f"{NAME}, the tag"
NO_ROOM: Final = f"{NAME}, the tag without the line of style"
HEADLESS: Final = f"{NAME}, headless"
NANGO: Final = "@nangohq/frontend, headless"
PLAIN: Final = "plain buttons, no script"
ROOM: Final = (
    "<style>hitchpost-connect:not(:defined)::before"
    '{content:"\\a0";display:inline-block;box-sizing:border-box;min-height:2.75em;padding:.6em 1em;'
    "border:1px solid transparent}</style>"
)
"""The line of docs/embedding.md that keeps the buttons' room until the script is here."""
METHOD: Final = (
    "Chromium, headless; each visit in a browser profile of its own. Script: CPU time of the main"
    " thread inside EvaluateScript, with what is compiled there (Chromium's trace). Main thread: its CPU"
    " time from the navigation until ten buttons are drawn. The tag's script defines the element and draws"
    " the ten buttons, and fetches what follows (panel.js) after the first paint. The headless module is"
    " the flow alone, as is Nango's frontend (`auth`, without its own user interface): both bundled by"
    " esbuild behind ten buttons of the host's. So the script's time is judged headless against headless,"
    " the tag's shown beside. The page has the line of style that the documentation gives beside the tag;"
    " without it the buttons appear with the script, and what stands below them moves (shown too)."
)


@dataclass(frozen=True)
class Page:
    """A page with ten buttons; ``script`` is the URL of what is measured on it."""

    name: str
    url: str
    script: str = ""


@dataclass(frozen=True)
class Visit:
    """What one visit cost: milliseconds, layout shift, and the kinds of requests after the page's own."""

    script_ms: float
    main_ms: float
    shift: float
    requests: tuple[str, ...]


def measure(context: Context) -> Outcome:
    """Visits of somebody new to four pages, which take turns."""
    found: dict[str, list[Visit]] = {}
    with (
        context.folder("page") as folder,
        web(Partner()) as port,
        _pages(context, folder, port) as pages,
        chromium() as browser,
    ):
        for number in range(-1, VISITS):
            print(f"  {number + 1}/{VISITS}", flush=True)
            for page in pages:
                visit = _visit(browser, page)
                if number >= 0:  # The first round warms up the browser itself.
                    found.setdefault(page.name, []).append(visit)
    return _outcome(found)


def _visit(browser: Chromium, page: Page) -> Visit:
    with browser.visitor() as driver:
        with browser.traced() as trace:
            driver.get(page.url)
            drawn = "return performance.getEntriesByName('drawn').length"
            WebDriverWait(driver, PATIENCE, 0.05).until(lambda one: one.execute_script(drawn))
            driver.execute_async_script(f"setTimeout(arguments[0], {QUIET_MS})")
        told: list[Any] = driver.execute_script(
            "return [shifts.reduce((sum, one) => sum + one, 0),"
            " performance.getEntriesByType('resource').map((one) => one.initiatorType + ' ' + one.name)]"
        )
    probe = page.url.rpartition("/")[0] + "/drawn.js"
    asked = tuple(one for one in told[1] if not one.endswith(probe))
    return Visit(trace.script_ms(page.script), trace.main_thread_ms(probe, "drawn"), float(told[0]), asked)


@contextlib.contextmanager
def _pages(context: Context, folder: Path, partner_port: int) -> Iterator[list[Page]]:
    with contextlib.ExitStack() as stack:
        host = f"http://localhost:{stack.enter_context(web(files(folder)))}"
        bff = bff_at_a_distance(stack, folder, host, partner_port)
        shutil.copy(PAGES / "drawn.js", folder)
        own = "\n".join(
            f'<p><button data-connector="{CONNECTOR}">Connect</button></p>' for _ in range(BUTTONS)
        )
        ours = f'<p><hitchpost-connect connector="{CONNECTOR}"></hitchpost-connect></p>\n' * BUTTONS
        script = f"{bff.url}/widget/v1/hitchpost.js"
        tag = f'<script src="{script}" data-product="shop" data-session="{bff.session}" defer></script>'
        values = {
            "base": bff.url,
            "session": bff.session,
            "module": str(ROOT / "static/widget/dist/headless.js"),
        }
        for name in ("headless-hitchpost", "headless-nango"):
            _bundle(context, folder, name, values)
        yield [
            _page(folder, host, PLAIN, "", own),
            _page(folder, host, TAG, tag + ROOM, ours, script),
            _page(folder, host, NO_ROOM, tag, ours, script),
            _page(folder, host, HEADLESS, _script("headless-hitchpost"), own, "headless-hitchpost.js"),
            _page(folder, host, NANGO, _script("headless-nango"), own, "headless-nango.js"),
        ]


def _script(name: str) -> str:
    return f'<script src="/{name}.js" defer></script>'


def _page(folder: Path, host: str, name: str, tag: str, buttons: str, script: str = "") -> Page:
    file = "".join(letter for letter in name if letter.isalpha()) + ".html"
    write_page(folder, "cost.html", {"tag": tag, "buttons": buttons})
    (folder / "cost.html").rename(folder / file)
    return Page(name, f"{host}/{file}", script if "//" in script else f"{host}/{script}")


def _bundle(context: Context, folder: Path, name: str, values: dict[str, str]) -> None:
    """Bundle as a host does: minified, for browsers of today."""
    sources = folder / "sources"
    sources.mkdir(exist_ok=True)
    source = sources / f"{name}.js"
    write_page(sources, source.name, values)
    nodes = sources / "node_modules"
    if not nodes.exists():
        nodes.symlink_to(context.installed.node_modules)
    subprocess.run(
        [
            ROOT / "node_modules/.bin/esbuild", source, "--bundle", "--minify", "--format=iife",
            "--target=es2022", "--log-level=warning", f"--outfile={folder / source.name}",
        ],
        check=True,
    )  # fmt: skip


def _outcome(found: dict[str, list[Visit]]) -> Outcome:
    figures = []
    for name, visits in found.items():
        if name != PLAIN:
            figures.append(Figure(f"{name}: script", "ms", tuple(round(one.script_ms, 2) for one in visits)))
        figures.append(Figure(f"{name}: main thread", "ms", tuple(round(one.main_ms, 1) for one in visits)))
        figures.append(Figure(f"{name}: layout shift", "", tuple(round(one.shift, 4) for one in visits)))
        asked = tuple(float(len(one.requests)) for one in visits)
        figures.append(Figure(f"{name}: requests", "requests", asked))
    script = {name: median(one.script_ms for one in visits) for name, visits in found.items()}
    ours = found[TAG]
    verdicts = [
        Verdict(
            "script, headless, against @nangohq/frontend",
            _ratio(script[HEADLESS], script[NANGO]),
            1,
            at_least=False,
            cause="Most of either time is Chromium's own for any script; the two lie within its noise.",
        ),
        Verdict("layout shift of the tag", max(one.shift for one in ours), 0, False),
        Verdict(
            "requests for scripts before a click (panel.js after the first paint)",
            _most(ours, "script "),
            2,
            False,
        ),
        Verdict("requests for the configuration before a click", _most(ours, "fetch "), 1, False),
        Verdict("requests before a click", float(max(len(one.requests) for one in ours)), 3, False),
    ]
    return Outcome(7, "Cost on the host page", figures, verdicts, method=METHOD)


def _ratio(ours: float, theirs: float) -> float:
    return round(ours / theirs, 3)


def _most(visits: list[Visit], kind: str) -> float:
    return float(max(sum(one.startswith(kind) for one in visit.requests) for visit in visits))
