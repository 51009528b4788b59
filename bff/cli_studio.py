"""``hitchpost studio``: links that let people in."""

from __future__ import annotations

import argparse
import secrets
import sys
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote

from sqlalchemy import Engine

from bff.adapters.database import open_database, upgrade
from bff.adapters.product_store import DatabaseProducts
from bff.adapters.studio_store import DatabaseStudio
from bff.core.errors import NotFound
from bff.core.studio_access import INVITE_LIFE, Role, email_fault
from bff.core.words import Words
from bff.settings import database_url, public_url

FAULTY: Final = 2


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """``hitchpost studio invite``."""
    text = "let people in to the Studio"
    studio = commands.add_parser("studio", help=text, description=text)
    actions = studio.add_subparsers(required=True, metavar="ACTION")
    about = "print a link that signs one person in, once, within 24 hours"
    invite = actions.add_parser("invite", help=about, description=about)
    invite.add_argument("email", metavar="EMAIL")
    invite.add_argument("--product", required=True, metavar="KEY")
    invite.add_argument("--role", choices=[role.value for role in Role], default=Role.EDITOR.value)
    invite.set_defaults(run=_invite)


def make_link(engine: Engine, base: str, product: str, email: str, role: Role) -> str:
    """The link of a new invite. Raises ``NotFound`` when there is no such product."""
    store = DatabaseStudio(engine, lambda: datetime.now(UTC), lambda: secrets.token_urlsafe(32))
    return f"{base}/studio/enter/{store.invite(product, email, role).reveal()}"


def _invite(arguments: argparse.Namespace) -> int:
    if fault := email_fault(arguments.email):
        print(fault, file=sys.stderr)
        return FAULTY
    base, engine = public_url(), open_database(database_url())
    upgrade(engine)
    products = DatabaseProducts(engine)
    try:
        link = make_link(engine, base, arguments.product, arguments.email, Role(arguments.role))
    except NotFound:
        known = ", ".join(products.keys()) or "none"
        print(f"there is no product {arguments.product!r}; there are: {known}", file=sys.stderr)
        return FAULTY
    words, product = Words(products.get(arguments.product)), products.get(arguments.product)
    assert product is not None
    values = {
        "product_name": product.name,
        "email": arguments.email,
        "link": link,
        "url": link,
        "hours": str(int(INVITE_LIFE.total_seconds() // 3600)),
    }
    subject, body = (words.text(f"mail_invite_{part}", **values) for part in ("subject", "body"))
    if link not in body:
        body = f"{body}\n\n{link}"
    print(link)
    print(
        f"mailto:{quote(arguments.email, safe='@')}?subject={quote(subject, safe='')}&body={quote(body, safe='')}"
    )
    return 0
