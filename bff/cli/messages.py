"""``hitchpost messages``: for teams that keep their messages, words and look in files, for example in git."""

from __future__ import annotations

import argparse
import getpass
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from bff.common.errors import NotFound
from bff.common.faulty_file import FaultyFile
from bff.content.drafts import Change, difference
from bff.content.entries import Content, names_of_messages
from bff.content.faults import faults
from bff.content.file import TeamsFile, fault_lines, key_of, read_content, write_content
from bff.content.logos.store import DatabaseImages
from bff.content.product import OfferedConnector, Registration
from bff.content.store import ContentStore
from bff.products.store import DatabaseProducts
from bff.serving.store_clock import StoreClock
from bff.serving.terminal import is_a_person_there, one_line, write_in_utf8
from bff.settings import database_url
from bff.storage.schema import SCHEMA

ANY_ORIGIN: Final = "https://app.example.com"
"""Origin of the stand-in for a product that is not registered."""


def add_commands(actions: Any) -> None:
    """Add the subcommands of ``hitchpost messages``."""
    export = actions.add_parser("export", help="write what a product's team has published as a file")
    export.add_argument("product", metavar="PRODUCT")
    export.add_argument("file", type=Path, nargs="?", help="the file to write; standard output without it")
    export.set_defaults(run=_export)
    about = "show what a file would change, and publish it; what the file does not name is removed"
    take = actions.add_parser("import", help=about, description=about)
    take.add_argument("file", type=Path)
    take.add_argument("--yes", action="store_true", help="publish without asking")
    take.set_defaults(run=_import)
    check = actions.add_parser("check", help="say everything that is wrong in a file; nothing is changed")
    check.add_argument("file", type=Path)
    check.set_defaults(run=_check)


def _export(arguments: argparse.Namespace) -> int:
    products, content, _ = _stores()
    if products.registration(arguments.product) is None:
        raise NotFound(f"there is no product {arguments.product!r}; there are: {', '.join(products.keys())}")
    text = write_content(arguments.product, content.published(arguments.product).content)
    if arguments.file is None:
        write_in_utf8()
        sys.stdout.write(text)
    else:
        try:
            arguments.file.write_text(text, encoding="utf-8")
        except OSError as error:
            raise FaultyFile([f"{arguments.file}: cannot be written: {error.strerror}"]) from None
        print(f"wrote {arguments.file}")
    return 0


def _import(arguments: argparse.Namespace) -> int:
    products, store, images = _stores()
    wanted = _read_checked(arguments.file, products.registration)
    published = {key: store.published(key) for key in wanted}
    changes = {key: difference(published[key].content, team.content) for key, team in wanted.items()}
    if not any(changes.values()):
        print("nothing would change")
        return 0
    for key, differences in changes.items():
        print_changes(key, differences)
        _warn_of_removed(key, published[key].content, wanted[key].content)
    if not arguments.yes and not _confirmed():
        print("nothing was changed")
        return 1
    for key, team in wanted.items():
        for logo in team.logos:
            images.put(logo, key)
        note = f"imported from {arguments.file.name}"
        version = store.publish(key, team.content, _user(), note, expected=published[key].number)
        print(f"{key}: published as version {version.number}")
    return 0


def _check(arguments: argparse.Namespace) -> int:
    # Needs no database, so that it can run in the checks of a team's repository.
    teams = _read_checked(arguments.file, None)
    print("the file is sound")
    for key, team in teams.items():
        named = ", ".join(_connectors_of(team))
        offered = f", and offers its connectors {named}" if named else ""
        print(f"{key}: not checked, as only a database tells it: whether this product is registered{offered}")
    return 0


def _read_checked(
    path: Path, registered: Callable[[str], Registration | None] | None
) -> dict[str, TeamsFile]:
    """Read a file, check its content, and print the keys that are ignored. Raises ``FaultyFile``.

    ``registered`` finds a product's registration by key. Without it, a stand-in is checked against.
    """
    wrong: list[str] = []
    teams: dict[str, TeamsFile] = {}
    for key, team in read_content(path).items():
        registration = registered(key) if registered else _stand_in(key, team)
        if registration is None:
            wrong.append(
                f"{path}: {key}: there is no such product here; `hitchpost products apply` registers one"
            )
            continue
        wrong += [f"{path}: {key}: {fault}" for fault in fault_lines(faults(team.content, registration))]
        teams[key] = team
    if wrong:
        raise FaultyFile(wrong)
    for key, team in teams.items():
        if team.ignored:
            print(
                f"warning: {path}: {key}: {', '.join(team.ignored)}: ignored here; only"
                " `hitchpost products apply` reads what operators set",
                file=sys.stderr,
            )
    return teams


def _stand_in(key: str, team: TeamsFile) -> Registration:
    """A registration to check against, with the connectors that the file names."""
    offered = tuple(OfferedConnector(name, "", name) for name in _connectors_of(team) or ["connector"])
    return Registration(key, key, (ANY_ORIGIN,), offered)


def _connectors_of(team: TeamsFile) -> tuple[str, ...]:
    """The connectors that the file lists or has tables for, or else those of its messages' variants."""
    parts = [path.split("/") for path in team.content if path.startswith("messages/")]
    named = dict.fromkeys(part[3] for part in parts if len(part) == 5 and part[3] != "*")
    return team.connectors or tuple(named)


def print_changes(product: str, changes: list[Change]) -> None:
    """Print changes like a diff: lines of the old text begin with ``-``, of the new one with ``+``."""
    print(f"{product}: {len(changes) or 'nothing'} to change")
    for change in changes:
        print(f"  {key_of(change.path)}")
        for sign, text in (("-", change.before), ("+", change.after)):
            if text is not None:
                # Every line gets the sign, so that a text with line breaks cannot imitate another change.
                for line in text.split("\n"):
                    print(f"    {sign} {one_line(line)}")


def _warn_of_removed(product: str, before: Content, after: Content) -> None:
    kept = names_of_messages(after)
    for name in names_of_messages(before):
        if name not in kept:
            print(
                f"warning: {product}: messages.{name} is not in the file and would be removed; a page that"
                " still asks for it could not connect any more (unknown_message)",
                file=sys.stderr,
            )


def _confirmed() -> bool:
    if not is_a_person_there():
        print("to publish this, run the command again with --yes", file=sys.stderr)
        return False
    return input("publish this? [y/N] ").strip().lower() in {"y", "yes"}


def _user() -> str:
    """Who runs this command, for the history of versions."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"  # A container's user need not have a name.


def _stores() -> tuple[DatabaseProducts, ContentStore, DatabaseImages]:
    engine = SCHEMA.open(database_url())
    clock = StoreClock(engine)
    return DatabaseProducts(engine), ContentStore(engine, clock), DatabaseImages(engine, clock)
