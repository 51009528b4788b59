"""``hitchpost providers``: searches the shipped entries, and adds one to a catalogue."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any, Final

from bff.partner.providers.catalogue_writing import add_to, entry_text, secret_variable
from bff.partner.providers.shipped_entries import ShippedEntry, UnknownProvider, matching, named, near
from bff.partner.settings import PREFIX
from bff.serving.environment import variable_of
from bff.serving.terminal import FAULTY, write_in_utf8

CALLBACK: Final = "/connector/callback"


def add_commands(parser: argparse.ArgumentParser) -> None:
    """Add the subcommands of ``providers`` to the parser."""
    commands = parser.add_subparsers(required=True, metavar="ACTION")
    search = commands.add_parser("search", help="list services, by words in name, kind or category")
    search.add_argument("word", nargs="*", metavar="WORD", help="such as crm or slack; none lists all")
    search.set_defaults(run=_search)
    show = commands.add_parser("show", help="print an entry, and where its facts come from")
    show.add_argument("name", metavar="NAME", help="its key or name")
    show.set_defaults(run=_show)
    add = commands.add_parser("add", help="write an entry into your own catalogue")
    add.add_argument("name", metavar="NAME", help="its key or name")
    add.add_argument(
        "--catalogue", type=Path, metavar="FILE", help=f"the catalogue; by default {PREFIX}CATALOGUE"
    )
    add.set_defaults(run=_add)


def _search(arguments: argparse.Namespace) -> int:
    entries = matching(arguments.word)
    if not entries:
        return _unknown(" ".join(arguments.word), near(" ".join(arguments.word)))
    rows = [(entry.key, entry.name, entry.auth, entry.about.category) for entry in entries]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        print("  ".join([*cells, row[3]]))
    return 0


def _show(arguments: argparse.Namespace) -> int:
    return _with(arguments.name, _print_entry)


def _add(arguments: argparse.Namespace) -> int:
    path = arguments.catalogue or variable_of(f"{PREFIX}CATALOGUE")
    if not path:
        print(f"write --catalogue FILE, or set {PREFIX}CATALOGUE", file=sys.stderr)
        return FAULTY
    return _with(arguments.name, lambda entry: _print_added(entry, Path(path)))


def _with(name: str, run: Any) -> int:
    try:
        entry = named(name)
    except UnknownProvider as error:
        return _unknown(name, error.near)
    run(entry)
    return 0


def _unknown(name: str, similar: list[str]) -> int:
    hint = f"did you mean {', '.join(similar)}?" if similar else "`hitchpost providers search` lists all"
    print(f"no service that ships is called {name!r}; {hint}", file=sys.stderr)
    return FAULTY


def _print_entry(entry: ShippedEntry) -> None:
    write_in_utf8()
    print(f"# category: {entry.about.category}")
    print(entry_text(entry, 101), end="")
    print(f"# {_registration(entry)}")


def _print_added(entry: ShippedEntry, path: Path) -> None:
    connector_id = add_to(path, entry)
    print(f"added {entry.name} to {path}, as connector {connector_id} ({entry.key})")
    if entry.needs_client_id:
        print("fill in there: client_id")
    if entry.needs_client_secret:
        print(f"put the client secret into the environment: {secret_variable(entry)}")
    if entry.needs_client_id or entry.needs_client_secret:
        print("until then the partner service does not start: finish it before the next restart")
    print(_registration(entry))
    print(f"documentation: {entry.about.docs_url}")
    if not entry.about.tried:
        print("nobody has tried this entry live yet; a wrong fact in it is a bug: please report it")
    print(f"then check it: hitchpost partner check-catalogue {path}")


def _registration(entry: ShippedEntry) -> str:
    if not entry.needs_client_id:
        return "no app to register: the user types the credentials in the popup"
    origin = variable_of(f"{PREFIX}PUBLIC_URL").rstrip("/")
    hint = "" if origin else f" (the origin is your {PREFIX}PUBLIC_URL)"
    return f"redirect URI to register at {entry.name}: {origin or '{partner origin}'}{CALLBACK}{hint}"
