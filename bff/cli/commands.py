"""All ``hitchpost`` commands except ``serve``. Importing it loads the whole program."""

from __future__ import annotations

import argparse
import os
import sys
from datetime import UTC, datetime
from typing import Any

from bff.cli import FAULTY
from bff.cli.connections import add_commands as add_connection_commands
from bff.cli.connectors import add_commands as add_connector_commands
from bff.cli.messages import add_commands as add_message_commands
from bff.cli.operations import add_commands as add_operation_commands
from bff.cli.products import add_commands as add_product_commands
from bff.cli.stored_services import stored_services
from bff.cli.studio import add_commands as add_studio_commands
from bff.cli.webhooks import add_commands as add_webhook_commands
from bff.connect.outcome import as_of
from bff.connect.reported_code import codes_in, ids_in, not_found
from bff.connect.restored import end_live
from bff.connect.store import DatabaseAttempts
from bff.connect.timeline import timeline_text
from bff.demo.run import run_demo
from bff.identity.session_store import DatabaseSessionEnds
from bff.serve import serve
from bff.serving.database import open_database
from bff.serving.store_clock import StoreClock
from bff.serving.version import own_version
from bff.settings import database_url
from bff.storage.restored import invalidate
from bff.storage.schema import SCHEMA


def run(argv: list[str]) -> int:
    """Run one command. Returns its exit status."""
    if argv[:1] == ["partner"]:
        return _embedded(argv[1:] or ["serve"])
    if argv[:1] == ["providers"]:
        return _embedded(argv)
    arguments = _parser().parse_args(argv)
    return int(arguments.run(arguments) or 0)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="hitchpost",
        description="A Connect button that knows how it ended.",
        epilog="Settings come from the environment, HITCHPOST_...: see docs/settings.md."
        " For commands on a demo that runs, `. .demo/env` sets them.",
    )
    parser.add_argument("--version", action="version", version=f"hitchpost {own_version()}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, run: object, text: str) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=text, description=text)
        command.set_defaults(run=run)
        return command

    def group(name: str, text: str) -> Any:
        return add(name, None, text).add_subparsers(required=True, metavar="ACTION")

    add("demo", lambda _: run_demo(os.environ), "run the whole product on this machine, until Ctrl-C")
    add("serve", lambda _: serve(), "run the BFF")
    add("partner", None, "run the embedded partner service, or one of its commands (partner --help)")
    add("providers", None, "services that ship as catalogue entries: search, show, add")
    add_operation_commands(add)
    add_connector_commands(group("connectors", "the partner service's connectors"))
    add_product_commands(group("products", "product files"))
    add_message_commands(group("messages", "messages, words and look in files"))
    add_studio_commands(group("studio", "the Studio, where product teams edit"))
    add_webhook_commands(group("webhooks", "what products' servers are told"))
    add_connection_commands(group("connections", "what accounts have connected"))
    _add_attempt_commands(group("attempts", "attempts"))
    _add_database_commands(group("db", "the database"))
    return parser


def _add_attempt_commands(actions: Any) -> None:
    show = actions.add_parser("show", help="print the story of an attempt, by its support code or its id")
    show.add_argument("code", metavar="CODE", nargs="+")
    show.set_defaults(run=_show)


def _add_database_commands(actions: Any) -> None:
    purge = actions.add_parser("purge", help="forget what is old now; `serve` does it by itself")
    purge.set_defaults(run=_purge)
    restored = actions.add_parser(
        "restored", help="after a restore: end what may have been used or ended since the backup"
    )
    restored.set_defaults(run=_restored)
    upgrade = actions.add_parser("upgrade", help="bring the schema up to date")
    upgrade.set_defaults(run=_upgrade)


def _embedded(arguments: list[str]) -> int:
    # The partner service is another program, with its own settings and database. It replaces this process.
    os.execv(sys.executable, [sys.executable, "-m", "bff.partner", *arguments])  # noqa: S606  # our own interpreter and module


def _show(arguments: argparse.Namespace) -> int:
    store = DatabaseAttempts(SCHEMA.open(database_url()))
    # What was read out may come as several words.
    reported = " ".join(arguments.code)
    attempts = [attempt for name in ids_in(reported) if (attempt := store.get(name))]
    attempts = attempts or [
        found for code in codes_in(reported) for found in store.find_by_support_code(code)
    ]
    if not attempts:
        print(not_found(reported), file=sys.stderr)
        return FAULTY
    for attempt in attempts:
        print(timeline_text(as_of(attempt, datetime.now(UTC)), store.steps(attempt.id)))
    return 0


def _purge(_: argparse.Namespace) -> int:
    housekeeping = stored_services().upkeep.housekeeping
    print(f"ended: {housekeeping.end_overdue()}")
    housekeeping.recheck_given_up()
    for name, count in housekeeping.delete_old().items():
        print(f"forgotten {name}: {count}")
    return 0


def _restored(_: argparse.Namespace) -> int:
    engine = SCHEMA.open(database_url())
    now = StoreClock(engine)()
    DatabaseSessionEnds(engine).end_all(now)
    print("sessions of users: all that began until now are ended")
    for what, count in {"attempts ended": end_live(engine, now), **invalidate(engine, now)}.items():
        print(f"{what}: {count}")
    return 0


def _upgrade(_: argparse.Namespace) -> int:
    SCHEMA.upgrade(open_database(database_url()))
    print("the schema is up to date")
    return 0
