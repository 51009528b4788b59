"""Settings -> adapters -> use-cases: what the routes work with. Only here are the real things chosen."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import Engine

from bff.common.background import Aside, T
from bff.common.secret import Secret, fingerprint
from bff.connect.account_choice import AccountChoice
from bff.connect.attempt_view import AttemptViews
from bff.connect.completion import Completions, SameBrowser
from bff.connect.events import AllOf, LoggedEvents, several_installs
from bff.connect.forms import Forms
from bff.connect.housekeeping import Housekeeping
from bff.connect.idempotency import Repeats
from bff.connect.launch_minting import LaunchMinter
from bff.connect.listing import AttemptList
from bff.connect.minting import Minter
from bff.connect.polling import Watch
from bff.connect.prefetch import Ahead
from bff.connect.purge import Purge
from bff.connect.receipts import Receipts
from bff.connect.service import Connect
from bff.connect.sign_in_urls import SignInUrls
from bff.connect.store import DatabaseAttempts
from bff.connect.surroundings import Surroundings
from bff.connections.health import Health
from bff.connections.ledger import Ledger
from bff.connections.overview import Overview
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
from bff.serving import metrics
from bff.serving.blocking import is_patched
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
from bff.web.kit.services import Identify, Services
from bff.web.kit.session_tokens import SessionTokens
from bff.web.studio.draft_products import DraftProducts
from bff.webhooks.bodies import Bodies
from bff.webhooks.endpoints import DatabaseEndpoints
from bff.webhooks.parts import build as build_webhooks
from bff.webhooks.parts import put_product

LOOK_UPS_AT_ONCE: Final = 16
"""Connectors that one worker asks the partner service's catalogue for at a time."""
GREENLETS: Final = 512
"""So many calls are made aside at once where each is a greenlet."""


@dataclass(frozen=True)
class _Store:
    """The database, its clock, and what seals secrets in it: one of each for all that stands on them."""

    engine: Engine
    clock: StoreClock
    sealing: Sealing


def build_services(settings: Settings, identify: Identify | None = None) -> Services:
    """Everything that the routes work with, from the settings."""
    engine = open_database(settings.database_url, settings.threads)
    SCHEMA.upgrade(engine)
    store = _Store(engine, StoreClock(engine), Sealing(settings.signing_keys()))
    products = DatabaseProducts(engine, settings.partner_service_url)
    endpoints = DatabaseEndpoints(engine, lambda: store.sealing, store.clock)
    if settings.products is not None:
        found = read_products(settings.products)
        if settings.is_production:
            require_fit_for_production(settings.products, found, settings.allowed_webhook_networks)
        for applied in found:
            put_product(products, endpoints, applied)
    return _wire(settings, store, products, endpoints, identify)


def _wire(
    settings: Settings,
    store: _Store,
    products: DatabaseProducts,
    endpoints: DatabaseEndpoints,
    identify: Identify | None,
) -> Services:
    engine, clock = store.engine, store.clock
    credential = f"{settings.partner_api_url}\n{settings.partner_client_id}"
    client = _partner_client(settings, store, credential)
    metrics.watch_breaker("partner", client.breaker_state)
    accounts = Accounts(DatabaseAccountOwners(engine), products, client.takes_any_account_id)
    partner = OwnAccounts(client, accounts)
    catalogue = Catalogue(partner, clock, DatabaseConnectors(engine, credential), _at_most(LOOK_UPS_AT_ONCE))
    minutes = settings.health_minutes
    every = timedelta(minutes=minutes) if minutes else None
    ledger = Ledger(DatabaseConnections(engine), clock, every, decide_within, products.sharing)
    minter = Minter(partner, catalogue, _aside(settings.threads), several_installs, ledger)
    attempts = DatabaseAttempts(engine)
    overview = Overview(partner, catalogue, ledger, clock, _aside(settings.threads))
    events = AllOf(LoggedEvents(), overview)
    watch = Watch(attempts, partner, events, clock, ledger)
    around = Surroundings(clock, _random_token, settings.public_url, settings.partner_service_url)
    completions = Completions(
        attempts,
        partner,
        minter,
        watch,
        events,
        _same_browser(settings),
        around,
    )
    launches = LaunchMinter(completions, attempts, around)
    forms = Forms(attempts, partner, minter, launches, watch, around)
    connect = Connect(
        attempts,
        watch,
        catalogue,
        launches,
        # A queue of its own: what is minted ahead waits for work in the other one.
        Ahead(_aside(settings.threads), clock),
        forms,
        around,
    )
    content, session_ends = ContentStore(engine, clock), DatabaseSessionEnds(engine)
    purge = Purge(
        engine, timedelta(days=settings.retention_days), timedelta(days=settings.webhook_retention_days)
    )
    receipts = Receipts(settings.signing_keys(), settings.public_url)
    views = AttemptViews(receipts, settings.partner_origin)
    policy = webhook_policy(settings.allowed_webhook_networks, production=settings.is_production)
    return Services(
        accounts=accounts,
        connect=connect,
        account_choice=AccountChoice(attempts, partner, watch, around),
        forms=forms,
        completions=completions,
        watch=watch,
        attempts=attempts,
        overview=overview,
        connections=Connections(ledger, partner, catalogue, overview, attempts, watch, clock),
        health=Health(ledger, partner, clock),
        catalogue=catalogue,
        sign_in_urls=SignInUrls(minter, attempts, settings.partner_service_url, clock),
        products=DraftProducts(products, content, settings.public_origin),
        content=content,
        images=DatabaseImages(engine),
        studio=DatabaseStudio(engine, clock, _random_token),
        receipts=receipts,
        attempt_views=views,
        attempt_list=AttemptList(engine),
        webhooks=build_webhooks(engine, endpoints, Bodies(attempts, products, views), policy, clock),
        limits=_limits(settings, engine, clock),
        housekeeping=Housekeeping(attempts, watch, purge, clock.cautious),
        checkpoints=Checkpoints(engine),
        session_tokens=SessionTokens(settings.signing_keys(), clock, session_ends),
        confirmations=Confirmations(settings.signing_keys(), clock),
        form_tokens=FormTokens(settings.signing_keys()),
        session_ends=session_ends,
        assertions=JwtAssertions(
            products.assertion_rule,
            UsedAssertions(engine),
            JwksUrls(),
            audience=settings.public_url,
            clock=clock,
        ),
        repeats=Repeats(connect, attempts, clock, _random_token),
        identify=identify,
        storage_fault=Readiness(lambda: SCHEMA.fault(engine)).lacking,
        clock=clock,
        public_url=settings.public_url,
        public_origin=settings.public_origin,
        partner_origin=settings.partner_origin,
    )


def _partner_client(settings: Settings, store: _Store, credential: str) -> PartnerClient:
    return PartnerClient(
        settings.partner_api_url,
        settings.partner_client_id,
        Secret(settings.partner_client_secret.get_secret_value()),
        Limits(
            connect=settings.partner_connect_timeout,
            read=settings.partner_read_timeout,
            total=settings.partner_total_timeout,
        ),
        share=lambda source: SharedToken(source, store.engine, store.sealing, credential),
        create_accounts=settings.partner_create_accounts,
        quiet=Quiet(DatabaseQuiet(store.engine, fingerprint(credential))),
    )


def _limits(settings: Settings, engine: Engine, clock: StoreClock) -> CallLimits:
    url = settings.limits_url.get_secret_value() if settings.limits_url else None
    rates = Rates(
        settings.limit_address,
        settings.limit_failures,
        {
            Purpose.ATTEMPT: settings.limit_user_attempts,
            Purpose.PRESS: settings.limit_user_launches,
            Purpose.LAUNCH: settings.limit_user_launches,
            Purpose.DISCONNECT: settings.limit_user_launches,
            Purpose.TOKEN: settings.limit_connection_tokens,
        },
        {
            Purpose.ATTEMPT: settings.limit_account_attempts,
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


def _aside(threads: int) -> Aside:
    return _at_most(GREENLETS if is_patched() else threads)


def _at_most(size: int) -> Aside:
    pools: dict[int, ThreadPoolExecutor] = {}

    def begin(work: Callable[[], T]) -> Future[T]:
        # Threads do not survive a fork, and a pool that believes in them would wait for ever.
        pool = pools.get(os.getpid())
        if pool is None:
            fresh = ThreadPoolExecutor(size, thread_name_prefix="aside")
            pool = pools.setdefault(os.getpid(), fresh)
        # Its lines in the log belong to the same request.
        return pool.submit(copy_context().run, work)

    return begin


def _random_token() -> str:
    return secrets.token_urlsafe(32)
