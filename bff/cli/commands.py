"""Every ``hitchpost`` command, with all that it works with."""

from __future__ import annotations

import argparse
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from bff.cli.connections import add_commands as add_connection_commands
from bff.cli.connectors import add_commands as add_connector_commands
from bff.cli.messages import add_commands as add_message_commands
from bff.cli.operations import add_commands as add_operation_commands
from bff.cli.studio import add_commands as add_studio_commands
from bff.connect.store import DatabaseAttempts
from bff.connect.timeline import tell
from bff.content.store import ContentStore
from bff.demo.run import run_demo
from bff.products.file import read_products
from bff.products.store import BY_FILE, DatabaseProducts
from bff.serve import serve
from bff.serving.database import open_database
from bff.settings import database_url, load_settings
from bff.storage.schema import SCHEMA
from bff.wiring import build_services

FAULTY = 2


def run(argv: list[str]) -> int:
    """Run one command; its exit status."""
    arguments = _parser().parse_args(argv)
    return int(arguments.run(arguments) or 0)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="hitchpost", description="A Connect button that knows how it ended."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, run: object, text: str) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=text, description=text)
        command.set_defaults(run=run)
        return command

    add("demo", lambda _: run_demo(os.environ), "run the whole product on this machine, until Ctrl-C")
    add("serve", lambda _: serve(), "run the BFF")
    partner = add("partner", _partner, "run the embedded partner service, or check its settings")
    partner.add_argument("action", nargs="?", choices=("serve", "check-config"), default="serve")
    add_operation_commands(add)
    add_connector_commands(
        add("connectors", None, "the partner service's connectors").add_subparsers(
            required=True, metavar="ACTION"
        )
    )
    products = add("products", None, "product files").add_subparsers(required=True, metavar="ACTION")
    apply = products.add_parser("apply", help="check a product file and put its products into the database")
    apply.add_argument("file", type=Path)
    apply.set_defaults(run=_apply)
    add_message_commands(
        add("messages", None, "messages, words and look in files").add_subparsers(
            required=True, metavar="ACTION"
        )
    )
    add_studio_commands(
        add("studio", None, "the Studio, where product teams edit").add_subparsers(
            required=True, metavar="ACTION"
        )
    )
    add_connection_commands(
        add("connections", None, "what accounts have connected").add_subparsers(
            required=True, metavar="ACTION"
        )
    )
    attempts = add("attempts", None, "attempts").add_subparsers(required=True, metavar="ACTION")
    show = attempts.add_parser("show", help="print the story of an attempt, by its support code or its id")
    show.add_argument("code", metavar="CODE")
    show.set_defaults(run=_show)
    database = add("db", None, "the database").add_subparsers(required=True, metavar="ACTION")
    database.add_parser("purge", help="forget what is old now; `serve` does it by itself").set_defaults(
        run=_purge
    )
    database.add_parser("upgrade", help="bring the schema up to date").set_defaults(run=_upgrade)
    return parser


def _partner(arguments: argparse.Namespace) -> int:
    # A program of its own, with its own settings and database: it replaces this one.
    os.execv(sys.executable, [sys.executable, "-m", "bff.partner", arguments.action])  # noqa: S606  # nosec B606  # our own interpreter and module


def _apply(arguments: argparse.Namespace) -> int:
    applied = read_products(arguments.file)
    engine = open_database(database_url())
    SCHEMA.upgrade(engine)
    store, content = DatabaseProducts(engine), ContentStore(engine, _now)
    for product in applied:
        key = product.registration.key
        changed = store.put(product.registration, product.content, product.secret_keys, product.logos)
        print(f"applied {key}")
        if not changed and (stands := content.published(key)).by != BY_FILE:
            print(
                f"{key}: the file's messages, words and look are the same as last time, so version"
                f" {stands.number}, published by {stands.by}, stays; `hitchpost messages import` puts the"
                " file's in its place"
            )
    return 0


def _show(arguments: argparse.Namespace) -> int:
    store = DatabaseAttempts(open_database(database_url()))
    code: str = arguments.code.strip()
    by_id = store.get(code)
    found = [by_id] if by_id else store.find_by_support_code(code.upper())
    if not found:
        print(f"there is no attempt {code!r}; a support code looks like ABCD-2345", file=sys.stderr)
        return FAULTY
    for attempt in found:
        print(tell(attempt, store.steps(attempt.id)))
    return 0


def _now() -> datetime:
    return datetime.now(UTC)


def _purge(_: argparse.Namespace) -> int:
    housekeeping = build_services(load_settings()).housekeeping
    print(f"ended: {housekeeping.end_overdue()}")
    for name, count in housekeeping.forget().items():
        print(f"forgotten {name}: {count}")
    return 0


def _upgrade(_: argparse.Namespace) -> int:
    SCHEMA.upgrade(open_database(database_url()))
    print("the schema is up to date")
    return 0
