"""The commands of ``hitchpost partner``."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from pathlib import Path

from bff.partner import reencryption
from bff.partner.api import grant_inventory
from bff.partner.app import create_app
from bff.partner.connector_test import InUse, Walk, in_use_at
from bff.partner.context import EXTENSION, Embedded
from bff.partner.crypto import Vault
from bff.partner.errors import ApiError
from bff.partner.key_faults import foreign_keys
from bff.partner.provider_commands import add_commands as add_provider_commands
from bff.partner.providers.catalogue import (
    Catalogue,
    CatalogueConnector,
    FaultyCatalogue,
    read_catalogue,
    read_sound_entries,
    require_allowed,
)
from bff.partner.providers.provider import Provider
from bff.partner.serve import serve as run_server
from bff.partner.settings import PREFIX, Settings, load_settings, unknown_settings
from bff.partner.storage.database import SCHEMA, Database
from bff.partner.storage.restored import JUMP, void
from bff.serving.commands import report
from bff.serving.database import open_database
from bff.serving.environment import path_of
from bff.serving.faulty import Faulty
from bff.serving.listening import unknown_addresses
from bff.serving.rate_limits import limits_faults
from bff.serving.settings import FaultySettings
from bff.serving.sqlite_file import missing_file
from bff.serving.terminal import is_a_person_there, one_line
from bff.serving.version import own_version


def run(arguments: list[str]) -> int:
    """Run a command, return its exit status. Raises ``FaultySettings``, ``FaultyCatalogue``, ``ApiError``."""
    parsed = _parser().parse_args(arguments)
    return int(parsed.run(parsed))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="hitchpost partner", description="The embedded partner service.")
    parser.add_argument("--version", action="version", version=f"hitchpost {own_version()}")
    commands = parser.add_subparsers(required=True)
    serve = commands.add_parser("serve", help="run it; its settings are HITCHPOST_EMBEDDED_... variables")
    serve.set_defaults(run=lambda _: run_server())
    config = commands.add_parser("check-config", help="say everything that is wrong with its settings")
    config.add_argument("--offline", action="store_true", help="do not ask the database")
    config.set_defaults(run=_check_config)
    check = commands.add_parser("check-catalogue", help="report every fault of a connector catalogue")
    check.add_argument("file", type=Path)
    check.set_defaults(run=_check)
    database = commands.add_parser("db", help="the database").add_subparsers(required=True)
    database.add_parser(
        "restored", help="after a restore: end what may have been used since the backup; ids jump"
    ).set_defaults(run=_restored)
    database.add_parser("upgrade", help="make it, or bring its schema up to date").set_defaults(run=_upgrade)
    connectors = commands.add_parser("connectors", help="the entries of the catalogue")
    of_connectors = connectors.add_subparsers(required=True)
    test = of_connectors.add_parser("test", help="go through a sign-in at a third party, step by step")
    test.add_argument("key", help="the connector's key or name")
    test.add_argument("--set", action="append", default=[], metavar="FIELD=VALUE", help="what a user types")
    test.set_defaults(run=_test_connector)
    grants = commands.add_parser("grants", help="what is connected at a third party").add_subparsers(
        required=True
    )
    for name, run, about in (
        ("list", _list, "every stored grant of a connector, and those still to be revoked"),
        ("revoke", _revoke, "end every grant of a connector: each account has to sign in again"),
    ):
        command = grants.add_parser(name, help=about)
        command.add_argument("connector", help="its id, key or name")
        if run is _revoke:
            command.add_argument("--yes", action="store_true", help="end them without asking")
        command.set_defaults(run=run)
    add_provider_commands(
        commands.add_parser("providers", prog="hitchpost providers", help="services that ship as entries")
    )
    keys = commands.add_parser("keys", help="the encryption keys").add_subparsers(required=True)
    renew = keys.add_parser("re-encrypt", help="seal everything with the newest key, and say what is left")
    renew.set_defaults(run=_re_encrypt)
    return parser


def _check_config(arguments: argparse.Namespace) -> int:
    faults: list[str] = []
    warnings = unknown_settings()
    settings = None
    try:
        settings = load_settings()
    except FaultySettings as error:
        faults += error.faults
    faults += _catalogue_faults(settings)
    if settings is not None and not arguments.offline:
        _check_resources(settings, faults, warnings)
    return report(faults, warnings)


def _catalogue_faults(settings: Settings | None) -> list[str]:
    """The faults of the catalogue. With faulty settings, those that do not depend on the settings."""
    path = settings.catalogue if settings else path_of(PREFIX, "catalogue", os.environ)
    try:
        catalogue = read_catalogue(path) if path else None
        if settings is not None and catalogue is not None:
            require_allowed(catalogue, settings.outbound_policy())
    except FaultyCatalogue as error:
        return error.faults
    return []


def _check_resources(settings: Settings, faults: list[str], warnings: list[str]) -> None:
    """Check the resources that the settings name: database, encryption keys and rate-limit store."""
    database_faults, database_warnings = SCHEMA.look_at(settings.database_url)
    faults += database_faults
    warnings += database_warnings
    if not database_faults and not database_warnings:
        with contextlib.closing(Database(settings.database_url)) as database:
            faults += foreign_keys(database, Vault(settings.keys()))
    faults += unknown_addresses(
        {f"{PREFIX}BIND": settings.bind, f"{PREFIX}METRICS_BIND": settings.metrics_bind}
    )
    if settings.limits_url is not None:
        url = settings.limits_url.get_secret_value()
        faults += limits_faults("HITCHPOST_EMBEDDED_LIMITS_URL", url)


def _restored(_: argparse.Namespace) -> int:
    url = load_settings().database_url
    SCHEMA.open(url).dispose()
    with contextlib.closing(Database(url)) as database:
        for what, count in void(database).items():
            print(f"{what}: {count}")
    print(f"new ids begin {JUMP} higher than the last one known")
    return 0


def _upgrade(_: argparse.Namespace) -> int:
    SCHEMA.upgrade(open_database(load_settings().database_url))
    print("the schema is up to date")
    return 0


def _check(arguments: argparse.Namespace) -> int:
    catalogue = read_catalogue(arguments.file)
    print(f"{arguments.file}: {len(catalogue.connectors)} connectors, no faults")
    return 0


def _test_connector(arguments: argparse.Namespace) -> int:
    settings = load_settings()
    catalogue = _sound_entries(settings, arguments.key)
    if not (connectors := catalogue.by_name(arguments.key)):
        print(f"there is no connector {one_line(arguments.key)} in {settings.catalogue}", file=sys.stderr)
        return 2
    values = dict(pair.partition("=")[::2] for pair in arguments.set)
    provider = Provider(settings.outbound_policy(), settings.redirect_uri)
    in_use = _in_use(settings, catalogue, connectors[0])
    return Walk(connectors[0], provider, values, input, print, in_use).go(settings.redirect_uri)


def _in_use(settings: Settings, catalogue: Catalogue, item: CatalogueConnector) -> InUse:
    """The question whether a connection uses a grant. The database is neither created nor upgraded."""
    if missing_file(settings.database_url) is not None:
        return lambda _: False
    faults, warnings = SCHEMA.look_at(settings.database_url)
    for line in (*faults, *warnings):
        print(f"warning: {one_line(line)}", file=sys.stderr)
    if faults or warnings:
        return lambda _: None
    return in_use_at(_service_of(settings, catalogue), item)


def _list(arguments: argparse.Namespace) -> int:
    service = _service(arguments.connector)
    found = grant_inventory.listed(service, _connector_id(service, arguments.connector))
    if not found:
        print(f"{one_line(arguments.connector)}: no grants")
    for grant in found:
        details = (grant["ExternalAccount"], " ".join(grant["Scopes"] or []), grant["Error"])
        more = "  ".join(filter(None, details))
        line = f"{grant['State']}  account {grant['AccountId']}  {grant['AccountConnectorId']}  {more}"
        print(one_line(line).rstrip())
    return 0


def _revoke(arguments: argparse.Namespace) -> int:
    service = _service(arguments.connector)
    connector_id = _connector_id(service, arguments.connector)
    if not arguments.yes and not _confirmed(service, connector_id):
        print("nothing was changed")
        return 1
    ended = grant_inventory.end_all(service, connector_id)
    print(f"{ended.connections} connections ended; {ended.pending} grants still to be revoked")
    if ended.pending:
        print("the running service tries again until they are")
    return 0


def _connector_id(service: Embedded, connector: str) -> int:
    try:
        return grant_inventory.connector_id_of(service, connector)
    except ApiError as error:
        raise Faulty([f"{error.message.rstrip('.')}: {one_line(connector)!r}"]) from None


def _confirmed(service: Embedded, connector_id: int) -> bool:
    """Say what would end, and ask the person at the terminal. A script has to say ``--yes``."""
    ending = [
        item
        for item in grant_inventory.listed(service, connector_id)
        if item["State"] in grant_inventory.STORED
    ]
    accounts = len({item["AccountId"] for item in ending})
    print(
        f"{len(ending)} grants of {accounts} accounts would end, and each account would have to sign in again"
    )
    if not is_a_person_there():
        print("to end them, run the command again with --yes", file=sys.stderr)
        return False
    return input("end them? [y/N] ").strip().lower() in {"y", "yes"}


def _re_encrypt(_: argparse.Namespace) -> int:
    """Re-encrypt. The exit status is 1 if a value is still sealed with another key than the newest."""
    settings = load_settings()
    vault = Vault(settings.keys())
    SCHEMA.open(settings.database_url).dispose()
    report = reencryption.re_encrypt(Database(settings.database_url), vault)
    print(f"{report.changed} values sealed anew")
    for key_id, count in sorted(report.left.items()):
        print(f"key {key_id}{' (the newest)' if key_id == vault.newest else ''}: {count} values")
    for fault in report.faults:
        print(one_line(fault), file=sys.stderr)
    return 1 if any(count for key_id, count in report.left.items() if key_id != vault.newest) else 0


def _sound_entries(settings: Settings, connector: str) -> Catalogue:
    """The catalogue, for a command about one connector: without the entries of others that have faults."""
    catalogue, left_out = read_sound_entries(settings.catalogue, connector)
    for fault in left_out:
        print(f"warning: {one_line(fault)}", file=sys.stderr)
    return catalogue


def _service(connector: str) -> Embedded:
    settings = load_settings()
    SCHEMA.open(settings.database_url).dispose()
    return _service_of(settings, _sound_entries(settings, connector))


def _service_of(settings: Settings, catalogue: Catalogue) -> Embedded:
    service = create_app(settings, catalogue).extensions[EXTENSION]
    assert isinstance(service, Embedded)  # noqa: S101  # for the type checker
    return service
