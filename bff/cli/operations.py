"""``hitchpost check-config`` and ``hitchpost keys``: for operators, before a start and while it runs."""

from __future__ import annotations

import argparse
import os
import secrets
import socket
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import urlsplit

from sqlalchemy.exc import SQLAlchemyError

from bff.cli import FAULTY
from bff.cli.connectors import NOBODY, client_of, entries, quiet
from bff.common.errors import AccountUnknown, PartnerUnavailable
from bff.common.faulty_file import FaultyFile
from bff.common.secret import Secret
from bff.connect.receipts import Receipts
from bff.identity.sessions import LONGEST_SESSION
from bff.products.conflicts import stored_conflicts
from bff.products.production import product_faults, product_warnings
from bff.serving.commands import print_errors, report
from bff.serving.database_trouble import UnusableDatabase
from bff.serving.environment import path_of
from bff.serving.listening import unknown_addresses
from bff.serving.rate_limits import limits_faults
from bff.serving.settings import FaultySettings
from bff.settings import PREFIX, Settings, database_url, load_settings, unknown_settings
from bff.storage.schema import SCHEMA
from bff.upstream.probe import PartnerProbe
from bff.webhooks.key_faults import stored_foreign_keys
from bff.wiring import partner_limits

SECONDS: Final = 3.0
"""Time-out of the connection to the partner service."""
DEFAULT_PORTS: Final = {"https": 443, "http": 80}


def add_commands(add: Any) -> None:
    """Add the commands to ``hitchpost``."""
    check = add("check-config", _check, "say everything that is wrong with settings, products and database")
    how = check.add_mutually_exclusive_group()
    how.add_argument("--offline", action="store_true", help="ask neither database nor partner service")
    how.add_argument(
        "--online",
        action="store_true",
        help="ask the partner service whether credentials, URLs and connectors are right",
    )
    keys = add("keys", None, "the keys that sign").add_subparsers(required=True, metavar="ACTION")
    keys.add_parser("new", help="print a new random key").set_defaults(run=_new)
    keys.add_parser("check", help="which keys sign and verify, and which may go").set_defaults(run=_keys)


def _check(arguments: argparse.Namespace) -> int:
    faults: list[str] = []
    warnings: list[str] = []
    settings = None
    try:
        settings = load_settings()
    except FaultySettings as error:
        faults += error.faults
    warnings += unknown_settings()
    if settings is None:
        # With faulty settings, those faults of the product file that do not depend on the settings.
        faults += product_faults(path_of(PREFIX, "products", os.environ), production=False)
    else:
        file, production = settings.products, settings.is_production
        networks = settings.allowed_webhook_networks
        faults += product_faults(file, production=production, networks=networks)
        warnings += _warnings(settings)
        warnings += product_warnings(file, production=production, networks=networks)
    if not arguments.offline:
        _check_database(settings, faults, warnings)
        if settings is not None:
            faults += stored_conflicts(settings.products, settings.database_url, settings.public_url)
            faults += unknown_addresses(
                {f"{PREFIX}BIND": settings.bind, f"{PREFIX}METRICS_BIND": settings.metrics_bind}
            )
        if settings is not None and settings.limits_url is not None:
            faults += limits_faults(f"{PREFIX}LIMITS_URL", settings.limits_url.get_secret_value())
        if not arguments.online:
            warnings += _partner_warnings(settings)
        elif settings is not None:
            faults += _online_faults(settings, warnings)
    return report(faults, warnings)


def _check_database(settings: Settings | None, faults: list[str], warnings: list[str]) -> None:
    try:
        url = settings.database_url if settings else database_url()
    except FaultySettings:
        return  # Reported with the settings.
    database_faults, database_warnings = SCHEMA.look_at(url)
    faults += database_faults
    warnings += database_warnings
    if settings is not None and not database_faults and not database_warnings:
        faults += stored_foreign_keys(settings)


def _warnings(settings: Settings) -> Iterator[str]:
    if settings.is_production and settings.database_url.startswith("sqlite"):
        yield f"{PREFIX}DATABASE_URL: SQLite serves one machine; several need PostgreSQL"
    if settings.is_production and settings.proxy_hops == 0:
        yield f"{PREFIX}PROXY_HOPS: is 0, so callers' addresses are those of the proxy that speaks TLS"


def _partner_warnings(settings: Settings | None) -> Iterator[str]:
    if settings is not None and (reason := _unreachable(settings.partner_api_url)):
        yield f"{PREFIX}PARTNER_API_URL: the partner service does not answer now ({reason})"


@quiet()
def _online_faults(settings: Settings, warnings: list[str]) -> list[str]:
    """Ask the partner service whether its settings and the products' connectors are valid."""
    secret = Secret(settings.partner_client_secret.get_secret_value())
    urls = settings.partner_api_url, settings.partner_service_url
    probe = PartnerProbe(*urls, settings.partner_client_id, secret, partner_limits(settings))
    if faults := list(probe.faults()):
        return faults
    client = client_of(settings)
    try:
        account = client.catalogue.any_account() or NOBODY
        return [fault for entry in entries(settings, client, account) if (fault := entry.fault())]
    except AccountUnknown:
        warnings.append("connectors: the catalogue is told to accounts that exist, and there is none yet")
    except PartnerUnavailable as error:
        warnings.append(f"connectors: {error.detail}")
    except (FaultyFile, SQLAlchemyError, UnusableDatabase):
        pass  # Reported by the checks of the product file and the database.
    return []


def _unreachable(url: str) -> str | None:
    parts = urlsplit(url)
    try:
        with socket.create_connection(
            (parts.hostname or "", parts.port or DEFAULT_PORTS[parts.scheme]), SECONDS
        ):
            return None
    except OSError as error:
        return error.strerror or type(error).__name__


def _new(_: argparse.Namespace) -> int:
    print(secrets.token_hex(32))
    return 0


def _keys(_: argparse.Namespace) -> int:
    """Print the ids of the signing keys: those of the receipts' public keys, which reveal no secret.

    The exit status is ``FAULTY`` if stored secrets need another one.
    """
    settings = load_settings()
    keys = settings.signing_keys()
    published = Receipts(keys, settings.public_url).public_keys()["keys"]
    for number, key in enumerate(published, 1):
        does = "signs and verifies" if number == 1 else "verifies"
        print(f"{number}  {key['kid']}  {does} sessions and receipts")
    if len(keys) > 1:
        hours = LONGEST_SESSION.total_seconds() / 3600
        print(
            f"An old key may go {hours:g} hours after it stopped signing: until then it verifies sessions."
            " Receipts that it signed verify as long as it is here, or in a host's own copy of the keys."
        )
    faults: list[str] = []
    warnings: list[str] = []
    _check_database(settings, faults, warnings)
    print_errors(faults, warnings)
    return FAULTY if faults else 0
