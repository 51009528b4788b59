"""A form for what a connector needs, as a browser without a script sees it and sends it."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field
from typing import Any, Final

import requests

from tests.support.world import HOST, World

SHOP: Final = "sandbox-shop"
KEY: Final = "sandbox-key"
ADA, GRACE, DOWN = "sk_sandbox_ada", "sk_sandbox_grace", "sk_sandbox_down"


@dataclass
class Form:
    """The form of one attempt, in one browser."""

    world: World
    attempt: str
    url: str
    browser: requests.Session
    token: str = ""
    page: requests.Response = field(default_factory=requests.Response)

    def load(self) -> Form:
        """Ask for the page, as a reload does."""
        self.page = self.browser.get(self.url, timeout=30)
        found = re.search(r'name="form_token" value="([^"]+)"', self.page.text)
        self.token = html.unescape(found[1]) if found else ""
        return self

    def send(self, *values: str, origin: str | None = None, **more: str) -> dict[str, Any]:
        """Send what was typed, the first field first; what the page is answered."""
        return self.post(*values, origin=origin, **more).json()  # type: ignore[no-any-return]

    def post(
        self, *values: str, origin: str | None = None, browser: requests.Session | None = None, **more: str
    ) -> requests.Response:
        """The same; the answer itself. Its token is the page's new one."""
        typed = {f"v{place}": value for place, value in enumerate(values)}
        answer = (browser or self.browser).post(
            self.url,
            data={"form_token": self.token, **typed, **more},
            headers={"Origin": origin or self.world.bff},
            allow_redirects=False,
            timeout=30,
        )
        if answer.headers["Content-Type"] == "application/json":
            self.token = answer.json().get("token") or self.token
        return answer

    def status(self) -> str:
        """How the attempt stands, as the host's server is told."""
        return str(self.world.read(self.attempt)["status"])


def open_form(world: World, session: str, connector: str, **more: Any) -> Form:
    """Click Connect: the form is shown, in a browser of its own."""
    browser, attempt = requests.Session(), world.begin(session, connector, **more)
    launched = world.launch(attempt["launch_token"], browser=browser)
    assert launched.status_code == 303, launched.text
    location = launched.headers["Location"]
    assert location.startswith(f"{world.bff}/connect/form/"), location
    return Form(world, attempt["id"], location, browser).load()


def products(*connectors: str) -> str:
    """A product file whose product offers these."""
    listed = ", ".join(f'"{key}"' for key in connectors)
    return f"""
[[product]]
key = "demo"
name = "Demo SaaS"
origins = ["{HOST}"]
secret_keys = ["sk_test_{"a" * 24}"]
connectors = [{listed}]
[product.connector.{KEY}]
name = "Key CRM"
[product.connector.{SHOP}]
name = "Shop CRM"
[product.messages.default]
kind = "sealed"
text = "connected:{{connector}}"
[product.messages.done]
kind = "plain"
text = "done"
"""
