"""A client of the stand-in, with nothing else around it."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import replace

import pytest

from bff.common.secret import Secret
from bff.identity.principal import AccountRef
from bff.upstream.client import PartnerClient
from tests.support.cyclr import Cyclr
from tests.support.cyclr.world import CyclrWorld, open_cyclr_world, stock
from tests.support.world import CLIENT_ID, CLIENT_SECRET


@pytest.fixture
def cyclr(cyclr_world: CyclrWorld) -> Cyclr:
    """The stand-in, as it was at first."""
    return cyclr_world.cyclr


@pytest.fixture
def client(cyclr: Cyclr) -> PartnerClient:
    """One that has asked nothing yet."""
    return PartnerClient(cyclr.api, CLIENT_ID, Secret(CLIENT_SECRET))


@pytest.fixture
def account(cyclr: Cyclr) -> AccountRef:
    """An account that exists."""
    made = AccountRef("acme-" + secrets.token_hex(4), "Acme")
    cyclr.add_account(made.id)
    return made


@pytest.fixture
def stranger() -> AccountRef:
    """An account that does not exist."""
    return AccountRef("typo-" + secrets.token_hex(4), "Typo")


@pytest.fixture(scope="session")
def shared_forbidding_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CyclrWorld]:
    """A BFF that may make no accounts."""
    settings = {"partner_create_accounts": False}
    with open_cyclr_world(tmp_path_factory.mktemp("forbidding"), bff_settings=settings) as world:
        yield world


@pytest.fixture
def forbidding_world(shared_forbidding_world: CyclrWorld) -> CyclrWorld:
    """The same, with nothing at the partner service but its connectors."""
    shared_forbidding_world.cyclr.reset()
    stock(shared_forbidding_world.cyclr)
    return replace(shared_forbidding_world, account="acme-" + secrets.token_hex(4))
