"""The visitors of ``scripts/soak.py``: ``soak_load.py FLOWS SECONDS``; prints what they met as JSON."""

from __future__ import annotations

import json
import os
import re
import sys
import threading
import time
from typing import Any, Final

import requests

BFF: Final = os.environ["HITCHPOST_PUBLIC_URL"]
HOST: Final = "https://app.example"
PRODUCT: Final = "demo"
KEY: Final = "sk_test_" + "a" * 24
READS_SECONDS: Final = 15.0
"""So long a user looks at the consent page."""
POLL_SECONDS: Final = 1.0
PATIENCE: Final = 60.0


class Visitor:
    """One user after the other of one account, each in a browser of their own."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.flows: list[float] = []
        self.launches: list[float] = []
        self.errors: list[str] = []

    def visit(self, until: float) -> None:
        """Connect again and again."""
        # Not all at the same moment: as people come.
        time.sleep(self.number % 50 * READS_SECONDS / 50)
        count = 0
        while time.monotonic() < until:
            count += 1
            try:
                with requests.Session() as browser:
                    self.flows.append(self._flow(browser, f"user-{self.number}-{count}"))
            except Exception as error:  # noqa: BLE001  # whatever went wrong is what this is about
                self.errors.append(f"{type(error).__name__}: {error}"[:300])

    def _flow(self, browser: requests.Session, user: str) -> float:
        """A whole flow; its seconds, without those in which the user reads."""
        account = {"id": f"account-{self.number}"}
        began = time.monotonic()
        session = self._post(browser, "/v1/sessions", KEY, {"user": {"id": user}, "account": account})[
            "token"
        ]
        attempt = self._post(browser, "/v1/attempts", session, {"connector": "sandbox"})
        location = self._launch(browser, attempt["launch_token"])
        consent = browser.get(location, timeout=PATIENCE)
        found = re.search(r'name="request" value="([^"]+)"', consent.text)
        assert found, f"no consent page: {consent.status_code} {consent.text[:200]}"
        # Connections that idle meanwhile may be closed at the very moment of their next use. A browser then
        # opens another by itself; this one does so in any case.
        browser.close()
        time.sleep(READS_SECONDS)
        form = {"request": found[1], "account": f"{self.number}@sandbox.example", "decision": "allow"}
        last = browser.post(consent.url, data=form, timeout=PATIENCE)
        assert last.status_code == 200, f"the end: {last.status_code} {last.text[:200]}"
        self._wait(browser, attempt["id"], session)
        return time.monotonic() - began - READS_SECONDS

    def _post(self, browser: requests.Session, path: str, token: str, body: Any) -> Any:
        headers = {"Authorization": f"Bearer {token}", "Origin": HOST}
        answer = browser.post(BFF + path, json=body, headers=headers, timeout=PATIENCE)
        assert answer.status_code == 201, f"{path}: {answer.status_code} {answer.text[:200]}"
        return answer.json()

    def _launch(self, browser: requests.Session, launch_token: str) -> str:
        began = time.monotonic()
        answer = browser.post(
            f"{BFF}/connect/launch",
            data={"launch_token": launch_token, "product": PRODUCT, "origin": HOST},
            headers={"Origin": BFF},
            allow_redirects=False,
            timeout=PATIENCE,
        )
        assert answer.status_code == 303, f"launch: {answer.status_code} {answer.text[:300]}"
        self.launches.append(time.monotonic() - began)
        return answer.headers["Location"]

    def _wait(self, browser: requests.Session, attempt: str, session: str) -> None:
        headers = {"Authorization": f"Bearer {session}", "Origin": HOST}
        ends, hint = time.monotonic() + PATIENCE, "?hint=message"
        while True:
            answer = browser.get(f"{BFF}/v1/attempts/{attempt}{hint}", headers=headers, timeout=PATIENCE)
            assert answer.status_code == 200, f"poll: {answer.status_code} {answer.text[:200]}"
            status = answer.json()["status"]
            if status == "connected":
                return
            assert status == "launched", f"ended {status}"
            assert time.monotonic() < ends, "never connected"
            time.sleep(POLL_SECONDS)
            hint = ""


def main() -> None:
    """All visitors at once, until the time is over and each has finished the flow that it was in."""
    until = time.monotonic() + float(sys.argv[2])
    visitors = [Visitor(number) for number in range(int(sys.argv[1]))]
    threads = [threading.Thread(target=visitor.visit, args=(until,)) for visitor in visitors]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    told = {
        name: [value for visitor in visitors for value in getattr(visitor, name)]
        for name in ("flows", "launches", "errors")
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
