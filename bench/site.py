"""What both browser goals stand on: our BFF at a distance, and the pages of a host."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Final

from bench.delay import line
from bench.process import ROOT
from bench.product import SECRET_KEY, running
from bench.products_file import products_file
from bench.web import Answer, Request

PAGES: Final = ROOT / "bench/pages"
ROUND_TRIP_MS: Final = 50


@dataclass(frozen=True)
class Bff:
    """Where a browser finds our BFF, and a session token for a page."""

    url: str
    session: str


def bff_at_a_distance(stack: contextlib.ExitStack, folder: Path, host: str, partner_port: int) -> Bff:
    """Our BFF, ``ROUND_TRIP_MS`` away from a browser, for pages at the origin ``host``."""
    way = stack.enter_context(line(ROUND_TRIP_MS))
    products = folder / "own-products.toml"
    products.write_text(products_file(host, SECRET_KEY))
    settings = {
        "HITCHPOST_ENVIRONMENT": "development",  # It speaks http here.
        "HITCHPOST_PUBLIC_URL": f"http://127.0.0.1:{way.port}",
        "HITCHPOST_PROXY_HOPS": "0",
        "HITCHPOST_PRODUCTS": str(products),
        "HITCHPOST_PARTNER_SERVICE_URL": partner_pages(partner_port),
    }
    product = stack.enter_context(running(folder, f"http://127.0.0.1:{partner_port}", settings=settings))
    way.target = product.server.port
    return Bff(product.public_url, product.session())


def partner_pages(port: int) -> str:
    """Another site than the page's and the BFF's, as it is in production."""
    return f"http://partner.localhost:{port}"


def files(folder: Path) -> Callable[[Request], Answer | None]:
    """Answers with the files of a folder."""

    def answer(request: Request) -> Answer | None:
        path = folder / request.target.lstrip("/")
        if not path.is_file():
            return None
        kind = "text/javascript" if path.suffix == ".js" else "text/html; charset=utf-8"
        return Answer(path.read_bytes(), kind)

    return answer


def write_page(folder: Path, name: str, values: Mapping[str, str]) -> None:
    """Copy a page of the bench's into a folder, with ``$name`` replaced."""
    (folder / name).write_text(Template((PAGES / name).read_text()).substitute(values))
