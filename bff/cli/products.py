"""``hitchpost products``: applies a product file to the database, and removes a product from it."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from bff.cli import audit
from bff.cli.webhooks import require_webhooks_fit
from bff.common.errors import NotFound
from bff.content.store import ContentStore
from bff.products.file import read_products
from bff.products.store import BY_FILE, DatabaseProducts
from bff.serving.database import open_database
from bff.serving.store_clock import StoreClock
from bff.settings import database_url, public_url_if_set, signing_keys
from bff.storage.schema import SCHEMA
from bff.storage.sealing import Sealing
from bff.webhooks.endpoints import DatabaseEndpoints
from bff.webhooks.parts import put_products, remove_product


def add_commands(actions: Any) -> None:
    """Add the subcommands of ``hitchpost products``."""
    apply = actions.add_parser("apply", help="check a product file and put its products into the database")
    apply.add_argument("file", type=Path)
    apply.set_defaults(run=_apply)
    about = "take a product that no file names any more out of the database"
    remove = actions.add_parser("remove", help=about, description=about)
    remove.add_argument("key", metavar="KEY")
    remove.add_argument("--yes", action="store_true", help="do it; without this, only say what would go")
    remove.set_defaults(run=_remove)


def _apply(arguments: argparse.Namespace) -> int:
    applied = read_products(arguments.file)
    if any(product.webhooks for product in applied):
        # Webhook secrets are encrypted by the signing keys, and allowed addresses depend on the environment.
        signing_keys()
        require_webhooks_fit(arguments.file, applied)
    engine = open_database(database_url())
    SCHEMA.upgrade(engine)
    clock = StoreClock(engine)
    store = DatabaseProducts(engine, clock=clock, public_url=public_url_if_set())
    content = ContentStore(engine, clock)
    endpoints = _endpoints(engine, clock)
    published = put_products(arguments.file, store, endpoints, applied)
    for product, changed in zip(applied, published, strict=True):
        key = product.registration.key
        print(f"applied {key}")
        if not changed and (current := content.published(key)).by != BY_FILE:
            print(
                f"{key}: the file's messages, words and look are the same as last time, so version"
                f" {current.number}, published by {current.by}, stays; `hitchpost messages import` puts the"
                " file's in its place"
            )
    return 0


def _remove(arguments: argparse.Namespace) -> int:
    engine, key = SCHEMA.open(database_url()), str(arguments.key)
    store = DatabaseProducts(engine)
    known = store.keys()
    if key not in known:
        raise NotFound(f"there is no product {key!r}; there are: {', '.join(known) or 'none'}")
    if not arguments.yes:
        print(f"{key}: its secret keys, origins, webhook endpoints, and what its team has written would go")
        print("to do this, run the command again with --yes", file=sys.stderr)
        return 1
    remove_product(store, _endpoints(engine, StoreClock(engine)), key)
    audit.record("product_removed", product=key)
    print(f"removed {key}; a product file that still names it brings it back")
    return 0


def _endpoints(engine: Engine, clock: StoreClock) -> DatabaseEndpoints:
    return DatabaseEndpoints(engine, lambda: Sealing(signing_keys()), clock)
