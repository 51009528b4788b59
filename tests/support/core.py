"""The core over a real database, with a model of the partner service and a clock that stands still."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from typing import Final

from bff.adapters.attempt_store import DatabaseAttempts
from bff.adapters.database import SCHEMA
from bff.core.ahead import Ahead
from bff.core.catalogue import Catalogue
from bff.core.completion import Completions, Places, SameBrowser
from bff.core.connect import BeginRequest, Connect
from bff.core.minting import Minter
from bff.core.model import Attempt, Message, MessageKind, OfferedConnector, Principal, Product, User
from bff.core.ports import AccountRef
from bff.core.secret import fingerprint
from bff.core.watch import Watch
from bff.serving.database import open_database
from tests.support.model_partner import Clock, ModelPartner, NoEvents, NoStore, at_once

ORIGIN: Final = "https://app.example"
PRODUCT: Final = Product(
    key="demo",
    name="Demo",
    origins=(ORIGIN,),
    connectors=(OfferedConnector("crm", "CRM", "crm"),),
    messages={"default": Message(MessageKind.PLAIN, {("*", "*"): "done"})},
)
ADA: Final = Principal("demo", AccountRef("acme", "Acme"), User("ada"))


@dataclass
class Core:
    """The use-cases, and what they stand on."""

    clock: Clock
    partner: ModelPartner
    attempts: DatabaseAttempts
    watch: Watch
    connect: Connect

    def launched(self, *, user: str = "ada") -> Attempt:
        """An attempt whose user is at the partner service now."""
        who = replace(ADA, user=User(user))
        attempt, token = self.connect.begin(PRODUCT, who, BeginRequest("crm", ORIGIN))
        self.connect.launch(self.connect.peek(token))
        return self.read(attempt)

    def read(self, attempt: Attempt) -> Attempt:
        """The attempt as it is stored."""
        return self.connect.read(attempt.id, "demo")

    def finish(self, attempt: Attempt, result: str, *, error: str | None = None) -> None:
        """The user's sign-in ends."""
        assert attempt.sign_in_token_sha256 is not None
        self.partner.finish(attempt.sign_in_token_sha256, result, error=error)


def build_core(database_url: str, *, tells: bool = True) -> Core:
    """A core of its own."""
    clock = Clock()
    partner = ModelPartner(clock, tells=tells)
    engine = open_database(database_url)
    SCHEMA.upgrade(engine)
    attempts = DatabaseAttempts(engine)
    watch = Watch(attempts, partner, NoEvents(), clock)
    catalogue = Catalogue(partner, clock, NoStore(), at_once)
    places = Places("https://bff.example", "https://partner.example")
    completions = Completions(
        attempts,
        partner,
        Minter(partner, catalogue, at_once),
        watch,
        NoEvents(),
        SameBrowser.OFF,
        places,
        clock=clock,
        random_token=_random_token,
    )
    connect = Connect(
        attempts,
        partner,
        watch,
        catalogue,
        completions,
        Ahead(at_once, clock),
        public_url=places.public_url,
        partner_service_url=places.partner_service_url,
        clock=clock,
        random_token=_random_token,
    )
    return Core(clock, partner, attempts, watch, connect)


def _random_token() -> str:
    return fingerprint(secrets.token_urlsafe(32))
