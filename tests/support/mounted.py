"""A host's own Flask app with the BFF below /hitchpost, and a user's browser that is signed in to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from flask import Flask, Request, session

from bff import AccountRef, Hitchpost, Principal, User
from bff.settings import Settings, load_settings
from bff.web.kit.services import Identify
from tests.support.databases import sqlite_url
from tests.support.servers import serve
from tests.support.world import CLIENT_ID, CLIENT_SECRET


def identify(_request: Request) -> Principal | None:
    """The host app's own session."""
    name = session.get("user")
    return Principal("embedded", AccountRef("acme", "Acme"), User(name)) if name else None


def create_host(
    url: str, folder: Path, partner: str, who: Identify | None = identify, **config: Any
) -> Flask:
    """A host application with the BFF below /hitchpost, which asks ``who``; ``config`` is Flask's."""
    app = Flask("host")
    app.config.update(config)
    mount(app, url, folder, partner, who=who)
    return app


def settings_of(public_url: str, folder: Path, partner: str, **more: Any) -> Settings:
    """What a BFF in a host's app is told; its database is in ``folder``."""
    return load_settings(
        public_url=public_url,
        database_url=sqlite_url(folder, "bff"),
        secret_keys="k" * 40,
        partner_api_url=partner,
        partner_service_url=partner,
        partner_client_id=CLIENT_ID,
        partner_client_secret=CLIENT_SECRET,
        environment="development",
        **more,
    )


def mount(
    app: Flask,
    url: str,
    folder: Path,
    partner: str,
    *,
    root: str = "",
    prefix: str = "/hitchpost",
    public: str = "",
    who: Identify | None = identify,
    **settings: Any,
) -> Hitchpost:
    """Mount the BFF below ``prefix`` of a host's ``app``, itself served below ``root`` of ``url``.

    ``public`` is its public URL, where that is not put together from these.
    """
    app.secret_key = "a host's own key"
    products = folder / "mounted.toml"
    products.write_text(
        f'[[product]]\nkey = "embedded"\nname = "Host"\norigins = ["{url}"]\n'
        f'secret_keys = ["sk_{"m" * 24}"]\nconnectors = ["sandbox"]\n'
    )
    chosen = settings_of(public or f"{url}{root}{prefix}", folder, partner, products=products, **settings)
    mounted = Hitchpost(app, identify=who, settings=chosen, url_prefix=prefix)

    @app.get("/sign-in/<name>")
    def sign_in(name: str) -> str:
        session["user"] = name
        return "ok"

    return mounted


@dataclass
class Mounted:
    """A host's app at whose own origin the BFF stands, and a browser whose cookie signs it in there."""

    url: str
    app: Flask
    browser: requests.Session

    def call(self, method: str, path: str, headers: dict[str, str], body: Any = None) -> requests.Response:
        """What the browser sends, with its cookie."""
        return self.browser.request(
            method, self.url + path, headers=headers, json=body, timeout=20, allow_redirects=False
        )

    def begin(self) -> str:
        """An attempt of the user who is signed in there; its launch token."""
        own = {"Origin": self.url, "X-Hitchpost": "1"}
        answer = self.call("POST", "/hitchpost/v1/attempts", own, {"connector": "sandbox"})
        return str(answer.json()["launch_token"])

    def launch(self, token: str, **fields: str) -> requests.Response:
        """A form of a page at the one origin that both have."""
        return self.browser.post(
            f"{self.url}/hitchpost/connect/launch",
            data={"launch_token": token, **fields},
            headers={"Origin": self.url},
            allow_redirects=False,
            timeout=20,
        )


@contextmanager
def open_mounted(folder: Path, partner: str, **settings: Any) -> Iterator[Mounted]:
    """Serve one, with a user who is signed in."""
    app = Flask("host")

    def host_at(url: str) -> Flask:
        mount(app, url, folder, partner, **settings)
        return app

    with serve(host_at) as url, requests.Session() as browser:
        browser.get(f"{url}/sign-in/ada", timeout=10)
        yield Mounted(url, app, browser)
