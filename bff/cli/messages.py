"""``hitchpost messages``: for teams that keep their messages, words and look in files, in git say."""

from __future__ import annotations

import argparse
import getpass
import sys
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from bff.common.errors import NotFound
from bff.common.faulty_file import FaultyFile
from bff.content.drafts import Change, difference
from bff.content.entries import Content
from bff.content.faults import faults
from bff.content.file import TeamsFile, key_of, read_content, said_of, write_content
from bff.content.logos.store import DatabaseImages
from bff.content.product import OfferedConnector, Registration
from bff.content.store import ContentStore
from bff.products.store import DatabaseProducts
from bff.serving.terminal import one_line
from bff.settings import database_url
from bff.storage.schema import SCHEMA

FAULTY: Final = 2
ANY_ORIGIN: Final = "https://app.example.com"


def add_commands(actions: Any) -> None:
    """Put the three actions below ``hitchpost messages``."""
    export = actions.add_parser("export", help="write what a product's team has published as a file")
    export.add_argument("product", metavar="PRODUCT")
    export.add_argument("file", type=Path, nargs="?", help="the file to write; standard output without it")
    export.set_defaults(run=_export)
    take = actions.add_parser("import", help="show what a file would change, and publish it")
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
        sys.stdout.write(text)
    else:
        arguments.file.write_text(text, encoding="utf-8")
        print(f"wrote {arguments.file}")
    return 0


def _import(arguments: argparse.Namespace) -> int:
    products, store, images = _stores()
    wanted = _sound(arguments.file, products.registration, strange=False)
    standing = {key: store.published(key) for key in wanted}
    changes = {key: difference(standing[key].content, said.content) for key, said in wanted.items()}
    if not any(changes.values()):
        print("nothing would change")
        return 0
    for key, found in changes.items():
        print_changes(key, found)
    if not arguments.yes and not _agreed():
        print("nothing was changed")
        return 1
    for key, said in wanted.items():
        for logo in said.logos:
            images.put(logo, key)
        note = f"imported from {arguments.file.name}"
        made = store.publish(key, said.content, getpass.getuser(), note, expected=standing[key].number)
        print(f"{key}: published as version {made.number}")
    return 0


def _check(arguments: argparse.Namespace) -> int:
    # Where no product is registered, in a repository's own checks say, a file is held against itself.
    _sound(arguments.file, lambda _: None, strange=True)
    print("the file is sound")
    return 0


def _sound(
    path: Path, registered: Callable[[str], Registration | None], *, strange: bool
) -> dict[str, TeamsFile]:
    found: list[str] = []
    contents: dict[str, TeamsFile] = {}
    for key, said in read_content(path).items():
        registration = registered(key)
        if registration is None and not strange:
            found.append(
                f"{path}: {key}: there is no such product here; `hitchpost products apply` registers one"
            )
            continue
        registration = registration or _made_up(key, said.content, said.connectors)
        found += [f"{path}: {key}: {fault}" for fault in said_of(faults(said.content, registration))]
        contents[key] = said
    if found:
        raise FaultyFile(found)
    return contents


def _made_up(key: str, content: Content, connectors: Iterable[str]) -> Registration:
    named = [path.split("/")[3] for path in content if path.startswith("messages/") and path.count("/") == 4]
    keys = dict.fromkeys([*connectors, *(name for name in named if not tuple(connectors) and name != "*")])
    offered = tuple(OfferedConnector(name, "", name) for name in keys or ["connector"])
    return Registration(key, key, (ANY_ORIGIN,), offered)


def print_changes(product: str, changes: list[Change]) -> None:
    """Show what would change, as text: each line of what was and what would be, with its sign."""
    print(f"{product}: {len(changes) or 'nothing'} to change")
    for change in changes:
        print(f"  {key_of(change.path)}")
        for sign, text in (("-", change.before), ("+", change.after)):
            if text is not None:
                # Each of its lines has the sign: none can pass for another change.
                for line in text.split("\n"):
                    print(f"    {sign} {one_line(line)}")


def _agreed() -> bool:
    if not sys.stdin.isatty():
        print("to publish this, run the command again with --yes", file=sys.stderr)
        return False
    return input("publish this? [y/N] ").strip().lower() in {"y", "yes"}


def _stores() -> tuple[DatabaseProducts, ContentStore, DatabaseImages]:
    engine = SCHEMA.open(database_url())
    return DatabaseProducts(engine), ContentStore(engine, lambda: datetime.now(UTC)), DatabaseImages(engine)
