"""One ending on the demo's page: what a user does, and what the page and the servers know of it when."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar, Final

from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webdriver import WebDriver

from tests.support.host_page import HostPage
from tests.support.stack import Stack

SHOWN: Final = """
const element = document.querySelector(`hitchpost-connect[connector="${arguments[0]}"]`);
return [...element.shadowRoot.querySelectorAll("button, [part=status], [part=code]")]
  .filter((part) => part.getClientRects().length > 0).map((part) => part.textContent.trim());
"""
KEEP_POPUP: Final = """
const open = window.open;
window.open = (...given) => (window.popup = open.apply(window, given));
"""
PRESS_SOON: Final = """
const buttons = [...document.querySelectorAll("button")];
const allow = buttons.find((button) => button.textContent.trim() === "Allow");
setTimeout(() => allow.click(), 300);
"""
A_MOMENT_AGO: Final = "strftime('%Y-%m-%d %H:%M:%f000', 'now', '-1 second')"
"""In SQL. What ended long ago might be purged before anybody looks at it."""
ENDED: Final = """
return (globalThis.heard ?? []).filter(({ name, detail }) =>
  name !== "hitchpost:step" && (!arguments[0] || detail.attempt === arguments[0]))
"""
STEPS: Final = """
const steps = (globalThis.heard ?? []).filter(({ name }) => name === "hitchpost:step");
return steps.map(({ detail }) => detail.step);
"""


@dataclass(frozen=True)
class Told:
    """What the page was told at the end, and how many milliseconds after the server knew."""

    status: str
    code: str | None
    channel: str | None
    attempt: str
    ms: int | None
    detail: dict[str, Any]


@dataclass(frozen=True)
class Cell:
    """One cell of the matrix."""

    number: int
    ending: str
    state: str
    code: str | None = None
    channel: str | None = None
    ms: int | None = None
    reach: str = "poll"
    """Which of the three promises the time is held to: message, gone or covered."""
    partner: str = "embedded"


class Scene(HostPage):
    """The demo's page, arranged for one ending."""

    PARTNER: ClassVar = "embedded"
    """Which partner service it is that knows how a sign-in ended."""

    def __init__(self, driver: WebDriver, stack: Stack, record: Callable[[str, object], None]) -> None:
        super().__init__(driver, stack)
        self._record = record

    def rehearse(self, key: str = "") -> None:
        """Open the page as this rehearsal has it, with Ada signed in."""
        self.sign_in(path=f"/?rehearse={key}" if key else "/")

    def wait_for_consent(self) -> None:
        """Wait until the window in front shows the third party's consent page."""
        self.wait(lambda: self.driver.find_elements(By.XPATH, "//button[normalize-space()='Allow']"))

    def close_popup(self, popup: str) -> None:
        """The user closes the window."""
        self.driver.switch_to.window(popup)
        self.driver.close()
        self.front()

    def allow_soon(self) -> None:
        """The user allows, and is not waited for: by a script, as a driver stops pages that load for long."""
        self.wait_for_consent()
        self.driver.execute_script(PRESS_SOON)
        self.front()

    def allow_and_close(self) -> None:
        """The user allows, and closes the window while it still loads the next page."""
        self.allow_soon()
        self.driver.execute_script("setTimeout(() => window.popup.close(), 1000)")

    def shown(self, connector: str = "sandbox") -> list[str]:
        """The texts that the element shows now: its button, its line, its choices."""
        found: list[str] = self.driver.execute_script(SHOWN, connector)
        return found

    def steps(self) -> list[str]:
        """The steps that the page was told."""
        found: list[str] = self.driver.execute_script(STEPS) or []
        return found

    def wait_for_step(self, step: str, *, seconds: float = 40) -> None:
        """Wait until the page has been told this step."""
        self.front()
        self.wait(lambda: step in self.steps(), seconds=seconds)

    def wait_for_choice(self, name: str, connector: str = "sandbox", *, seconds: float = 40) -> None:
        """Wait until the element offers this choice."""
        self.front()
        self.wait(lambda: name in self.shown(connector), seconds=seconds)

    def endings(self, attempt: str | None = None) -> list[dict[str, Any]]:
        """Every ending that the page was told, or those of one attempt."""
        # Between two pages a script may find none.
        found: list[dict[str, Any]] = self.driver.execute_script(ENDED, attempt) or []
        return found

    def end(
        self, *, attempt: str | None = None, nth: int = 1, seconds: float = 60, every: float = 0.25
    ) -> Told:
        """Wait until the page is told an ending (of this attempt; the ``nth``).

        ``every``: seconds between two looks. The page itself notes when it was told. Each look takes time
        from what is measured: there are few.
        """
        self.front()
        self.wait(lambda: len(self.endings(attempt)) >= nth, seconds=seconds, every=every)
        heard = self.endings(attempt)[nth - 1]
        detail = heard["detail"]
        status = "connected" if heard["name"] == "hitchpost:connected" else self._status(detail)
        known = self._known_at(detail["attempt"])
        return Told(
            status=status,
            code=detail.get("code"),
            channel=detail.get("channel") or self._channel(detail.get("attempt")),
            attempt=detail["attempt"],
            ms=round(heard["at"] - known) if known else None,
            detail=detail,
        )

    def note(
        self,
        number: int,
        ending: str,
        told: Told | None = None,
        *,
        state: str = "",
        reach: str = "poll",
        timed: bool = True,
    ) -> None:
        """Put a cell into the matrix."""
        cell = Cell(
            number,
            ending,
            state or (told.status if told else ""),
            told.code if told else None,
            told.channel if told else None,
            told.ms if told and timed else None,
            reach,
            self.PARTNER,
        )
        self._record("outcome", json.dumps(asdict(cell)))

    def server_says(self, attempt: str) -> dict[str, Any]:
        """The attempt as the host's server reads it."""
        return self.stack.attempt(attempt)

    def attempt_now(self) -> str:
        """The id of the attempt that the page was last told of."""
        script = "return heard.map(({ detail }) => detail.attempt).filter(Boolean).pop()"
        return str(self.wait(lambda: self.driver.execute_script(script)))

    def sql(self, program: str, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Look into, or change, the database of ``bff`` or ``partner``."""
        path = self.stack.folder / f"{program}.db"
        with closing(sqlite3.connect(path, timeout=20)) as connection, connection:
            return connection.execute(statement, values).fetchall()

    def checks(self, attempt: str) -> int:
        """How often the partner service was asked about this attempt."""
        found: int = self.sql("bff", "SELECT checks FROM attempts WHERE id = ?", attempt)[0][0]
        return found

    def all_steps(self, attempt: str) -> list[str]:
        """The steps that the server has noted of this attempt."""
        return [step["step"] for step in self.server_says(attempt)["timeline"]]

    def connected_account(self, connector: str) -> str:
        """Whose account is connected, as the partner service has it."""
        found = self.stack.get(f"/v1/connections?account={self.stack.account}")["connections"]
        return str(next(item["external_account"] for item in found if item["connector"] == connector))

    def switch_to_other_window(self) -> str:
        """Look at the one window that is not the host page's; its handle."""
        other = self.wait(lambda: next((h for h in self.driver.window_handles if h != self.window), None))
        self.driver.switch_to.window(other)
        return other

    def stop(self, program: str) -> None:
        """The program answers nobody any more; its sockets stay open."""
        self._signal(program, signal.SIGSTOP)

    def go_on(self, program: str) -> None:
        """The program is back."""
        self._signal(program, signal.SIGCONT)

    def _signal(self, program: str, number: signal.Signals) -> None:
        groups = json.loads((self.stack.folder / "programs.json").read_text())
        os.killpg(groups[program], number)

    def _channel(self, attempt: str | None) -> str | None:
        # A failure's event does not say which signal told: the last that the server was told of did.
        if attempt is None:
            return None
        seen = [step for step in self.server_says(attempt)["timeline"] if step["step"].endswith("_seen")]
        latest = max(seen, key=lambda step: str(step["last_at"]), default=None)
        return latest["step"].removesuffix("_seen") if latest else "poll"

    def _status(self, detail: dict[str, Any]) -> str:
        return str(self.server_says(detail["attempt"])["status"]) if detail.get("attempt") else "none"

    def _known_at(self, attempt: str | None) -> float | None:
        """When the partner service knew how this attempt ended, in milliseconds since 1970."""
        token = self.sql("bff", "SELECT sign_in_token_sha256 FROM attempts WHERE id = ?", attempt)
        if not token or token[0][0] is None:
            return None
        found = self.sql(
            "partner", "SELECT at FROM sign_in WHERE token_sha256 = ? AND result != 'started'", token[0][0]
        )
        if not found:
            return None
        return datetime.fromisoformat(found[0][0]).replace(tzinfo=UTC).timestamp() * 1000
