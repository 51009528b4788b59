"""The core over a real database, with a model of the partner service and a clock that stands still."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from typing import Final

from bff.common.secret import fingerprint
from bff.connect.accepting import MismatchAcceptance
from bff.connect.attempt import Attempt
from bff.connect.completion import BrowserBinding, SameBrowser
from bff.connect.context import ConnectContext
from bff.connect.forms import Forms
from bff.connect.launch_minting import LaunchMinter
from bff.connect.minting import Minter
from bff.connect.new_attempt import BeginRequest
from bff.connect.polling import AttemptPoller
from bff.connect.prefetch import Prefetcher
from bff.connect.service import AttemptService
from bff.connect.store import DatabaseAttempts
from bff.content.product import Message, MessageKind, OfferedConnector, Product
from bff.identity.principal import AccountRef, Principal, User
from bff.serving.database import open_database
from bff.storage.schema import SCHEMA
from bff.upstream.catalogue import Catalogue
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
    poller: AttemptPoller
    connect: AttemptService
    acceptance: MismatchAcceptance

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
    poller = AttemptPoller(attempts, partner, NoEvents(), clock)
    catalogue = Catalogue(partner, clock, NoStore(), at_once)
    context = ConnectContext(clock, _random_token, "https://bff.example", "https://partner.example")
    minter = Minter(partner, catalogue, at_once)
    browser_binding = BrowserBinding(
        attempts,
        partner,
        minter,
        poller,
        NoEvents(),
        SameBrowser.OFF,
        context,
    )
    launch_minter = LaunchMinter(browser_binding, attempts, context)
    forms = Forms(attempts, partner, minter, launch_minter, poller, context)
    connect = AttemptService(
        attempts,
        poller,
        catalogue,
        launch_minter,
        Prefetcher(at_once, clock),
        forms,
        context,
    )
    acceptance = MismatchAcceptance(attempts, partner, poller, context)
    return Core(clock, partner, attempts, poller, connect, acceptance)


def _random_token() -> str:
    return fingerprint(secrets.token_urlsafe(32))
