"""BFF, embedded partner service and sandbox, wired as in the demo, each on a socket of its own."""

from __future__ import annotations

import base64
import contextlib
import re
import secrets
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

import requests
from flask import Flask
from sqlalchemy import update

from bff.app import create_app
from bff.partner.app import create_app as create_partner
from bff.partner.context import EXTENSION, Embedded
from bff.partner.providers.catalogue import read_catalogue
from bff.partner.sandbox.app import create_app as create_sandbox
from bff.partner.sandbox.settings import Settings as SandboxSettings
from bff.partner.settings import Settings as PartnerSettings
from bff.serving.database import open_database
from bff.settings import load_settings
from bff.storage.tables import attempts
from tests.support.databases import DatabaseUrl, sqlite_url
from tests.support.servers import serve

HOST: Final = "https://app.example"
OTHER_HOST: Final = "https://other.example"
OPENED_FOR: Final = {"product": "demo", "origin": HOST}
"""What an opening page posts with the launch token, when a page of the product `demo` opened it."""
SECRET_KEY: Final = "sk_test_" + "a" * 24
OTHER_SECRET_KEY: Final = "sk_other_" + "b" * 24
SANDBOX_SECRET: Final = "sandbox-secret"
CLIENT_ID: Final = "api-client"
CLIENT_SECRET: Final = "api-client-secret-0123456789"
UNMET: Final = 1_000_000
"""More wrong credentials than all tests together send from this address in a minute."""
CATALOGUE: Final = Path(__file__).parents[2] / "bff/partner/demo-catalogue.toml"

PRODUCTS: Final = f"""
[[product]]
key = "demo"
name = "Demo SaaS"
origins = ["{HOST}", "https://staging.example:8443"]
secret_keys = ["{SECRET_KEY}"]
connectors = ["sandbox", "sandbox-isolated", "sandbox-broken", "sandbox-stranger", "ghost", "google-drive"]
[product.connector.google-drive]
name = "Google Drive"
reference = "sandbox"
[product.messages.default]
kind = "sealed"
text = "connected:{{connector}}"
[product.messages.done]
kind = "plain"
text = "done"

[[product]]
key = "other"
name = "Other SaaS"
origins = ["{OTHER_HOST}"]
secret_keys = ["{OTHER_SECRET_KEY}"]
connectors = ["sandbox"]
"""


When = Literal["before", "after"]


class Calls:
    """A WSGI layer that writes down what a program was asked, and can hold its answers back."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str]] = []
        self.open = threading.Event()
        self.open.set()
        self.app: Any = None
        self._meanwhile: list[tuple[str, str, When, Callable[[], object]]] = []

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        """One request."""
        asked = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        self.seen.append(asked)
        self.open.wait(20)
        self._happen(asked, "before")
        answer = self.app(environ, start_response)
        self._happen(asked, "after")
        return answer

    def meanwhile(self, method: str, path: str, when: When, work: Callable[[], object]) -> None:
        """Do ``work`` once, as the next such request arrives, or after it was done and before its answer."""
        self._meanwhile.append((method, path, when, work))

    def _happen(self, asked: tuple[str, str], when: When) -> None:
        due = [one for one in self._meanwhile if one[:3] == (*asked, when)][:1]
        for one in due:
            self._meanwhile.remove(one)
            one[3]()

    def around(self, app: Any) -> Calls:
        """Put it around ``app``."""
        self.app = app
        return self

    def checks(self, account_connector_id: str) -> int:
        """How often an account connector was asked for."""
        return self.seen.count(("GET", f"/v1.0/account/connectors/{account_connector_id}"))

    def tokens(self) -> int:
        """How often a third party was asked for tokens."""
        return sum(path.endswith("/token") for _, path in self.seen)


@dataclass
class World:
    """The three programs' addresses, and what a host and a user do with them."""

    bff: str
    partner: str
    sandbox: str
    bff_app: Flask
    folder: Path
    partner_calls: Calls
    bff_database: str
    partner_database: str
    account: str = field(default_factory=lambda: "acme-" + secrets.token_hex(4))
    sandbox_calls: Calls = field(default_factory=Calls)
    partner_app: Flask | None = None

    @property
    def partner_service(self) -> Embedded:
        """What the partner service's routes work with: its database, its keys, its catalogue."""
        assert self.partner_app is not None
        found: Embedded = self.partner_app.extensions[EXTENSION]
        return found

    def server(self, method: str, path: str, *, key: str = SECRET_KEY, **options: Any) -> requests.Response:
        """A call of the host's own server."""
        headers = {"Authorization": f"Bearer {key}"} | options.pop("headers", {})
        return requests.request(method, self.bff + path, headers=headers, timeout=30, **options)

    def session(self, *, key: str = SECRET_KEY, user: str = "ada", **more: Any) -> str:
        """A session token for a page."""
        body = {"user": {"id": user, "name": user.title()}, "account": {"id": self.account}, **more}
        answer = self.server("POST", "/v1/sessions", key=key, json=body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["token"])

    def page(
        self, method: str, path: str, token: str, *, origin: str | None = HOST, **options: Any
    ) -> requests.Response:
        """A call of the widget in a page at ``origin``."""
        headers = {"Authorization": f"Bearer {token}", "X-Hitchpost": "1"}
        if origin is not None:
            headers["Origin"] = origin
        headers |= options.pop("headers", {})
        return requests.request(method, self.bff + path, headers=headers, timeout=30, **options)

    def begin(self, token: str, connector: str = "sandbox", **more: Any) -> dict[str, Any]:
        """Prepare an attempt."""
        answer = self.page("POST", "/v1/attempts", token, json={"connector": connector, **more})
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def launch(
        self,
        launch_token: str,
        *,
        origin: str | None = "bff",
        opened_for: Mapping[str, str] = OPENED_FOR,
        browser: requests.Session | None = None,
    ) -> requests.Response:
        """The popup's POST, from an opening page that was opened for a product and its page.

        ``origin`` is the BFF's own unless another is given. ``browser`` keeps the cookies; without it nobody
        does.
        """
        headers = {} if origin is None else {"Origin": self.bff if origin == "bff" else origin}
        return (browser or requests.Session()).post(
            f"{self.bff}/connect/launch",
            data={"launch_token": launch_token, **opened_for},
            headers=headers,
            allow_redirects=False,
            timeout=30,
        )

    def press(
        self, launch_token: str, *, origin: str | None = HOST, headers: Mapping[str, str] | None = None
    ) -> requests.Response:
        """What the widget tells as the button goes down."""
        said = {} if origin is None else {"Origin": origin}
        return requests.post(
            f"{self.bff}/v1/press",
            data={"launch_token": launch_token},
            headers={**said, **(headers or {})},
            timeout=30,
        )

    def mints(self) -> int:
        """How often a sign-in token was asked for, for this account."""
        return self.partner_calls.seen.count(("POST", f"/v1.0/accounts/{self.account}/signintoken"))

    def sign_in(
        self,
        url: str,
        decision: str = "allow",
        *,
        account: str = "ada@sandbox.example",
        browser: requests.Session | None = None,
        follow: bool = True,
    ) -> requests.Response:
        """Follow a minted URL as a browser does, and press Allow or Deny; the last page.

        With ``follow`` False it is the third party's answer, which leads back with a code. Without
        ``browser`` it is one that has launched nothing.
        """
        browser = browser or requests.Session()
        page = browser.get(url, timeout=30)
        found = re.search(r'name="request" value="([^"]+)"', page.text)
        if found is None:
            return page
        form = {"request": found[1], "account": account, "decision": decision}
        return browser.post(page.url, data=form, timeout=30, allow_redirects=follow)

    def connect(self, token: str, connector: str = "sandbox", decision: str = "allow", **more: Any) -> str:
        """A whole click, in one browser; the attempt's id."""
        browser, attempt = requests.Session(), self.begin(token, connector, **more)
        launched = self.launch(attempt["launch_token"], browser=browser)
        assert launched.status_code == 303, launched.text
        self.sign_in(launched.headers["Location"], decision, browser=browser)
        return str(attempt["id"])

    def read(self, attempt_id: str, hint: str = "?hint=message") -> dict[str, Any]:
        """The attempt as the host's server sees it."""
        found: dict[str, Any] = self.server("GET", f"/v1/attempts/{attempt_id}{hint}").json()
        return found

    def change(self, attempt_id: str, **values: Any) -> None:
        """Let time have passed: write into the BFF's database."""
        engine = open_database(self.bff_database)
        with engine.begin() as connection:
            connection.execute(update(attempts).where(attempts.c.id == attempt_id).values(values))
        engine.dispose()


@contextlib.contextmanager
def open_world(
    folder: Path,
    *,
    database_url: DatabaseUrl = sqlite_url,
    same_browser: str = "auto",
    bff_settings: Mapping[str, Any] | None = None,
    **partner_switches: Any,
) -> Iterator[World]:
    """Start the three programs below ``folder``. ``auto`` asks for no same browser here: this is http."""
    databases = database_url(folder, "bff"), database_url(folder, "partner")
    with contextlib.ExitStack() as stack:
        # The redirect URI is known only once the partner service has a port, so the sandbox asks late.
        redirects: list[str] = []
        calls, sandbox_calls, partners = Calls(), Calls(), list[Flask]()
        sandbox = stack.enter_context(serve(lambda url: sandbox_calls.around(build_sandbox(url, redirects))))

        def partner_at(url: str) -> Calls:
            partners.append(build_partner(url, folder, sandbox, partner_switches, databases[1]))
            return calls.around(partners[0])

        partner = stack.enter_context(serve(partner_at))
        redirects.append(f"{partner}/connector/callback")
        apps: list[Flask] = []
        more = {"database": databases[0], "same_browser": same_browser, **(bff_settings or {})}
        bff = stack.enter_context(
            serve(lambda url: apps.append(build_bff(url, folder, partner, **more)) or apps[0])
        )
        yield World(
            bff,
            partner,
            sandbox,
            apps[0],
            folder,
            calls,
            *databases,
            sandbox_calls=sandbox_calls,
            partner_app=partners[0],
        )


def catalogue_for(sandbox: str, called_at: str | None = None) -> str:
    """The demo's catalogue, with this sandbox; its token endpoints, say, may be called at another origin."""
    text = CATALOGUE.read_text()
    for name in ("token_url", "userinfo_url"):
        text = text.replace(f'{name} = "http://127.0.0.1:8003', f'{name} = "{called_at or sandbox}')
    return text.replace("http://127.0.0.1:8003", sandbox)


def build_sandbox(url: str, redirects: list[str], slow_seconds: float = 1.0) -> Flask:
    """The sandbox at ``url``; ``redirects`` may still grow."""

    class Late(SandboxSettings):
        def allowed_redirects(self) -> frozenset[str]:
            return frozenset(redirects)

    return create_sandbox(
        Late(
            public_url=url,
            client_secret=SANDBOX_SECRET,
            redirect_uris="http://late.invalid/",
            slow_seconds=slow_seconds,
        )
    )


def build_partner(
    url: str,
    folder: Path,
    sandbox: str,
    switches: dict[str, Any],
    database: str | None = None,
    *,
    called_at: str | None = None,
) -> Flask:
    """The embedded partner service at ``url``, with the demo's catalogue."""
    path = folder / "catalogue.toml"
    path.write_text(catalogue_for(sandbox, called_at))
    settings = PartnerSettings(
        public_url=url,
        database_url=database or sqlite_url(folder, "partner"),
        catalogue=path,
        client_id=CLIENT_ID,
        client_secret=CLIENT_SECRET,
        encryption_keys="k1:" + base64.b64encode(bytes(32)).decode(),
        **({"limit_failures": UNMET} | switches),
    )
    return create_partner(settings, read_catalogue(path, {"HITCHPOST_SANDBOX_CLIENT_SECRET": SANDBOX_SECRET}))


def build_bff(
    url: str,
    folder: Path,
    partner: str,
    *,
    partner_pages: str | None = None,
    products_text: str = PRODUCTS,
    secret_keys: str = "k" * 40,
    database: str | None = None,
    public_url: str | None = None,
    **more: Any,
) -> Flask:
    """The BFF at ``url``: asks ``partner``, sends browsers to ``partner_pages`` (by default the same)."""
    products = folder / "products.toml"
    products.write_text(products_text)
    settings = load_settings(
        public_url=public_url or url,
        database_url=database or sqlite_url(folder, "bff"),
        secret_keys=secret_keys,
        partner_api_url=partner,
        partner_service_url=partner_pages or partner,
        partner_client_id=CLIENT_ID,
        partner_client_secret=CLIENT_SECRET,
        products=products,
        **({"limit_failures": UNMET, "environment": "development"} | more),
    )
    return create_app(settings)
