"""``hitchpost studio``: invites people to the Studio, and ends their sessions."""

from __future__ import annotations

import argparse
import sys
from datetime import datetime
from typing import Any
from urllib.parse import quote

from bff.cli import FAULTY
from bff.common.errors import NotFound
from bff.content.product import Product
from bff.content.words import Words
from bff.products.store import DatabaseProducts
from bff.serving.store_clock import StoreClock
from bff.settings import database_url, public_url
from bff.storage.schema import SCHEMA
from bff.studio.access import INVITE_LIFE, Role, email_fault
from bff.studio.invites import make_link, studio_store


def add_commands(actions: Any) -> None:
    """Add the subcommands of ``hitchpost studio``."""
    about = "print a link that signs one person in, once, within 24 hours"
    invite = actions.add_parser("invite", help=about, description=about)
    invite.add_argument("email", metavar="EMAIL")
    invite.add_argument("--product", required=True, metavar="KEY")
    invite.add_argument("--role", choices=[role.value for role in Role], default=Role.EDITOR.value)
    invite.set_defaults(run=_invite)
    about = "end every session of a person, and the links that they have not used"
    end = actions.add_parser("end-sessions", help=about, description=about)
    end.add_argument("email", metavar="EMAIL")
    end.set_defaults(run=_end_sessions)


def _invite(arguments: argparse.Namespace) -> int:
    if fault := email_fault(arguments.email):
        print(fault, file=sys.stderr)
        return FAULTY
    base, engine = public_url(), SCHEMA.open(database_url())
    link = make_link(engine, base, arguments.product, arguments.email, Role(arguments.role))
    product = DatabaseProducts(engine).get(arguments.product)
    print(link)
    print(_mail(arguments.email, link, product, StoreClock(engine)() + INVITE_LIFE))
    return 0


def _end_sessions(arguments: argparse.Namespace) -> int:
    ended = studio_store(SCHEMA.open(database_url())).end_sessions(arguments.email)
    if ended is None:
        raise NotFound(
            f"there is nobody of the address {arguments.email!r} in the Studio: no session, and no invitation"
        )
    print(f"sessions ended: {ended.sessions}; unused invitations ended: {ended.invites}")
    return 0


def _mail(email: str, link: str, product: Product | None, until: datetime) -> str:
    """A ``mailto:`` link that opens the invitation mail, in the product's words."""
    words = Words(product)
    subject = words.text("mail_invite_subject", product_name=product.name if product else "")
    body = words.text("mail_invite_body", link=link, expires_at=f"{until:%Y-%m-%d %H:%M} UTC")
    return f"mailto:{quote(email, safe='@')}?subject={quote(subject, safe='')}&body={quote(body, safe='')}"
