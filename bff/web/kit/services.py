"""What the routes work with, put together once by ``bff/app.py``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from flask import Flask, Request, current_app

from bff.connect.account_choice import AccountChoice
from bff.connect.attempt_view import AttemptViews
from bff.connect.completion import Completions
from bff.connect.forms import Forms
from bff.connect.housekeeping import Housekeeping
from bff.connect.idempotency import Repeats
from bff.connect.listing import AttemptList
from bff.connect.polling import Watch
from bff.connect.ports import AttemptStore, ReceiptSigner
from bff.connect.service import Connect
from bff.connect.sign_in_urls import SignInUrls
from bff.connections.health import Health
from bff.connections.overview import Overview
from bff.connections.service import Connections
from bff.content.ports import ContentStore, ImageStore, ProductStore
from bff.identity.principal import Principal
from bff.identity.sessions import HostAssertions, SessionEnds
from bff.serving.checkpoints import Checkpoints
from bff.studio.access import StudioStore
from bff.upstream.accounts import Accounts
from bff.upstream.catalogue import Catalogue
from bff.web.kit.confirmations import Confirmations
from bff.web.kit.form_tokens import FormTokens
from bff.web.kit.limits import Limits
from bff.web.kit.session_tokens import SessionTokens
from bff.webhooks.parts import WebhookParts

Identify = Callable[[Request], Principal | None]
EXTENSION = "hitchpost"


@dataclass(frozen=True)
class Clicks:
    """A sign-in from its click to its end, and what is told of it."""

    connect: Connect
    account_choice: AccountChoice
    forms: Forms
    completions: Completions
    watch: Watch
    repeats: Repeats
    sign_in_urls: SignInUrls
    attempts: AttemptStore
    attempt_list: AttemptList
    attempt_views: AttemptViews
    receipts: ReceiptSigner


@dataclass(frozen=True)
class ConnectionParts:
    """What stands after a click: seen, ended, and looked after."""

    service: Connections
    overview: Overview
    health: Health


@dataclass(frozen=True)
class Teams:
    """What product teams write, and by whom."""

    content: ContentStore
    images: ImageStore
    studio: StudioStore


@dataclass(frozen=True)
class SessionParts:
    """Who is signed in. ``identify`` is the host's own, inside its Flask app."""

    tokens: SessionTokens
    ends: SessionEnds
    assertions: HostAssertions
    confirmations: Confirmations
    form_tokens: FormTokens
    identify: Identify | None


@dataclass(frozen=True)
class Upkeep:
    """What is done in rounds, and whether the database can be used."""

    housekeeping: Housekeeping
    checkpoints: Checkpoints
    storage_fault: Callable[[], str | None]


@dataclass(frozen=True)
class Urls:
    """Where browsers reach the BFF and the partner service."""

    public_url: str
    public_origin: str
    partner_origin: str


@dataclass(frozen=True)
class Services:
    """The use-cases and adapters of one BFF."""

    products: ProductStore
    accounts: Accounts
    catalogue: Catalogue
    clicks: Clicks
    connections: ConnectionParts
    webhooks: WebhookParts
    teams: Teams
    sessions: SessionParts
    upkeep: Upkeep
    limits: Limits
    clock: Callable[[], datetime]
    urls: Urls


def services() -> Services:
    """The services of the app that handles this request."""
    return services_of(current_app)


def services_of(app: Flask) -> Services:
    """The services of this app."""
    found = app.extensions[EXTENSION]
    assert isinstance(found, Services)  # nosec B101  # for the type checker
    return found
