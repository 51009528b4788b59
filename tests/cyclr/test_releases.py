"""A connector's name has several releases: each account keeps its own, new ones get the newest approved."""

from __future__ import annotations

import pytest

from bff.common.errors import ConnectorUnavailable
from bff.identity.principal import AccountRef
from bff.upstream.client import PartnerClient
from bff.upstream.protocol import Connector
from tests.support.cyclr import Cyclr

NAME = "Pipedrive"


def releases(cyclr: Cyclr, *told: tuple[int, str, str]) -> None:
    """Put releases of one name into the catalogue, in this order."""
    for number, version, status in told:
        cyclr.release(number, NAME, version, status=status)


@pytest.mark.parametrize("reference", [NAME, "9", "10", "11"])
@pytest.mark.parametrize("all_told", [True, False])
def test_a_new_install_gets_the_newest_approved_release(
    cyclr: Cyclr, client: PartnerClient, account: AccountRef, reference: str, all_told: bool
) -> None:
    """Whichever release the product names, and in whatever order they are told: 1.10 is later than 1.9."""
    cyclr.habits.name_finds_all_releases = all_told
    releases(cyclr, (11, "2.0", "Draft"), (9, "1.9", "Deprecated"), (10, "1.10", "Approved"))

    installed = client.install_connector(account, client.find_connector(account, reference))

    assert installed.connector_id == 10


def test_of_several_approved_ones_the_version_decides_not_the_order(
    cyclr: Cyclr, client: PartnerClient, account: AccountRef
) -> None:
    """Nor the number of the release."""
    releases(cyclr, (30, "1.9", "Approved"), (20, "1.10", "Approved"), (25, "1.2", "Approved"))
    assert client.find_connector(account, NAME).id == 20


@pytest.mark.parametrize("reference", [NAME, "10"])
@pytest.mark.parametrize("all_told", [True, False])
def test_an_older_install_belongs_to_the_connector(
    cyclr: Cyclr, client: PartnerClient, account: AccountRef, reference: str, all_told: bool
) -> None:
    """Also where the catalogue no longer tells of its release: the name says so."""
    cyclr.habits.name_finds_all_releases = all_told
    releases(cyclr, (9, "1.9", "Deprecated"), (10, "1.10", "Approved"), (11, "2.0", "Draft"))
    older = cyclr.install(account.id, cyclr.releases[-3], "Our own name for it", authenticated=True)

    connector = client.find_connector(account, reference)

    (found,) = client.list_account_connectors(account)
    assert (found.id, connector.is_in(found)) == (older.id, True)


def test_a_name_that_another_connectors_install_has_is_no_end(
    cyclr: Cyclr, client: PartnerClient, account: AccountRef
) -> None:
    """Somebody called their mailbox by our connector's name: ours is numbered, and found the next time."""
    cyclr.install(account.id, cyclr.release(5, "Mailbox"), NAME)
    releases(cyclr, (10, "1.0", "Approved"))
    connector = client.find_connector(account, NAME)

    installed = client.install_connector(account, connector)

    assert (installed.name, installed.connector_id) == (f"{NAME} 2", 10)
    mine = [item for item in client.list_account_connectors(account) if connector.is_in(item)]
    assert [item.id for item in mine] == [installed.id]


def test_installing_what_is_there_in_an_older_release_finds_it(
    cyclr: Cyclr, client: PartnerClient, account: AccountRef
) -> None:
    """Its name is in use, by itself."""
    releases(cyclr, (9, "1.9", "Deprecated"), (10, "1.10", "Approved"))
    older = cyclr.install(account.id, cyclr.releases[-2])

    assert client.install_connector(account, Connector(10, NAME)).id == older.id


@pytest.mark.parametrize("status", ["Draft", "Deprecated", "Planned"])
@pytest.mark.parametrize("reference", [NAME, "10"])
def test_without_an_approved_release_nothing_is_installed(
    cyclr: Cyclr, client: PartnerClient, account: AccountRef, status: str, reference: str
) -> None:
    """What is connected stays so; what is new is refused in words."""
    releases(cyclr, (10, "1.0", status))
    cyclr.install(account.id, cyclr.releases[-1], authenticated=True)
    connector = client.find_connector(account, reference)

    with pytest.raises(ConnectorUnavailable, match="no approved release"):
        client.install_connector(account, connector)
    assert connector.is_in(client.list_account_connectors(account)[0])


def test_a_status_that_nobody_has_heard_of_may_be_installed(
    cyclr: Cyclr, client: PartnerClient, account: AccountRef
) -> None:
    """The partner service has the last word; an approved one is preferred."""
    releases(cyclr, (10, "3.0", "Beta"))
    assert client.find_connector(account, NAME) == Connector(10, NAME)
    releases(cyclr, (11, "1.0", "Approved"))
    assert client.find_connector(account, NAME) == Connector(11, NAME, others=(10,))


def test_no_connector_of_the_name_is_none(client: PartnerClient, account: AccountRef) -> None:
    """By name and by id."""
    for reference in ("Nothing", "999"):
        with pytest.raises(ConnectorUnavailable):
            client.find_connector(account, reference)
