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
class Services:
    """The use-cases and adapters of one BFF. ``identify`` is the host's own, inside its Flask app."""

    accounts: Accounts
    connect: Connect
    account_choice: AccountChoice
    forms: Forms
    completions: Completions
    watch: Watch
    attempts: AttemptStore
    attempt_list: AttemptList
    attempt_views: AttemptViews
    webhooks: WebhookParts
    overview: Overview
    connections: Connections
    health: Health
    catalogue: Catalogue
    sign_in_urls: SignInUrls
    products: ProductStore
    content: ContentStore
    images: ImageStore
    studio: StudioStore
    session_tokens: SessionTokens
    confirmations: Confirmations
    form_tokens: FormTokens
    session_ends: SessionEnds
    assertions: HostAssertions
    repeats: Repeats
    receipts: ReceiptSigner
    limits: Limits
    housekeeping: Housekeeping
    checkpoints: Checkpoints
    identify: Identify | None
    storage_fault: Callable[[], str | None]
    clock: Callable[[], datetime]
    public_url: str
    public_origin: str
    partner_origin: str


def services() -> Services:
    """The services of the app that handles this request."""
    return services_of(current_app)


def services_of(app: Flask) -> Services:
    """The services of this app."""
    found = app.extensions[EXTENSION]
    assert isinstance(found, Services)  # nosec B101  # for the type checker
    return found
