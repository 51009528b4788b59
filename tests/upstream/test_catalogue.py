"""What a connector is called, and what is remembered of the partner service's catalogue."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from datetime import timedelta

import pytest

from bff.common.background import T
from bff.common.errors import ConnectorUnavailable, PartnerUnavailable
from bff.content.product import OfferedConnector
from bff.identity.principal import AccountRef
from bff.upstream.catalogue import FRESH, MISSING_FRESH, Catalogue
from bff.upstream.protocol import Connector
from tests.support.model_partner import Clock, ModelPartner, NoStore, at_once

ACME = AccountRef("acme", "Acme")
CRM = OfferedConnector("my-old_crm", "", "crm", "https://x.example/l.png")


class Catalogued(ModelPartner):
    """A partner service that says whose account asked for what; ``problem`` is what it answers instead."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.asked: list[tuple[str, str]] = []
        self.problem: Exception | None = None

    def find_connector(self, account: AccountRef, reference: str) -> Connector:
        """Raises ``problem``."""
        self.asked.append((account.id, reference))
        if self.problem:
            raise self.problem
        return Connector(len(self.asked), f"The {reference.upper()}")


@pytest.fixture
def clock() -> Clock:
    """Stands still."""
    return Clock()


@pytest.fixture
def partner(clock: Clock) -> Catalogued:
    """What is asked."""
    return Catalogued(clock)


@pytest.fixture
def catalogue(partner: Catalogued, clock: Clock) -> Catalogue:
    """What remembers."""
    return Catalogue(partner, clock, NoStore(), at_once)


def test_the_partner_service_is_asked_once_in_five_minutes(
    catalogue: Catalogue, partner: Catalogued, clock: Clock
) -> None:
    """By the product's reference, for the account; then the entry is asked for anew."""
    first = catalogue.find(ACME, CRM)
    clock.tick(FRESH.total_seconds() - 1)
    assert catalogue.find(ACME, CRM) == first == Connector(1, "The CRM")
    clock.tick(1)
    assert catalogue.find(ACME, CRM) == Connector(2, "The CRM")
    assert partner.asked == [("acme", "crm")] * 2


def test_each_connector_is_remembered_by_itself(catalogue: Catalogue) -> None:
    """One connector's entry is never another's."""
    assert catalogue.find(ACME, CRM).name == "The CRM"
    assert catalogue.find(ACME, OfferedConnector("books", "", "books")).name == "The BOOKS"


def test_an_outage_is_not_remembered(catalogue: Catalogue, partner: Catalogued) -> None:
    """Who tries again asks again; whoever only wants a name gets one made from the key."""
    partner.problem = PartnerUnavailable("down")
    with pytest.raises(PartnerUnavailable):
        catalogue.find(ACME, CRM)
    assert catalogue.look_up(ACME, [CRM]) == {}
    assert catalogue.named(CRM).name == "My Old Crm"
    partner.problem = None
    assert catalogue.look_up(ACME, [CRM])["crm"].connector == catalogue.find(ACME, CRM)


def test_during_an_outage_what_was_known_before_serves_on(
    catalogue: Catalogue, partner: Catalogued, clock: Clock
) -> None:
    """However old it is: the partner service has the last word when it is asked to install."""
    known = catalogue.find(ACME, CRM)
    partner.problem = PartnerUnavailable("down")
    clock.tick(10 * FRESH.total_seconds())
    assert catalogue.find(ACME, CRM) == known
    assert catalogue.look_up(ACME, [CRM])["crm"].connector == known


def test_a_connector_that_does_not_exist_is_remembered_for_a_minute(
    catalogue: Catalogue, partner: Catalogued, clock: Clock
) -> None:
    """It is asked for once, by whoever; then it may have been made."""
    partner.problem = ConnectorUnavailable("none")
    for _ in range(2):
        with pytest.raises(ConnectorUnavailable):
            catalogue.find(ACME, CRM)
        assert catalogue.look_up(ACME, [CRM])["crm"].connector is None
    assert len(partner.asked) == 1
    partner.problem = None
    clock.tick(MISSING_FRESH.total_seconds())
    assert catalogue.find(ACME, CRM).name == "The CRM"


def test_a_page_gets_what_is_old_at_once_and_it_is_renewed_in_the_background(
    partner: Catalogued, clock: Clock
) -> None:
    """The name that it had five minutes ago beats one that takes a second."""
    begun: list[Callable[[], object]] = []

    def submit(work: Callable[[], T]) -> Future[T]:
        begun.append(work)
        return Future()

    catalogue = Catalogue(partner, clock, NoStore(), submit)
    catalogue.find(ACME, CRM)
    clock.tick(FRESH.total_seconds())
    for _ in range(2):
        assert catalogue.look_up(ACME, [CRM])["crm"].connector == Connector(1, "The CRM")
    (renew,) = begun
    renew()
    assert catalogue.look_up(ACME, [CRM])["crm"].connector == Connector(2, "The CRM")


def test_a_name_is_the_products_then_the_catalogues_then_made_up(catalogue: Catalogue) -> None:
    """Nobody is asked for a name alone, and nothing but the name is changed."""
    own = OfferedConnector("crm", "Our CRM", "crm")
    assert catalogue.named(own) == own
    assert catalogue.named(CRM) == OfferedConnector("my-old_crm", "My Old Crm", "crm", CRM.logo)
    catalogue.find(ACME, CRM)
    assert catalogue.named(own) == own
    assert catalogue.named(CRM) == OfferedConnector("my-old_crm", "The CRM", "crm", CRM.logo)


def test_of_many_pages_at_once_one_asks(partner: Catalogued, clock: Clock) -> None:
    """While a look-up is under way nobody begins another of the same reference."""
    begun: list[Callable[[], object]] = []

    def submit(work: Callable[[], T]) -> Future[T]:
        begun.append(work)
        return Future()

    catalogue = Catalogue(partner, clock, NoStore(), submit, patience=timedelta())
    for _ in range(3):
        assert catalogue.look_up(ACME, [CRM, CRM]) == {}
    assert len(begun) == 1
