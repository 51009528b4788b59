"""The services that routes use, created once for each app."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from flask import Flask, Request, current_app

from bff.connect.accepting import MismatchAcceptance
from bff.connect.attempt_view import AttemptViews
from bff.connect.completion import BrowserBinding
from bff.connect.forms import Forms
from bff.connect.housekeeping import Housekeeping
from bff.connect.idempotency import IdempotentBegin
from bff.connect.listing import AttemptList
from bff.connect.polling import AttemptPoller
from bff.connect.ports import AttemptStore, ReceiptSigner
from bff.connect.service import AttemptService
from bff.connect.sign_in_urls import SignInUrls
from bff.connections.disconnect_keys import DisconnectKeys
from bff.connections.ending import Ending
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
class AttemptServices:
    """Services of attempts, from the click to the outcome."""

    service: AttemptService
    acceptance: MismatchAcceptance
    forms: Forms
    browser_binding: BrowserBinding
    poller: AttemptPoller
    idempotent_begin: IdempotentBegin
    sign_in_urls: SignInUrls
    store: AttemptStore
    listing: AttemptList
    views: AttemptViews
    receipts: ReceiptSigner


@dataclass(frozen=True)
class ConnectionParts:
    """Services of connections."""

    service: Connections
    ending: Ending
    overview: Overview
    health: Health
    disconnect_keys: DisconnectKeys


@dataclass(frozen=True)
class Teams:
    """Services of the Studio: content, images, and who may edit."""

    content: ContentStore
    images: ImageStore
    studio: StudioStore


@dataclass(frozen=True)
class SessionParts:
    """Services that authenticate. ``identify`` is the host's own function, inside its Flask app."""

    tokens: SessionTokens
    ends: SessionEnds
    assertions: HostAssertions
    confirmations: Confirmations
    form_tokens: FormTokens
    identify: Identify | None


@dataclass(frozen=True)
class Upkeep:
    """Periodic work, and whether the database is usable."""

    housekeeping: Housekeeping
    checkpoints: Checkpoints
    storage_fault: Callable[[], str | None]


@dataclass(frozen=True)
class Urls:
    """URLs at which browsers reach the BFF, and the origin of the partner service."""

    public_url: str
    public_origin: str
    partner_origin: str


@dataclass(frozen=True)
class Services:
    """All services of one BFF."""

    products: ProductStore
    accounts: Accounts
    catalogue: Catalogue
    attempts: AttemptServices
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
    extension = app.extensions[EXTENSION]
    assert isinstance(extension, Services)  # noqa: S101  # for the type checker
    return extension
