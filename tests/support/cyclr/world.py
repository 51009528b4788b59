"""The stand-in with a BFF in front of it, and what a host and a user do with both."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.support.cyclr.control import Cyclr
from tests.support.cyclr.running import open_cyclr
from tests.support.databases import DatabaseUrl, sqlite_url
from tests.support.servers import serve
from tests.support.world import CLIENT_ID, CLIENT_SECRET, HOST, SECRET_KEY, Calls, World, build_bff

CRM, SHEETS, MAIL = 2550, 2610, 2700
"""The approved releases that are there from the start."""

PRODUCTS: Final = f"""
[[product]]
key = "demo"
name = "Demo SaaS"
origins = ["{HOST}"]
secret_keys = ["{SECRET_KEY}"]
connectors = ["crm", "sheets", "mail", "ghost"]
[product.connector.crm]
name = "Sandbox CRM"
reference = "Sandbox CRM"
[product.connector.sheets]
name = "Sheets"
reference = "{SHEETS}"
[product.connector.mail]
name = "Mail"
reference = "Mail"
[product.messages.default]
kind = "sealed"
text = "connected:{{connector}}"
[product.messages.done]
kind = "plain"
text = "done"
"""


@dataclass
class CyclrWorld(World):
    """As ``World``, with the stand-in where the embedded service would be. ``cyclr`` is its control."""

    cyclr: Cyclr = field(default_factory=lambda: Cyclr("", ""))


def stock(cyclr: Cyclr) -> None:
    """Three connectors, one release each."""
    cyclr.release(CRM, "Sandbox CRM")
    cyclr.release(SHEETS, "Sheets")
    cyclr.release(MAIL, "Mail")


@contextlib.contextmanager
def open_cyclr_world(
    folder: Path,
    *,
    products_text: str = PRODUCTS,
    database_url: DatabaseUrl = sqlite_url,
    bff_settings: Mapping[str, Any] | None = None,
) -> Iterator[CyclrWorld]:
    """Start the stand-in and a BFF that uses it; its own files are below ``folder``."""
    calls, database = Calls(), database_url(folder, "bff")
    with open_cyclr(CLIENT_ID, CLIENT_SECRET, calls.around) as cyclr:
        stock(cyclr)
        apps: list[Any] = []
        more = {"products_text": products_text, "database": database, **(bff_settings or {})}

        def bff_at(url: str) -> Any:
            apps.append(build_bff(url, folder, cyclr.api, partner_pages=cyclr.service, **more))
            return apps[0]

        with serve(bff_at) as bff:
            yield CyclrWorld(
                bff, cyclr.api, cyclr.third_party, apps[0], folder, calls, database, "", cyclr=cyclr
            )
