"""The three programs with a fault proxy at each place where one calls another."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from flask import Flask

from tests.support.databases import DatabaseUrl, sqlite_url
from tests.support.fault_proxy import FaultProxy, fault_proxy
from tests.support.relay import relayed
from tests.support.servers import serve
from tests.support.tls import Front
from tests.support.world import Calls, World, build_bff, build_partner, build_sandbox


@dataclass(kw_only=True)
class FaultyWorld(World):
    """``before_partner`` is between BFF and partner service, ``before_sandbox`` before the token endpoint.

    Browsers go past both. ``tls``: what both show to those who call, where they speak TLS.
    """

    before_partner: FaultProxy
    before_sandbox: FaultProxy
    tls: Front | None = None


@contextlib.contextmanager
def open_faulty_world(
    folder: Path, database_url: DatabaseUrl = sqlite_url, tls: Front | None = None
) -> Iterator[FaultyWorld]:
    """Start the three programs below ``folder``; the BFF's limits come from the environment."""
    databases = database_url(folder, "bff"), database_url(folder, "partner")
    redirects: list[str] = []
    calls, sandbox_calls = Calls(), Calls()
    apps: list[Flask] = []
    with contextlib.ExitStack() as stack:

        def before(program: str) -> tuple[FaultProxy, str]:
            if tls is None:
                proxy = stack.enter_context(fault_proxy(program))
                return proxy, proxy.url
            relay = stack.enter_context(relayed([urlsplit(program).netloc], tls=tls.context))
            proxy = stack.enter_context(fault_proxy(f"https://127.0.0.1:{relay.port}"))
            return proxy, f"https://{proxy.address}"

        sandbox = stack.enter_context(serve(lambda url: sandbox_calls.around(build_sandbox(url, redirects))))
        before_sandbox, token_endpoint = before(sandbox)

        def partner_at(url: str) -> Calls:
            build = build_partner(url, folder, sandbox, {}, databases[1], called_at=token_endpoint)
            return calls.around(build)

        partner = stack.enter_context(serve(partner_at))
        redirects.append(f"{partner}/connector/callback")
        before_partner, api = before(partner)

        def bff_at(url: str) -> Flask:
            apps.append(build_bff(url, folder, api, partner_pages=partner, database=databases[0]))
            return apps[0]

        bff = stack.enter_context(serve(bff_at))
        programs = (bff, partner, sandbox, apps[0], folder, calls, *databases)
        yield FaultyWorld(
            *programs,
            sandbox_calls=sandbox_calls,
            before_partner=before_partner,
            before_sandbox=before_sandbox,
            tls=tls,
        )
