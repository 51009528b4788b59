"""What the routes work with, put together once by ``bff/app.py``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from flask import Flask, Request, current_app

from bff.core.accounts import Accounts
from bff.core.catalogue import Catalogue
from bff.core.completion import Completions
from bff.core.connect import Connect
from bff.core.housekeeping import Housekeeping
from bff.core.model import Principal
from bff.core.overview import Overview
from bff.core.ports import AttemptStore, ContentStore, ImageStore, ProductStore, ReceiptSigner
from bff.core.repeats import Repeats
from bff.core.sessions import HostAssertions, SessionEnds
from bff.core.sign_in_urls import SignInUrls
from bff.core.studio_access import StudioStore
from bff.core.watch import Watch
from bff.http.confirmations import Confirmations
from bff.http.limits import Limits
from bff.http.session_tokens import SessionTokens
from bff.serving.checkpoints import Checkpoints

Identify = Callable[[Request], Principal | None]
EXTENSION = "hitchpost"


@dataclass(frozen=True)
class Services:
    """The use-cases and adapters of one BFF. ``identify`` is the host's own, inside its Flask app."""

    accounts: Accounts
    connect: Connect
    completions: Completions
    watch: Watch
    attempts: AttemptStore
    overview: Overview
    catalogue: Catalogue
    sign_in_urls: SignInUrls
    products: ProductStore
    content: ContentStore
    images: ImageStore
    studio: StudioStore
    session_tokens: SessionTokens
    confirmations: Confirmations
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
