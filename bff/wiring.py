"""Settings -> adapters -> use-cases: what the routes work with. Only here are the real things chosen."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from datetime import timedelta
from typing import Final

from sqlalchemy import Engine

from bff.adapters.account_owners import DatabaseAccountOwners
from bff.adapters.attempt_store import DatabaseAttempts
from bff.adapters.connector_store import DatabaseConnectors
from bff.adapters.content_store import ContentStore
from bff.adapters.database import SCHEMA
from bff.adapters.events import LoggedEvents, several_installs
from bff.adapters.host_assertions import JwtAssertions
from bff.adapters.http_client import Limits
from bff.adapters.image_store import DatabaseImages
from bff.adapters.jwks import JwksUrls
from bff.adapters.partner_client import PartnerClient
from bff.adapters.product_file import read_products
from bff.adapters.product_production import require_fit_for_production
from bff.adapters.product_store import DatabaseProducts
from bff.adapters.purge import Purge
from bff.adapters.quiet import DatabaseQuiet, Quiet
from bff.adapters.receipts import Receipts
from bff.adapters.sealing import Sealing
from bff.adapters.session_store import DatabaseSessionEnds, UsedAssertions
from bff.adapters.shared_token import SharedToken
from bff.adapters.studio_store import DatabaseStudio
from bff.adapters.tables import rate_limits
from bff.core.accounts import Accounts
from bff.core.ahead import Ahead
from bff.core.catalogue import Catalogue
from bff.core.completion import Completions, Places, SameBrowser
from bff.core.connect import Connect
from bff.core.housekeeping import Housekeeping
from bff.core.minting import Minter
from bff.core.overview import Overview
from bff.core.own_accounts import OwnAccounts
from bff.core.ports import Aside, T
from bff.core.repeats import Repeats
from bff.core.secret import Secret, fingerprint
from bff.core.sign_in_urls import SignInUrls
from bff.core.watch import Watch
from bff.http.confirmations import Confirmations
from bff.http.limits import Limits as CallLimits
from bff.http.limits import Purpose, Rates
from bff.http.services import Identify, Services
from bff.http.session_tokens import SessionTokens
from bff.http.studio.draft_products import DraftProducts
from bff.serving import metrics
from bff.serving.blocking import is_patched
from bff.serving.checkpoints import Checkpoints
from bff.serving.database import open_database
from bff.serving.rate_limits import storage_for
from bff.serving.readiness import Readiness
from bff.serving.store_clock import StoreClock
from bff.settings import Settings

LOOK_UPS_AT_ONCE: Final = 16
"""Connectors that one worker asks the partner service's catalogue for at a time."""
GREENLETS: Final = 512
"""So many calls are made aside at once where each is a greenlet."""


def build_services(settings: Settings, identify: Identify | None = None) -> Services:
    """Everything that the routes work with, from the settings."""
    engine = open_database(settings.database_url, settings.threads)
    SCHEMA.upgrade(engine)
    products = DatabaseProducts(engine, settings.partner_service_url)
    if settings.products is not None:
        found = read_products(settings.products)
        if settings.is_production:
            require_fit_for_production(settings.products, found)
        for applied in found:
            products.put(applied.registration, applied.content, applied.secret_keys, applied.logos)
    return _wire(settings, engine, products, identify)


def _wire(
    settings: Settings, engine: Engine, products: DatabaseProducts, identify: Identify | None
) -> Services:
    clock = StoreClock(engine)
    credential = f"{settings.partner_api_url}\n{settings.partner_client_id}"
    client = PartnerClient(
        settings.partner_api_url,
        settings.partner_client_id,
        Secret(settings.partner_client_secret.get_secret_value()),
        Limits(
            connect=settings.partner_connect_timeout,
            read=settings.partner_read_timeout,
            total=settings.partner_total_timeout,
        ),
        share=lambda source: SharedToken(source, engine, Sealing(settings.signing_keys()), credential),
        create_accounts=settings.partner_create_accounts,
        quiet=Quiet(DatabaseQuiet(engine, fingerprint(credential))),
    )
    metrics.watch_breaker("partner", client.breaker_state)
    accounts = Accounts(DatabaseAccountOwners(engine), products, client.takes_any_account_id)
    partner = OwnAccounts(client, accounts)
    catalogue = Catalogue(partner, clock, DatabaseConnectors(engine, credential), _at_most(LOOK_UPS_AT_ONCE))
    minter = Minter(partner, catalogue, _aside(settings.threads), several_installs)
    attempts = DatabaseAttempts(engine)
    events = LoggedEvents()
    watch = Watch(attempts, partner, events, clock)
    completions = Completions(
        attempts,
        partner,
        minter,
        watch,
        events,
        _same_browser(settings),
        Places(settings.public_url, settings.partner_service_url),
        clock=clock,
        random_token=_random_token,
    )
    connect = Connect(
        attempts,
        partner,
        watch,
        catalogue,
        completions,
        # A queue of its own: what is minted ahead waits for work in the other one.
        Ahead(_aside(settings.threads), clock),
        public_url=settings.public_url,
        partner_service_url=settings.partner_service_url,
        clock=clock,
        random_token=_random_token,
    )
    content, session_ends = ContentStore(engine, clock), DatabaseSessionEnds(engine)
    purge = Purge(engine, timedelta(days=settings.retention_days))
    return Services(
        accounts=accounts,
        connect=connect,
        completions=completions,
        watch=watch,
        attempts=attempts,
        overview=Overview(partner, catalogue, clock, _aside(settings.threads)),
        catalogue=catalogue,
        sign_in_urls=SignInUrls(minter, attempts, settings.partner_service_url, clock),
        products=DraftProducts(products, content, settings.public_origin),
        content=content,
        images=DatabaseImages(engine),
        studio=DatabaseStudio(engine, clock, _random_token),
        receipts=Receipts(settings.signing_keys(), settings.public_url),
        limits=_limits(settings, engine, clock),
        housekeeping=Housekeeping(attempts, watch, purge, clock.cautious),
        checkpoints=Checkpoints(engine),
        session_tokens=SessionTokens(settings.signing_keys(), clock, session_ends),
        confirmations=Confirmations(settings.signing_keys(), clock),
        session_ends=session_ends,
        assertions=JwtAssertions(
            products, UsedAssertions(engine), JwksUrls(), audience=settings.public_url, clock=clock
        ),
        repeats=Repeats(connect, attempts, clock, _random_token),
        identify=identify,
        storage_fault=Readiness(lambda: SCHEMA.fault(engine)).lacking,
        clock=clock,
        public_url=settings.public_url,
        public_origin=settings.public_origin,
        partner_origin=settings.partner_origin,
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
        },
        {
            Purpose.ATTEMPT: settings.limit_account_attempts,
            Purpose.PRESS: settings.limit_account_launches,
            Purpose.LAUNCH: settings.limit_account_launches,
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
    pool = ThreadPoolExecutor(size, thread_name_prefix="aside")

    def begin(work: Callable[[], T]) -> Future[T]:
        # Its lines in the log belong to the same request.
        return pool.submit(copy_context().run, work)

    return begin


def _random_token() -> str:
    return secrets.token_urlsafe(32)
