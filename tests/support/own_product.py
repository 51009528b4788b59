"""Products of hosts' own at a demo that others use too: none sees what is published to another's."""

from __future__ import annotations

import contextlib
import json
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

import requests
from flask import Flask

from bff.products.file import read_products
from bff.products.store import DatabaseProducts
from bff.serving.database import open_database
from tests.support.servers import serve
from tests.support.stack import Stack

NAME: Final = "Your application"
CONNECTORS: Final = ("sandbox",)
HERE: Final = "127.0.0.1"


def register(
    stack: Stack,
    key: str,
    origins: Sequence[str],
    *,
    name: str = NAME,
    connectors: Sequence[str] = CONNECTORS,
) -> Stack:
    """Register a product at the running BFF, as ``hitchpost products apply`` does.

    Returns the same demo with this product, its first origin as the host, and its secret key.
    """
    secret_key = f"sk_{secrets.token_hex(12)}"
    file = stack.folder / f"{key}.toml"
    # These JSON strings and lists are valid TOML.
    file.write_text(
        f'[[product]]\nkey = "{key}"\nname = {json.dumps(name)}\norigins = {json.dumps([*origins])}\n'
        f'secret_keys = ["{secret_key}"]\nconnectors = {json.dumps([*connectors])}\n',
        encoding="utf-8",
    )
    engine = open_database(f"sqlite:///{stack.folder / 'bff.db'}")
    try:
        DatabaseProducts(engine, public_url=stack.bff).put_all(read_products(file))
    finally:
        engine.dispose()
    return replace(stack, host=origins[0], product=key, secret_key=secret_key)


@contextlib.contextmanager
def own_host(
    stack: Stack,
    key: str,
    app: Flask,
    *,
    name: str = NAME,
    connectors: Sequence[str] = CONNECTORS,
    at: str = HERE,
) -> Iterator[Stack]:
    """Serve a host application, its product registered, which hands session tokens to its own pages.

    ``at`` is the name that browsers know this machine by: ``localhost`` is another site than the BFF's.
    """
    with serve(lambda _: app) as url:
        running = register(stack, key, [url.replace(HERE, at)], name=name, connectors=connectors)
        app.add_url_rule("/session/<account>", "session", lambda account: session(running, account))
        yield running


def session(running: Stack, account: str) -> Any:
    """A session of Ada's in this account, as the host's server asks for it."""
    answer = requests.post(
        f"{running.bff}/v1/sessions",
        json={"user": {"id": "ada"}, "account": {"id": account}},
        headers={"Authorization": f"Bearer {running.secret_key}"},
        timeout=10,
    )
    return answer.json()


def tag(stack: Stack, key: str, account: str) -> str:
    """The widget's tag in a page of that host, for a user of this account."""
    return (
        f"<script src='{stack.bff}/widget/v1/hitchpost.js' data-product='{key}'"
        f" data-session-url='/session/{account}' defer></script>"
    )
