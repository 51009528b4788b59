"""The stand-in on real sockets."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from tests.support.cyclr.api import create_api
from tests.support.cyclr.control import Cyclr
from tests.support.cyclr.pages import create_service, create_third_party
from tests.support.servers import serve


@contextlib.contextmanager
def open_cyclr(
    client_id: str = "cyclr-client",
    client_secret: str = "cyclr-secret",
    around: Callable[[Any], Any] = lambda app: app,
) -> Iterator[Cyclr]:
    """Serve it until the block ends; ``around`` wraps the API's WSGI application."""
    cyclr = Cyclr(client_id, client_secret)
    with (
        serve(lambda _: around(create_api(cyclr))) as api,
        serve(lambda _: create_service(cyclr)) as service,
        serve(lambda _: create_third_party(cyclr)) as third_party,
    ):
        cyclr.api, cyclr.service, cyclr.third_party = api, service, third_party
        yield cyclr
