"""The composition root: builds stores, clients and use-cases from the settings."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import Engine

from bff.common.background import background_pool, bounded_pool
from bff.common.secret import Secret, fingerprint
from bff.connect.accepting import MismatchAcceptance
from bff.connect.attempt_view import AttemptViews
from bff.connect.completion import BrowserBinding, SameBrowser
from bff.connect.context import ConnectContext
from bff.connect.events import EventFanOut, EventLogger, warn_of_several
from bff.connect.forms import Forms
from bff.connect.housekeeping import Housekeeping
from bff.connect.idempotency import IdempotentBegin
from bff.connect.launch_minting import LaunchMinter, MintedLaunch
from bff.connect.listing import AttemptList
from bff.connect.minting import Minter
from bff.connect.polling import AttemptPoller
from bff.connect.prefetch import Prefetcher
from bff.connect.receipts import Receipts
from bff.connect.service import AttemptService
from bff.connect.sign_in_urls import SignInUrls
from bff.connect.store import DatabaseAttempts
from bff.connections.connector_keys import ConnectorKeys
from bff.connections.disconnect_keys import DisconnectKeys
from bff.connections.ending import Ending
from bff.connections.health import Health
from bff.connections.ledger import Ledger
from bff.connections.overview import Overview
from bff.connections.running_sign_ins import RunningSignIns
from bff.connections.service import Connections
from bff.connections.store import DatabaseConnections, decide_within
from bff.content.logos.store import DatabaseImages
from bff.content.store import ContentStore
from bff.identity.host_assertions import JwtAssertions
from bff.identity.jwks import JwksUrls
from bff.identity.session_store import DatabaseSessionEnds, UsedAssertions
from bff.outbound.client import Limits
from bff.products.file import read_products
from bff.products.production import require_fit_for_production, webhook_policy
from bff.products.store import DatabaseProducts
from bff.purge import DatabasePurger
from bff.serving import metrics
from bff.serving.checkpoints import Checkpoints
from bff.serving.database import open_database
from bff.serving.rate_limits import storage_for
from bff.serving.readiness import Readiness
from bff.serving.store_clock import StoreClock
from bff.settings import Settings
from bff.storage.schema import SCHEMA
from bff.storage.sealing import Sealing
from bff.storage.tables import rate_limits
from bff.studio.store import DatabaseStudio
from bff.upstream.account_owners import DatabaseAccountOwners
from bff.upstream.accounts import Accounts
from bff.upstream.catalogue import Catalogue
from bff.upstream.client import PartnerClient
from bff.upstream.connector_store import DatabaseConnectors
from bff.upstream.own_accounts import OwnAccounts
from bff.upstream.retry_after import DatabaseQuiet, Quiet
from bff.upstream.shared_token import SharedToken
from bff.web.kit.confirmations import Confirmations
from bff.web.kit.form_tokens import FormTokens
from bff.web.kit.limits import Limits as CallLimits
from bff.web.kit.limits import Purpose, Rates
from bff.web.kit.services import (
    AttemptServices,
    ConnectionParts,
    Identify,
    Services,
    SessionParts,
    Teams,
    Upkeep,
    Urls,
)
from bff.web.kit.session_tokens import SessionTokens
from bff.web.studio.draft_products import DraftProducts
from bff.webhooks.bodies import Bodies
from bff.webhooks.endpoints import DatabaseEndpoints
from bff.webhooks.parts import build as build_webhooks
from bff.webhooks.parts import put_products

LOOK_UPS_AT_ONCE: Final = 16
"""Parallel look-ups of connectors in the partner service's catalogue, per worker."""


@dataclass(frozen=True)
class _Store:
    """The database, its clock, and the encryption of its secrets."""

    engine: Engine
    clock: StoreClock
    sealing: Sealing


def build_services(settings: Settings, identify: Identify | None = None) -> Services:
    """Build the services of the routes. Upgrades the schema, and applies the product file if one is set."""
    engine = open_database(settings.database_url, settings.threads)
    SCHEMA.start(engine)
    store = _Store(engine, StoreClock(engine), Sealing(settings.signing_keys()))
    products = DatabaseProducts(engine, settings.partner_service_url, settings.public_url, clock=store.clock)
    endpoints = DatabaseEndpoints(engine, lambda: store.sealing, store.clock)
    if settings.products is not None:
        from_file = read_products(settings.products)
        if settings.is_production:
            require_fit_for_production(settings.products, from_file, settings.allowed_webhook_networks)
        put_products(settings.products, products, endpoints, from_file)
    return _wire(settings, store, products, endpoints, identify)


def _wire(
    settings: Settings,
    store: _Store,
    products: DatabaseProducts,
    endpoints: DatabaseEndpoints,
    identify: Identify | None,
) -> Services:
    engine, clock = store.engine, store.clock
    upstream = _upstream(settings, store, products)
    every = timedelta(minutes=settings.health_minutes) if settings.health_minutes else None
    ledger = Ledger(DatabaseConnections(engine), clock, every, decide_within, products.sharing)
    pool = background_pool(settings.threads)
    keys = ConnectorKeys(upstream.catalogue, products.connectors)
    overview = Overview(upstream.partner, upstream.catalogue, ledger, clock, pool, keys)
    attempts = _attempts(settings, store, upstream, ledger, overview)
    sign_ins = RunningSignIns(ledger, attempts.store, attempts.poller, clock)
    content = ContentStore(engine, clock)
    bodies = Bodies(attempts.store, products, attempts.views)
    policy = webhook_policy(settings.allowed_webhook_networks, production=settings.is_production)
    return Services(
        products=DraftProducts(products, content, settings.public_origin),
        accounts=upstream.accounts,
        catalogue=upstream.catalogue,
        attempts=attempts,
        connections=ConnectionParts(
            Connections(ledger, upstream.partner, keys, sign_ins, clock),
            Ending(ledger, upstream.partner, overview, sign_ins, clock),
            overview,
            Health(ledger, upstream.partner, clock, upstream.pause_left, keys),
            DisconnectKeys(engine, clock),
        ),
        webhooks=build_webhooks(engine, endpoints, bodies, policy, clock),
        teams=Teams(content, DatabaseImages(engine, clock), DatabaseStudio(engine, clock, _random_token)),
        sessions=_sessions(settings, store, products, identify),
        upkeep=_upkeep(settings, store, attempts),
        limits=_limits(settings, engine, clock),
        clock=clock,
        urls=Urls(settings.public_url, settings.public_origin, settings.partner_origin),
    )


@dataclass(frozen=True)
class _Upstream:
    """The partner service, limited to the accounts of each product, and its catalogue."""

    accounts: Accounts
    partner: OwnAccounts
    catalogue: Catalogue
    pause_left: Callable[[], float]


def _upstream(settings: Settings, store: _Store, products: DatabaseProducts) -> _Upstream:
    credential = f"{settings.partner_api_url}\n{settings.partner_client_id}"
    client = _partner_client(settings, store, credential)
    metrics.watch_breaker("partner", client.breaker_state)
    owners = DatabaseAccountOwners(store.engine)
    accounts = Accounts(owners, products.account_names, client.takes_any_account_id)
    partner = OwnAccounts(client, accounts, DatabaseConnections(store.engine).existing)
    known = DatabaseConnectors(store.engine, credential)
    catalogue = Catalogue(partner, store.clock, known, bounded_pool(LOOK_UPS_AT_ONCE))
    return _Upstream(accounts, partner, catalogue, client.quiet.left)


def _attempts(
    settings: Settings, store: _Store, upstream: _Upstream, ledger: Ledger, overview: Overview
) -> AttemptServices:
    clock, partner, catalogue = store.clock, upstream.partner, upstream.catalogue
    minter = Minter(partner, catalogue, background_pool(settings.threads), warn_of_several, ledger)
    attempts = DatabaseAttempts(store.engine)
    events = EventFanOut(EventLogger(), overview)
    poller = AttemptPoller(attempts, partner, events, clock, ledger)
    context = ConnectContext(clock, _random_token, settings.public_url, settings.partner_service_url)
    same_browser = _same_browser(settings)
    browser_binding = BrowserBinding(attempts, partner, minter, poller, events, same_browser, context)
    launch_minter = LaunchMinter(browser_binding, attempts, context)
    forms = Forms(attempts, partner, minter, launch_minter, poller, context)
    # A queue of its own: what is minted ahead waits for work in the other one.
    prefetcher: Prefetcher[MintedLaunch | None] = Prefetcher(background_pool(settings.threads), clock)
    service = AttemptService(attempts, poller, catalogue, launch_minter, prefetcher, forms, context)
    receipts = Receipts(settings.signing_keys(), settings.public_url)
    return AttemptServices(
        service=service,
        acceptance=MismatchAcceptance(attempts, partner, poller, context),
        forms=forms,
        browser_binding=browser_binding,
        poller=poller,
        idempotent_begin=IdempotentBegin(service, attempts, clock, _random_token),
        sign_in_urls=SignInUrls(minter, attempts, context, ledger),
        store=attempts,
        listing=AttemptList(store.engine, clock),
        views=AttemptViews(receipts, settings.partner_origin),
        receipts=receipts,
    )


def _sessions(
    settings: Settings, store: _Store, products: DatabaseProducts, identify: Identify | None
) -> SessionParts:
    keys, clock, ends = settings.signing_keys(), store.clock, DatabaseSessionEnds(store.engine)
    used = UsedAssertions(store.engine)
    return SessionParts(
        tokens=SessionTokens(keys, clock, ends),
        ends=ends,
        assertions=JwtAssertions(
            products.assertion_rule, used, JwksUrls(), audience=settings.public_url, clock=clock
        ),
        confirmations=Confirmations(keys, clock),
        form_tokens=FormTokens(keys, clock),
        identify=identify,
    )


def _upkeep(settings: Settings, store: _Store, attempts: AttemptServices) -> Upkeep:
    engine, days = store.engine, timedelta(days=1)
    purger = DatabasePurger(engine, settings.retention_days * days, settings.webhook_retention_days * days)
    return Upkeep(
        Housekeeping(attempts.store, attempts.poller, purger, store.clock.cautious),
        Checkpoints(engine),
        Readiness(lambda: SCHEMA.fault(engine)).lacking,
    )


def partner_limits(settings: Settings) -> Limits:
    """The time-outs of calls to the partner service."""
    return Limits(
        connect=settings.partner_connect_timeout,
        read=settings.partner_read_timeout,
        total=settings.partner_total_timeout,
    )


def _partner_client(settings: Settings, store: _Store, credential: str) -> PartnerClient:
    def now() -> float:
        return store.clock().timestamp()

    return PartnerClient(
        settings.partner_api_url,
        settings.partner_client_id,
        Secret(settings.partner_client_secret.get_secret_value()),
        partner_limits(settings),
        share=lambda source: SharedToken(source, store.engine, store.sealing, credential, now),
        create_accounts=settings.partner_create_accounts,
        quiet=Quiet(DatabaseQuiet(store.engine, fingerprint(credential)), now),
    )


def _limits(settings: Settings, engine: Engine, clock: StoreClock) -> CallLimits:
    url = settings.limits_url.get_secret_value() if settings.limits_url else None
    rates = Rates(
        settings.limit_address,
        settings.limit_failures,
        {
            Purpose.ATTEMPT: settings.limit_user_attempts,
            Purpose.REPEAT: settings.limit_user_attempts,
            Purpose.PRESS: settings.limit_user_launches,
            Purpose.LAUNCH: settings.limit_user_launches,
            Purpose.DISCONNECT: settings.limit_user_launches,
            Purpose.TOKEN: settings.limit_connection_tokens,
        },
        {
            Purpose.ATTEMPT: settings.limit_account_attempts,
            Purpose.REPEAT: settings.limit_account_attempts,
            Purpose.PRESS: settings.limit_account_launches,
            Purpose.LAUNCH: settings.limit_account_launches,
            Purpose.DISCONNECT: settings.limit_account_launches,
            Purpose.TOKEN: settings.limit_account_tokens,
        },
        settings.limit_product_attempts,
    )
    return CallLimits(rates, *storage_for(url, engine, rate_limits, workers=settings.workers, clock=clock))


def _same_browser(settings: Settings) -> SameBrowser:
    if settings.same_browser == "auto":
        return SameBrowser.WHERE_POSSIBLE if settings.public_url.startswith("https:") else SameBrowser.OFF
    return SameBrowser(settings.same_browser)


def _random_token() -> str:
    return secrets.token_urlsafe(32)
