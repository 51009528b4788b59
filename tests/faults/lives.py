"""Connections that are made, reconnected, lost and ended, by clients that go on whatever is killed."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import requests

from tests.faults.flows import AGAIN, Flow, OutOfTime, quietly
from tests.support import lost_grants
from tests.support.world import CLIENT_ID, CLIENT_SECRET, SANDBOX_SECRET

MOST_ACTS: Final = 3
ASKED_TO_END, ENDED, LOST, SEEN_LOST = "asked to end", "ended", "lost", "seen lost"
"""What ``Seen.deeds`` counts of a connection: its end was asked for, and was told to be reached; the third
party took its grant away, and the host was told so."""


class Life(Flow):
    """One connection of an account of its own, from the first sign-in on."""

    def _click(self) -> None:
        page = self._page()
        self._sign_in(page)
        acts: list[Callable[[dict[str, str], str], None]] = [
            self._reconnect,
            self._lose,
            self._end,
            self._end_meanwhile,
        ]
        for act in self.chance.choices(acts, [3, 4, 2, 1], k=self.chance.randint(1, MOST_ACTS)):
            standing = self._standing()
            if standing is None:
                self._sign_in(page)
            else:
                act(page, standing)

    def _standing(self) -> str | None:
        """The id of the account's connection, if there is something to lose."""
        told = self._until(lambda: self._ask("GET", "/v1/connections"))
        states = {each["id"]: each["state"] for each in told["connections"]}
        return next((key for key, state in states.items() if state in {"connected", "needs_reconnect"}), None)

    def _ask(self, method: str, path: str) -> requests.Response:
        params = {"account": f"account-{self.name}"}
        return self.host.request(method, self.stack.bff + path, params=params, timeout=30)

    def _reconnect(self, page: dict[str, str], connection: str) -> None:
        self._sign_in(page, connection=connection)

    def _end_meanwhile(self, page: dict[str, str], connection: str) -> None:
        """It is ended while somebody signs in to it again."""
        self._sign_in(page, lambda: self._end(page, connection), connection=connection)

    def _lose(self, page: dict[str, str], connection: str) -> None:
        """The third party takes its grant away, and the host finds that out as it asks for a token."""
        del page
        path = f"/v1/connections/{connection}/token"
        told = self._answer(lambda: self._ask("POST", path), 200, 404, 409)
        if told.status_code != 200:
            return
        access_token = told.json()["access_token"]
        self.seen.did(LOST, connection)
        self.seen.revoke(access_token)
        self._answer(lambda: lost_grants.revoke(self.stack.sandbox, access_token, SANDBOX_SECRET), 200)
        self._refuse(connection)
        if self.chance.random() < 0.3:
            return  # Nobody asks: whoever looks next finds it.
        told = self._answer(lambda: self._ask("POST", path), 404, 409)
        if told.status_code == 409:
            self.seen.did(SEEN_LOST, connection)

    def _refuse(self, connection: str) -> None:
        """The partner service is told that the access token is good no more."""
        partner, account = self.stack.partner, f"account-{self.name}"
        token = self._until(lambda: lost_grants.api_token(partner, CLIENT_ID, CLIENT_SECRET))
        self._answer(lambda: lost_grants.report(partner, token["access_token"], account, connection), 409)

    def _end(self, page: dict[str, str], connection: str) -> None:
        """By its page or by the host's server, now and then twice at once."""
        path, copies = f"/v1/connections/{connection}", self.chance.choice([1, 1, 2])
        calls: list[Callable[[], requests.Response]] = [
            lambda: self._ask("DELETE", path),
            lambda: requests.delete(self.stack.bff + path, headers=page, timeout=30),
        ]
        call = self.chance.choice(calls)
        self.seen.did(ASKED_TO_END, connection)
        with ThreadPoolExecutor(copies) as pool:
            jobs = [pool.submit(self._answer, call, 204, 404) for _ in range(copies)]
            answers = {job.result().status_code for job in jobs}
        if 204 in answers:
            self.seen.did(ENDED, connection)

    def _answer(self, call: Callable[[], requests.Response], *statuses: int) -> Any:
        """Ask until it is answered so."""
        while time.monotonic() < self.ends:
            answer = quietly(call)
            if answer is not None and answer.status_code in statuses:
                return answer
            passes = answer is None or answer.status_code == 429 or answer.status_code >= 500
            assert passes, f"{answer and answer.status_code} {answer is not None and answer.text}"
            self.seen.count("calls made again")
            time.sleep(AGAIN)  # house-allow: sleep: a client that waits before it asks again
        raise OutOfTime
