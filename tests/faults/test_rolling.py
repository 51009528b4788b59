"""Programs restart, one after the other, while people connect through the shipped nginx file."""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import requests

from tests.faults.programs import Program
from tests.packaging.test_operations import NGINX, certificates
from tests.packaging.test_proxies import BFF, PARTNER, Proxy, start_nginx
from tests.support.databases import sqlite_url
from tests.support.ports import free_ports
from tests.support.programs import bff_environment, partner_environment
from tests.support.servers import serve
from tests.support.world import HOST, OPENED_FOR, SECRET_KEY, build_sandbox
from tests.web.test_forced_linking import browser_of

ROUNDS = max(1, int(os.environ.get("HITCHPOST_FAULT_ROUNDS") or 4) // 50)
IS_LONG = "HITCHPOST_FAULT_ROUNDS" in os.environ
ROLLED = ("bff 1", "bff 2", "partner") if IS_LONG else ("bff 1", "partner")
"""One of each kind; in `make faults` the other BFF too."""
PEOPLE = 4
PATIENCE = 60.0
SERVER = {"Authorization": f"Bearer {SECRET_KEY}"}


@dataclass
class Site:
    """Two BFFs and a partner service behind one nginx; ``counts`` is what people met."""

    proxy: Proxy
    programs: dict[str, Program]
    bff: str
    partner: str
    counts: Counter[str] = field(default_factory=Counter)
    lost: list[str] = field(default_factory=list)

    def through(self, url: str) -> str:
        """The same address, as a browser reaches it."""
        return url.replace(self.bff, BFF).replace(self.partner, PARTNER)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """All of it; both BFFs have one public URL and one database."""
    if not Path(NGINX).is_file():
        pytest.skip("no nginx here; on Debian: apt-get install nginx")
    first, second, third, https, http = free_ports(5)
    partner = f"http://127.0.0.1:{third}"
    with contextlib.ExitStack() as stack:
        redirects = [f"{partner}/connector/callback"]
        sandbox = stack.enter_context(serve(lambda url: build_sandbox(url, redirects)))
        behind = {"PROXY_HOPS": "1", "TRUSTED_HOSTS": "connect.example.com,partner.example.com"}
        own = partner_environment(tmp_path, sandbox, third, sqlite_url(tmp_path, "partner"))
        own |= {f"HITCHPOST_EMBEDDED_{name}": value for name, value in behind.items()}
        programs = {"partner": program(tmp_path, "partner", ["bff.partner", "serve"], own, partner)}
        public = f"http://127.0.0.1:{first}"
        for number, port in enumerate((first, second), 1):
            bff = bff_environment(tmp_path, partner, port, sqlite_url(tmp_path, "bff"))
            bff |= {f"HITCHPOST_{name}": value for name, value in behind.items()}
            bff |= {"HITCHPOST_PUBLIC_URL": public, "HITCHPOST_LIMITS_URL": "database://"}
            url = f"http://127.0.0.1:{port}"
            programs[f"bff {number}"] = program(tmp_path, f"bff{number}", ["bff", "serve"], bff, url)
        for each in programs.values():
            stack.callback(each.kill)
            each.start()
        proxy = Proxy(tmp_path / "nginx", https, http)
        proxy.folder.mkdir()
        certificates(proxy.folder)
        both = f"127.0.0.1:{first} max_fails=0;\n    server 127.0.0.1:{second}"
        stack.enter_context(start_nginx(proxy, both, f"127.0.0.1:{third}"))
        yield Site(proxy, programs, public, partner)


def program(folder: Path, name: str, module: list[str], own: dict[str, str], url: str) -> Program:
    """One of them; it can be started again where it was."""
    return Program(module, own, f"{url}/health/ready", folder / f"{name}.log")


class Person:
    """Somebody who clicks on Connect, as a browser with the widget does; they go on where a page says so."""

    def __init__(self, site: Site, name: str) -> None:
        self.site = site
        self.name = name
        self.ends = time.monotonic() + PATIENCE
        self.browser = site.proxy.browser()

    def click(self) -> str:
        """One whole sign-in; the status that it ends with."""
        with self.browser:
            who = {"user": {"id": self.name}, "account": {"id": f"account of {self.name}"}}
            token = self.api("POST", "/v1/sessions", json=who, headers=SERVER)["token"]
            page = {"Authorization": f"Bearer {token}", "Origin": HOST, "X-Hitchpost": "1"}
            begun = self.api("POST", "/v1/attempts", json={"connector": "sandbox"}, headers=page)
            consent = self.visit(self.launch(begun["launch_token"]))
            request = re.search(r'name="request" value="([^"]+)"', consent.text)
            assert request, f"{consent.status_code} in place of the consent page"
            form = {"request": request[1], "account": "ada@crm.example", "decision": "allow"}
            decided = self.browser.post(consent.url, data=form, timeout=30, allow_redirects=False)
            self.visit(decided.headers["Location"])
            status = ""
            while status not in {"connected", "failed", "expired"} and time.monotonic() < self.ends:
                told = self.api("GET", f"/v1/attempts/{begun['id']}?hint=message", headers=SERVER)
                status = str(told["status"])
            return status

    def launch(self, token: str) -> str:
        """The window's form, and its page that waits; where it leads to."""
        form = {"launch_token": token, **OPENED_FOR}
        while time.monotonic() < self.ends:
            url, headers = f"{BFF}/connect/launch", {"Origin": self.site.bff}
            answer = self.browser.post(url, data=form, headers=headers, allow_redirects=False, timeout=30)
            if answer.status_code == 303:
                return str(answer.headers["Location"])
            assert "data-seconds" in answer.text, f"{answer.status_code} at the launch"
            form = browser_of(answer.text)
            self.rest("the window waited")
        raise AssertionError("the window waited too long")

    def visit(self, url: str) -> requests.Response:
        """Follow redirects; look again where a page does so by itself."""
        while time.monotonic() < self.ends:
            answer = self.browser.get(self.site.through(url), allow_redirects=False, timeout=30)
            if answer.is_redirect:
                url = answer.headers["Location"]
            elif "Refresh" in answer.headers:
                self.rest("a page looked again")
            else:
                assert answer.ok, f"{answer.status_code} at {url.partition('?')[0]}"
                return answer
        raise AssertionError("a page looked again for too long")

    def api(self, method: str, path: str, **more: object) -> dict[str, str]:
        """A call of the widget or the host's server, which try again after 503."""
        while time.monotonic() < self.ends:
            answer = self.browser.request(method, f"{BFF}{path}", timeout=30, **more)  # type: ignore[arg-type]
            if answer.ok:
                found: dict[str, str] = answer.json()
                return found
            assert answer.status_code == 503, f"{answer.status_code} at {path.partition('?')[0]}"
            self.rest("a call was made again")
        raise AssertionError("a call was made again for too long")

    def rest(self, why: str) -> None:
        """A while, as the page or the widget does."""
        self.site.counts[why] += 1
        time.sleep(0.2)  # house-allow: test-sleep: the person's own wait, which is part of the traffic


@pytest.mark.timeout(600)
def test_rolling_restarts_lose_nobody(site: Site) -> None:
    """BFF, other BFF, partner service: each stopped and started, and each reloaded, under traffic."""
    over, numbers = threading.Event(), itertools.count()

    def go_on() -> None:
        while not over.is_set():
            name = f"person-{next(numbers)}"
            try:
                ended = Person(site, name).click()
            except Exception as error:  # noqa: BLE001  # whatever a person meets is told at the end
                ended = f"{type(error).__name__}: {error}"
            site.counts[f"ended: {ended}" if ended == "connected" else "lost"] += 1
            if ended != "connected":
                site.lost.append(f"{name}: {ended}")

    with ThreadPoolExecutor(PEOPLE) as pool:
        people = [pool.submit(go_on) for _ in range(PEOPLE)]
        try:
            for _ in range(ROUNDS):
                for name in ROLLED:
                    roll(site, name)
        finally:
            over.set()
        for each in people:
            each.result()
    print(f"\nrolling restarts: {dict(sorted(site.counts.items()))}; {len(site.lost)} lost")
    assert site.lost == []
    assert site.counts["ended: connected"] >= 2 * PEOPLE


def roll(site: Site, name: str) -> None:
    """Stop it in order and start it again, when some have connected; then reload it."""
    rolled = site.programs[name]
    connect_some(site)
    assert rolled.process is not None
    rolled.process.send_signal(signal.SIGTERM)
    assert rolled.process.wait(60) == 0
    rolled.start()
    connect_some(site)
    rolled.process.send_signal(signal.SIGHUP)


def connect_some(site: Site) -> None:
    """Wait until a few more have connected, or somebody was lost."""
    wanted, deadline = site.counts["ended: connected"] + PEOPLE, time.monotonic() + 120
    while site.counts["ended: connected"] < wanted and not site.lost:
        assert time.monotonic() < deadline, site.counts
        time.sleep(0.05)  # house-allow: test-sleep: a condition is waited for
