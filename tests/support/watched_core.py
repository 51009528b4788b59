"""The core as in ``core.py``, with a partner service and listeners that remember what they were told."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Final

from sqlalchemy import Engine

from bff.common.errors import PartnerUnavailable
from bff.connect.accepting import MismatchAcceptance
from bff.connect.attempt import Attempt
from bff.connect.completion import BrowserBinding, SameBrowser
from bff.connect.context import ConnectContext
from bff.connect.forms import Forms
from bff.connect.launch_minting import LaunchMinter, MintedLaunch
from bff.connect.minting import Minter
from bff.connect.polling import AttemptPoller
from bff.connect.prefetch import Prefetcher
from bff.connect.service import AttemptService
from bff.connect.sign_in_urls import SignInUrls
from bff.connect.store import DatabaseAttempts
from bff.content.product import Message, MessageKind, OfferedConnector, Product
from bff.identity.principal import AccountRef, Principal, User
from bff.serving.database import open_database
from bff.storage.schema import SCHEMA
from bff.upstream.catalogue import Catalogue
from bff.upstream.protocol import AccountConnector, CompletionRequest, Connector, SignInToken
from tests.support.core import Core
from tests.support.later import Later
from tests.support.model_partner import Clock, ModelPartner, NoStore, at_once

HOST: Final = "https://app.example"
PUBLIC: Final = "https://bff.example"
SERVICE: Final = "https://partner.example"
CRM: Final = OfferedConnector("crm", "CRM", "crm-reference")
EVERYTHING: Final = "{attempt}|{connector}|{connector_name}|{account}|{user}|{locale}"
PRODUCT: Final = Product(
    key="demo",
    name="Demo",
    origins=(HOST, "https://second.example"),
    connectors=(CRM, OfferedConnector("mail-box", "", "mail-reference")),
    messages={
        "default": Message(MessageKind.PLAIN, {("*", "*"): "done", ("*", "de"): "fertig"}),
        "all": Message(MessageKind.PLAIN, {("*", "*"): EVERYTHING}),
        "sealed": Message(MessageKind.SEALED, {("*", "*"): "connected:{connector}"}),
        "mail": Message(MessageKind.PLAIN, {("mail-box", "*"): "mail only"}),
    },
)
ACME: Final = AccountRef("acme", "Acme Inc.")
ADA: Final = Principal("demo", ACME, User("ada"))


@dataclass
class WatchedPartner(ModelPartner):
    """Remembers each question, and fails those whose names are in ``fails``.

    ``troubles`` is what is raised when it is asked what is installed in an account, by the account's id.
    """

    asked: list[tuple[Any, ...]] = field(default_factory=list)
    fails: set[str] = field(default_factory=set)
    troubles: dict[str, Exception] = field(default_factory=dict)
    installed: list[AccountConnector] | None = None
    gone: bool = False
    tells_with_token: bool = False

    def find_connector(self, account: AccountRef, reference: str) -> Connector:
        """There is one."""
        self._note("find", account, reference)
        return Connector(1, reference)

    def list_account_connectors(self, account: AccountRef) -> list[AccountConnector]:
        """What the test says is installed, or the usual one."""
        self._note("list", account)
        if account.id in self.troubles:
            raise self.troubles[account.id]
        return [self._told()] if self.installed is None else self.installed

    def install_connector(self, account: AccountRef, connector: Connector) -> AccountConnector:
        """It is installed now."""
        self._note("install", account, connector)
        return AccountConnector(70, "New", connector.id, "New", authenticated=False, sign_ins=())

    def install_another(self, account: AccountRef, connector: Connector) -> AccountConnector:
        """Another one each time."""
        return replace(self.install_connector(account, connector), id=69 + len(self.of("install")))

    def mint_sign_in_token(
        self,
        account: AccountRef,
        username: str,
        completion: CompletionRequest | None = None,
        connector: Connector | None = None,
    ) -> SignInToken:
        """A token of its own for every attempt."""
        self._note("mint", account, username)
        token = super().mint_sign_in_token(account, username, completion, connector)
        return replace(token, account_connector=self._told() if self.tells_with_token and connector else None)

    def get_account_connector(self, account: AccountRef, account_connector_id: int) -> AccountConnector:
        """What a check is told."""
        self._note("get", account, account_connector_id)
        found = super().get_account_connector(account, account_connector_id)
        return None if self.gone else found  # type: ignore[return-value]

    def accept_sign_in(self, account: AccountRef, account_connector_id: int, token_sha256: str) -> None:
        """The other account is taken."""
        self._note("accept", account, account_connector_id, token_sha256)
        super().accept_sign_in(account, account_connector_id, token_sha256)

    def of(self, name: str) -> list[tuple[Any, ...]]:
        """The questions of this name, each by what it was asked with."""
        return [rest for asked, *rest in self.asked if asked == name]  # type: ignore[misc]

    def _note(self, *told: Any) -> None:
        self.asked.append(told)
        if told[0] in self.fails:
            raise PartnerUnavailable(f"{told[0]} fails")


@dataclass
class HeardEvents:
    """Remembers what happened to which attempt."""

    heard: list[tuple[str, Attempt]] = field(default_factory=list)

    def emit(self, event: str, attempt: Attempt) -> None:
        """It happened."""
        self.heard.append((event, attempt))


@dataclass
class WatchedCore(Core):
    """The use-cases, and what they stand on."""

    partner: WatchedPartner
    events: HeardEvents
    urls: SignInUrls
    tokens: list[str]
    prefetcher: Prefetcher[MintedLaunch | None]
    later: Later
    engine: Engine


@contextlib.contextmanager
def open_watched_core(database_url: str) -> Iterator[WatchedCore]:
    """A core over a new database at this URL."""
    engine = open_database(database_url)
    SCHEMA.upgrade(engine)
    yield build_watched_core(engine)
    engine.dispose()


def build_watched_core(engine: Engine) -> WatchedCore:
    """A core of its own, over a database that has its tables."""
    clock, events, tokens = Clock(), HeardEvents(), list[str]()
    partner = WatchedPartner(clock)
    attempts = DatabaseAttempts(engine)
    poller = AttemptPoller(attempts, partner, events, clock)
    catalogue = Catalogue(partner, clock, NoStore(), at_once)
    minter = Minter(partner, catalogue, at_once)

    def random_token() -> str:
        tokens.append(secrets.token_urlsafe(32))
        return tokens[-1]

    context = ConnectContext(clock, random_token, PUBLIC, SERVICE)
    browser_binding = BrowserBinding(
        attempts,
        partner,
        minter,
        poller,
        events,
        SameBrowser.OFF,
        context,
    )
    later = Later()
    prefetcher: Prefetcher[MintedLaunch | None] = Prefetcher(later, clock)
    launch_minter = LaunchMinter(browser_binding, attempts, context)
    forms = Forms(attempts, partner, minter, launch_minter, poller, context)
    connect = AttemptService(
        attempts,
        poller,
        catalogue,
        launch_minter,
        prefetcher,
        forms,
        context,
    )
    urls = SignInUrls(minter, attempts, context)
    acceptance = MismatchAcceptance(attempts, partner, poller, context)
    return WatchedCore(
        clock, partner, attempts, poller, connect, acceptance, events, urls, tokens, prefetcher, later, engine
    )
