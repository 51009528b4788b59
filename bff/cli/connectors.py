"""``hitchpost connectors``: lists the partner service's catalogue, and checks the products' connectors."""

from __future__ import annotations

import argparse
import contextlib
import logging
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import structlog

from bff.cli import FAULTY
from bff.common.errors import AccountUnknown, ConnectorUnavailable
from bff.common.secret import Secret
from bff.content.product import OfferedConnector
from bff.identity.principal import AccountRef
from bff.products.file import read_products
from bff.products.store import DatabaseProducts
from bff.settings import Settings, load_settings
from bff.storage.schema import SCHEMA
from bff.upstream.client import PartnerClient
from bff.upstream.protocol import AccountConnector, Connector, with_details
from bff.upstream.releases import Release
from bff.upstream.sign_in_forms import AuthKind
from bff.wiring import partner_limits

NOBODY: Final = AccountRef("hitchpost-check", "")
"""Stands for an account while none exists: Cyclr shows its catalogue to accounts only."""


@dataclass(frozen=True)
class Entry:
    """A connector that a product offers, with its releases in the partner service's catalogue.

    ``connector`` is None if the catalogue does not have it.
    """

    product: str
    offered: OfferedConnector
    connector: Connector | None
    releases: tuple[Release, ...]

    @property
    def name(self) -> str:
        """Product and connector: the beginning of each output line."""
        return f"{self.product}/{self.offered.key}"

    def fault(self) -> str | None:
        """Why no account can connect it for the first time. None if they can."""
        reference = self.offered.reference
        if self.connector is None:
            return (
                f"{self.name}: the partner service has no connector {reference!r}; what it has is listed by:"
                " hitchpost connectors list"
            )
        if not self.connector.installable:
            releases = ", ".join(map(describe, self.releases))
            return (
                f"{self.name}: no release of {reference!r} is approved ({releases}); no account gets it anew"
            )
        if self.connector.form.auth is AuthKind.UNSUPPORTED:
            return f"{self.name}: no click connects {reference!r}: there is no form for its way of signing in"
        return None


def add_commands(connectors: Any) -> None:
    """Add the subcommands of ``hitchpost connectors``."""
    listed = connectors.add_parser("list", help="print the partner service's catalogue, release by release")
    listed.add_argument("--query", default="", metavar="TEXT", help="only names that have this text")
    listed.set_defaults(run=_list)
    check = connectors.add_parser("check", help="say which release each product's connectors are")
    check.add_argument("--account", metavar="ID", help="say what this account has installed of them, too")
    check.set_defaults(run=_check)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Switch logging off, except for critical errors, while a command prints its results."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    try:
        yield
    finally:
        structlog.configure(**before)


def client_of(settings: Settings) -> PartnerClient:
    """A client of the partner service that creates no accounts."""
    return PartnerClient(
        settings.partner_api_url,
        settings.partner_client_id,
        Secret(settings.partner_client_secret.get_secret_value()),
        partner_limits(settings),
        create_accounts=False,
    )


def entries(settings: Settings, client: PartnerClient, account: AccountRef) -> Iterator[Entry]:
    """The connectors of all products, of the product file or else of the database, as ``account`` sees them.

    Raises ``PartnerUnavailable``, ``AccountUnknown`` and ``FaultyFile``.
    """
    for product, offered in _offered(settings):
        releases = client.catalogue.releases(account, offered.reference)
        try:
            connector: Connector | None = client.find_connector(account, offered.reference)
        except ConnectorUnavailable:
            connector = None
        yield Entry(product, offered, connector, tuple(releases))


def describe(release: Release) -> str:
    """A release's id, with its version and status if known."""
    details = ", ".join(filter(None, (release.version, release.status)))
    return f"{release.id} ({details})" if details else str(release.id)


def _offered(settings: Settings) -> Iterator[tuple[str, OfferedConnector]]:
    if settings.products is not None:
        for applied in read_products(settings.products):
            for offered in applied.registration.connectors:
                yield applied.registration.key, offered
        return
    store = DatabaseProducts(SCHEMA.open(settings.database_url))
    keys = store.keys()
    for key in keys:
        registration = store.registration(key)
        for offered in registration.connectors if registration else ():
            yield key, offered


@quiet()
def _list(arguments: argparse.Namespace) -> int:
    client = client_of(load_settings())
    found = list(client.catalogue.search(client.catalogue.any_account(), arguments.query))
    if not found:
        print("the partner service has no such connector" if arguments.query else "the catalogue is empty")
    for release in found:
        print(f"{release.name}: {describe(release)}; {_sign_in(release)}")
    return 0


@quiet()
def _check(arguments: argparse.Namespace) -> int:
    settings = load_settings()
    client = client_of(settings)
    account = AccountRef(arguments.account, "") if arguments.account else client.catalogue.any_account()
    try:
        if arguments.account and account and not client.catalogue.has_account(account):
            print(f"the partner service has no account {account.id!r}", file=sys.stderr)
            return FAULTY
        checked = list(entries(settings, client, account or NOBODY))
    except AccountUnknown as error:
        print(f"{error.detail}; the catalogue is told to accounts that exist", file=sys.stderr)
        return FAULTY
    installed = _installed(client, account) if arguments.account and account else []
    for entry in checked:
        for line in _lines(entry, installed):
            print(line)
    faults = [fault for entry in checked if (fault := entry.fault())]
    for fault in faults:
        print(fault, file=sys.stderr)
    return FAULTY if faults else 0


def _installed(client: PartnerClient, account: AccountRef) -> list[AccountConnector]:
    return [with_details(client, account, item) for item in client.list_account_connectors(account)]


def _lines(entry: Entry, installed: list[AccountConnector]) -> Iterator[str]:
    connector = entry.connector
    if connector is None:
        return
    for release in entry.releases:
        use = (
            "new installs" if release.id == connector.id and connector.installable else "not for new installs"
        )
        yield f"{entry.name}: {release.name} {describe(release)}, {use}; {_sign_in(release)}"
    installs = [item for item in installed if connector.is_in(item)]
    for item in sorted(installs, key=lambda item: (not item.authenticated, item.id)):
        state = "authenticated" if item.authenticated else "not authenticated"
        yield f"  installed as {item.name!r}: id {item.id}, release {item.connector_id}, {state}"
    if len(installs) > 1:
        yield "  several installs: the first of these is the one that Connect signs in for"


def _sign_in(release: Release) -> str:
    needs = f", once these properties are set: {', '.join(release.needs)}" if release.needs else ""
    return f"signs in by {release.auth or 'an unknown way'}{needs}"
