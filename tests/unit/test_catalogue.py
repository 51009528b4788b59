"""What a connector is called, and what is remembered of the partner service's catalogue."""

from __future__ import annotations

import pytest

from bff.core.catalogue import FRESH, Catalogue
from bff.core.errors import ConnectorUnavailable, PartnerUnavailable
from bff.core.model import OfferedConnector
from bff.core.ports import AccountRef, Connector
from tests.support.model_partner import Clock, ModelPartner

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
    return Catalogue(partner, clock)


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


@pytest.mark.parametrize("problem", [PartnerUnavailable("down"), ConnectorUnavailable("none")])
def test_a_failure_is_not_remembered(catalogue: Catalogue, partner: Catalogued, problem: Exception) -> None:
    """Who tries again asks again; whoever only wants a name gets one made from the key."""
    partner.problem = problem
    with pytest.raises(type(problem)):
        catalogue.find(ACME, CRM)
    offered, entry = catalogue.described(ACME, CRM)
    assert (offered.name, entry) == ("My Old Crm", None)
    partner.problem = None
    offered, entry = catalogue.described(ACME, CRM)
    assert entry is not None
    assert (offered.name, entry.name) == ("The CRM", "The CRM")


def test_a_name_is_the_products_then_the_catalogues_then_made_up(catalogue: Catalogue) -> None:
    """Nobody is asked for a name alone, and nothing but the name is changed."""
    own = OfferedConnector("crm", "Our CRM", "crm")
    assert catalogue.named(own) == own
    assert catalogue.named(CRM) == OfferedConnector("my-old_crm", "My Old Crm", "crm", CRM.logo)
    catalogue.find(ACME, CRM)
    assert catalogue.named(own) == own
    assert catalogue.named(CRM) == OfferedConnector("my-old_crm", "The CRM", "crm", CRM.logo)
