"""Clicks on Connect by clients that go on whatever is killed, and write down what they saw."""

from __future__ import annotations

import random
import re
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final

import requests

from tests.faults.programs import Stack
from tests.support.world import HOST, OPENED_FOR, SECRET_KEY

FINAL: Final = frozenset({"connected", "declined", "failed", "cancelled", "expired"})
LONGEST_FLOW: Final = 12.0
AGAIN: Final = 0.05


class OutOfTime(Exception):
    """The flow could not go on."""


@dataclass
class Seen:
    """What all clients saw, for the invariants."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    statuses: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    spent: Counter[str] = field(default_factory=Counter)
    secrets: set[str] = field(default_factory=set)
    counts: Counter[str] = field(default_factory=Counter)
    deeds: Counter[tuple[str, str]] = field(default_factory=Counter)
    revoked: set[str] = field(default_factory=set)

    def status(self, observer: str, attempt: str, status: str) -> None:
        """One reading."""
        with self.lock:
            self.statuses.setdefault((observer, attempt), []).append(status)

    def spend(self, token: str) -> None:
        """A one-time token was accepted."""
        with self.lock:
            self.spent[token] += 1

    def keep_secret(self, secret: str) -> None:
        """May be readable nowhere."""
        with self.lock:
            self.secrets.add(secret)

    def count(self, what: str) -> None:
        """One more of these."""
        with self.lock:
            self.counts[what] += 1

    def did(self, what: str, connection: str) -> None:
        """A client did this with a connection, or was told that it is done."""
        with self.lock:
            self.deeds[what, connection] += 1
            self.counts[what] += 1

    def revoke(self, access_token: str) -> None:
        """The grant that this access token came from ends at the third party."""
        with self.lock:
            self.revoked.add(access_token)


class Flow:
    """One click, by a user of its own in an account of its own."""

    def __init__(self, stack: Stack, seen: Seen, chance: random.Random, name: str) -> None:
        self.stack = stack
        self.seen = seen
        self.chance = chance
        self.name = name
        self.ends = time.monotonic() + LONGEST_FLOW
        self.host = requests.Session()
        self.host.headers["Authorization"] = f"Bearer {SECRET_KEY}"

    def run(self) -> None:
        """Until it ends, or cannot go on."""
        self.seen.count("flows")
        try:
            self._click()
        except OutOfTime:
            self.seen.count("flows cut short")
        finally:
            self.host.close()

    def _click(self) -> None:
        self._sign_in(self._page())

    def _page(self) -> dict[str, str]:
        """The headers with which the user's page calls."""
        body = {"user": {"id": f"user-{self.name}"}, "account": {"id": f"account-{self.name}"}}
        token = self._until(lambda: self.host.post(f"{self.stack.bff}/v1/sessions", json=body, timeout=20))
        return {"Authorization": f"Bearer {token['token']}", "X-Hitchpost": "1", "Origin": HOST}

    def _sign_in(
        self, page: dict[str, str], meanwhile: Callable[[], None] = lambda: None, **more: str
    ) -> None:
        wanted = {"connector": "sandbox", **more}
        url = f"{self.stack.bff}/v1/attempts"
        attempt = self._until(lambda: requests.post(url, json=wanted, headers=page, timeout=20))
        self.seen.keep_secret(attempt["launch_token"])
        if minted := self._launch(attempt["launch_token"]):
            self.seen.keep_secret(minted)
            if consent := self._redeem(minted):
                meanwhile()
                self._decide(*consent)
        self._read(attempt["id"])

    def _launch(self, token: str) -> str | None:
        form, headers = {"launch_token": token, **OPENED_FOR}, {"Origin": self.stack.bff}

        def post() -> requests.Response:
            return requests.post(
                f"{self.stack.bff}/connect/launch",
                data=form,
                headers=headers,
                allow_redirects=False,
                timeout=30,
            )

        for answer in self._insist(post, 303):
            self.seen.spend(f"launch token {token}")
            return answer.headers["Location"]
        return None

    def _redeem(self, url: str) -> tuple[requests.Session, str] | None:
        """The browser that was let through, and the third party's page that it was sent to."""
        token = re.search(r"[?&]token=([^&]+)", url)
        assert token is not None
        browsers: dict[int, requests.Session] = {}

        def get() -> requests.Response:
            browser = requests.Session()
            answer = browser.get(url, allow_redirects=False, timeout=30)
            browsers[id(answer)] = browser
            return answer

        for answer in self._insist(get, 302):
            self.seen.spend(f"sign-in token {token[1]}")
            return browsers[id(answer)], answer.headers["Location"]
        return None

    def _insist(self, call: Callable[[], requests.Response], success: int) -> list[requests.Response]:
        """Send it, sometimes twice at once, and again while the connection breaks; what was accepted.

        Each acceptance beyond the first is told as one more spending.
        """
        copies = 2 if self.chance.random() < 0.3 else 1
        while time.monotonic() < self.ends:
            with ThreadPoolExecutor(copies) as pool:
                answers = [job.result() for job in [pool.submit(quietly, call) for _ in range(copies)]]
            accepted = [answer for answer in answers if answer is not None and answer.status_code == success]
            for _ in accepted[1:]:
                self.seen.count("tokens spent twice")
            if accepted:
                return accepted[:1]
            if any(answer is not None and answer.status_code < 500 for answer in answers):
                return []
            if any(answer is not None and answer.status_code == 503 for answer in answers):
                return []
            self.seen.count("calls made again")
            time.sleep(AGAIN)
        raise OutOfTime

    def _decide(self, browser: requests.Session, consent: str) -> None:
        with browser:
            page = browser.get(consent, timeout=30)
            found = re.search(r'name="request" value="([^"]+)"', page.text)
            assert found is not None, page.text
            decision = self.chance.choices(["allow", "deny", "leave"], [75, 15, 10])[0]
            if decision == "leave":
                return
            form = {"request": found[1], "account": f"{self.name}@sandbox.example", "decision": decision}
            told = browser.post(page.url, data=form, allow_redirects=False, timeout=30)
            # As somebody does whose page does not come: reload it.
            while time.monotonic() < self.ends:
                if quietly(lambda: browser.get(told.headers["Location"], timeout=30)) is not None:
                    return
                self.seen.count("calls made again")
                time.sleep(AGAIN)

    def _read(self, attempt: str) -> None:
        url = f"{self.stack.bff}/v1/attempts/{attempt}"
        while time.monotonic() < self.ends:
            told = self._until(lambda: self.host.get(url, params={"hint": "message"}, timeout=20))
            self.seen.status(f"client {self.name}", attempt, told["status"])
            if told["status"] in FINAL:
                self.seen.count(f"told in time: {told['status']}")
                if told["status"] == "failed":
                    time.sleep(0.5 + self.chance.random())  # Nobody clicks again at once.
                return
            if self.chance.random() < 0.1:
                return  # The page was closed.
            time.sleep(0.1)

    def _until(self, call: Callable[[], requests.Response]) -> dict[str, Any]:
        while time.monotonic() < self.ends:
            answer = quietly(call)
            if answer is not None and answer.status_code < 300:
                found: dict[str, Any] = answer.json()
                return found
            assert answer is None or answer.status_code >= 429, answer.text
            self.seen.count("calls made again")
            time.sleep(AGAIN)
        raise OutOfTime


def quietly(call: Callable[[], requests.Response]) -> requests.Response | None:
    """The answer; None where the connection broke."""
    try:
        return call()
    except requests.RequestException:
        return None
