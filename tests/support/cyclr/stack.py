"""The stand-in, a BFF and the demo's host page: what a browser test needs."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from flask import Flask

from bff.demo.host import create_host
from bff.demo.plan import ACCOUNT, PRODUCT, Plan
from bff.web.kit.services import services_of
from tests.support.cyclr.control import Cyclr
from tests.support.cyclr.running import open_cyclr
from tests.support.cyclr.world import PRODUCTS, stock
from tests.support.receiver import new_secret
from tests.support.servers import serve
from tests.support.stack import Stack
from tests.support.world import CLIENT_ID, CLIENT_SECRET, HOST, SECRET_KEY, Calls, build_bff

HOOK: Final = """
[[product.webhook]]
url = "{url}"
secret = "{secret}"
events = ["*"]
"""
"""The page's own server is told, as in the demo."""


@dataclass(frozen=True)
class CyclrStack(Stack):
    """As ``Stack`` (so ``HostPage`` works on it); ``cyclr`` controls the partner service."""

    cyclr: Cyclr


@dataclass(frozen=True)
class _Plan(Plan):
    """The host page's own plan, for programs that are wherever they are."""

    page: str
    bff_at: str
    partner_at: str

    @property
    def host(self) -> str:
        return self.page

    @property
    def bff(self) -> str:
        return self.bff_at

    @property
    def partner(self) -> str:
        return self.partner_at


@contextlib.contextmanager
def open_cyclr_stack(
    folder: Path, *, products_text: str = PRODUCTS, bff_settings: Mapping[str, Any] | None = None
) -> Iterator[CyclrStack]:
    """Start all; ``HOST`` in ``products_text`` becomes the page's own origin."""
    page_app = Calls()
    with open_cyclr(CLIENT_ID, CLIENT_SECRET) as cyclr, serve(lambda _: page_app) as address:
        stock(cyclr)
        # Another site than the rest, as most host pages are.
        page = address.replace("127.0.0.1", "localhost")
        secrets = {"secret_key": SECRET_KEY, "webhook_secret": new_secret()}
        hook = HOOK.format(url=f"{page}/hitchpost", secret=secrets["webhook_secret"])
        settings = {"products_text": products_text.replace(HOST, page) + hook, **(bff_settings or {})}
        with _bff(folder, cyclr, settings) as bff:
            port = int(page.rpartition(":")[2])
            plan = _Plan(folder, port, folder, None, secrets, page, bff, cyclr.service)
            page_app.around(create_host(plan, "cookie-key-of-a-test"))
            yield CyclrStack(
                page, bff, cyclr.service, cyclr.third_party, PRODUCT, SECRET_KEY, ACCOUNT, folder, cyclr
            )


@contextlib.contextmanager
def _bff(folder: Path, cyclr: Cyclr, settings: Mapping[str, Any]) -> Iterator[str]:
    """A BFF that sends its webhooks; its URL."""
    apps: list[Flask] = []

    def build(url: str) -> Flask:
        apps.append(build_bff(url, folder, cyclr.api, partner_pages=cyclr.service, **settings))
        return apps[0]

    with serve(build) as url:
        courier = services_of(apps[0]).webhooks.new_courier()
        courier.start()
        yield url
        courier.stop()
