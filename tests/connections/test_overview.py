"""What an account has connected: as the partner service has it, asked seldom enough to be kind to it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, delete

from bff.common.errors import ConnectorUnavailable, PartnerUnavailable
from bff.connections.connection import Change, Running, State, Stored
from bff.connections.ledger import SEEN_EVERY, Ledger
from bff.connections.overview import MOST_KEPT, Overview
from bff.connections.store import DatabaseConnections, decide_within
from bff.content.product import OfferedConnector
from bff.identity.principal import AccountRef
from bff.storage.tables import attempts, connections
from bff.upstream.catalogue import Catalogue
from bff.upstream.protocol import AccountConnector, Connector, SignInRecord
from tests.connect.test_timeline import attempt
from tests.support.model_partner import Clock, NoStore, at_once
from tests.support.watched_core import ACME, WatchedPartner

CRM = OfferedConnector("crm", "", "crm-reference")
MAIL = OfferedConnector("mail", "Mail", "mail-reference")
LOST = OfferedConnector("lost-one", "", "lost-reference")
KNOWN = {"crm-reference": Connector(101, "Big CRM"), "mail-reference": Connector(102, "Other name")}


@dataclass
class Service(WatchedPartner):
    """A partner service with two connectors in its catalogue."""

    def find_connector(self, account: AccountRef, reference: str) -> Connector:
        """One of the two."""
        super().find_connector(account, reference)
        if reference not in KNOWN:
            raise ConnectorUnavailable(reference)
        return KNOWN[reference]


def installed(
    number: int, connector_id: int, *, authenticated: bool, sign_ins: tuple[SignInRecord, ...] | None = None
) -> AccountConnector:
    """A connector in Acme's account."""
    return AccountConnector(
        number, "theirs", connector_id, "theirs", authenticated=authenticated, sign_ins=sign_ins
    )


@pytest.fixture
def service() -> Service:
    """It has Acme's CRM twice, once signed in, and something else that nobody offers."""
    return Service(
        Clock(),
        installed=[
            installed(7, 101, authenticated=False),
            installed(8, 101, authenticated=True),
            installed(9, 999, authenticated=True),
        ],
    )


@pytest.fixture
def overview(service: Service, core_engine: Engine) -> Overview:
    """One that has asked nothing yet, and knows nothing."""
    with core_engine.begin() as connection:
        connection.execute(delete(connections))
        connection.execute(delete(attempts))
    store = DatabaseConnections(core_engine)
    ledger = Ledger(store, service.clock, None, decide_within)
    catalogue = Catalogue(service, service.clock, NoStore(), at_once)
    return Overview(service, catalogue, ledger, service.clock, at_once)


def states(overview: Overview, account: AccountRef = ACME) -> dict[str, str]:
    """What a page is told of each connector."""
    found = overview.states(account, (CRM, MAIL, LOST))
    return {standing.connector.key: standing.state.value for standing in found}


class TestConnections:
    """For a host's server: each connection, now."""

    def test_what_is_installed_of_what_is_offered(self, overview: Overview) -> None:
        """By the catalogue's ids, under a name to show; what is not offered is nobody's business."""
        crm = OfferedConnector("crm", "Big CRM", "crm-reference")
        found = overview.connections(ACME, (CRM, MAIL, LOST))
        assert [(one.id, one.connector, one.authenticated, one.state.value) for one in found] == [
            (7, crm, False, "disconnected"),
            (8, crm, True, "connected"),
        ]

    def test_it_is_asked_each_time(self, overview: Overview, service: Service) -> None:
        """Of this account, and of this account's catalogue."""
        overview.connections(ACME, (CRM,))
        overview.connections(ACME, (CRM,))
        assert service.of("list") == [[ACME], [ACME]]
        assert service.of("find") == [[ACME, "crm-reference"]]

    def test_what_was_not_compared_is_not_said_to_be_seen(self, overview: Overview, service: Service) -> None:
        """A session that may see one connector: the account's others are still to be checked."""
        service.installed.append(installed(10, 102, authenticated=True))

        def seen() -> list[datetime]:
            return [
                each.row.seen_at for each in overview.connections(ACME, (CRM, MAIL)) if each.id in (8, 10)
            ]

        first = max(seen())
        service.clock.tick(SEEN_EVERY.total_seconds())
        overview.connections(ACME, (CRM,))
        rows = overview._ledger.store.of_account(ACME.product, ACME.id)
        assert rows[10].seen_at <= first
        seen()
        rows = overview._ledger.store.of_account(ACME.product, ACME.id)
        assert rows[10].seen_at == service.clock()

    def test_an_outage_is_told_as_one(self, overview: Overview, service: Service) -> None:
        """Nothing is made up."""
        service.fails = {"list"}
        with pytest.raises(PartnerUnavailable):
            overview.connections(ACME, (CRM,))

    def test_the_account_is_that_of_the_latest_sign_in_that_succeeded(
        self, overview: Overview, service: Service
    ) -> None:
        """A later one that failed has changed nothing."""
        now = service.clock()
        results = (
            ("failed", "eve@acme.example"),
            ("connected", "ada@acme.example"),
            ("connected", "old@acme.example"),
        )
        records = tuple(SignInRecord("t", result, None, now, who) for result, who in results)
        service.installed = [
            installed(1, 101, authenticated=True, sign_ins=records),
            installed(2, 101, authenticated=True, sign_ins=records[:1]),
            installed(3, 101, authenticated=True, sign_ins=()),
        ]
        found = [each.row.external_account for each in overview.connections(ACME, (CRM,))]
        assert found == ["ada@acme.example", None, None]


def stored(
    overview: Overview, number: int, state: State, connector: OfferedConnector = CRM, **more: Any
) -> Stored:
    """A connection of Acme's that is known from before."""
    row = replace(overview._ledger.blank(ACME, connector, number), state=state, **more)
    overview._ledger.store.apply(Change(row), None)
    return row


class TestOutage:
    """While the partner service is away: what is known, and that it is not known now."""

    def test_what_exists_of_what_is_offered_is_listed_as_unknown(
        self, overview: Overview, service: Service
    ) -> None:
        """Under the catalogue's name, with the state that it had; what had ended is not there."""
        known = stored(overview, 8, State.CONNECTED)
        stored(overview, 5, State.NEEDS_RECONNECT)
        stored(overview, 6, State.DISCONNECTED)
        stored(overview, 7, State.CONNECTED, MAIL)
        overview.connections(ACME, ())  # The catalogue is read.
        service.fails = {"list"}
        found = {each.id: each for each in overview.connections(ACME, (CRM,))}
        assert {number: (each.state, each.authenticated) for number, each in found.items()} == {
            8: (State.UNKNOWN, True),
            5: (State.UNKNOWN, False),
        }
        assert (found[8].row.account_id, found[8].row.state) == (known.account_id, State.CONNECTED)
        assert found[8].connector.key == "crm"

    @pytest.mark.parametrize("connector", [CRM, LOST], ids=["cannot be read", "is not there any more"])
    def test_a_stored_connection_needs_no_entry_of_the_catalogue(
        self, overview: Overview, service: Service, connector: OfferedConnector
    ) -> None:
        """Its account can be read: it stands, with the connector that it is stored with."""
        service.fails = {"find"} if connector == CRM else set()
        stored(overview, 9, State.CONNECTED, connector)
        found = overview.connections(ACME, (MAIL, connector))
        assert [(one.id, one.connector.key, one.state.value) for one in found if one.id == 9] == [
            (9, connector.key, "connected")
        ]
        assert states(overview)[connector.key] == "connected"

    def test_a_connector_has_the_last_state_that_was_seen(self, overview: Overview, service: Service) -> None:
        """And when: of several connections the first state by precedence, and the latest look."""
        then = service.clock()
        stored(overview, 5, State.NEEDS_RECONNECT, seen_at=then - timedelta(hours=2))
        stored(overview, 6, State.DISCONNECTED, seen_at=then - timedelta(hours=1))
        stored(overview, 7, State.DISCONNECTED, MAIL, seen_at=then - timedelta(hours=3))
        service.fails = {"list"}
        crm, mail, lost = overview.states(ACME, (CRM, MAIL, LOST))
        assert (crm.state, crm.last_state) == (State.UNKNOWN, State.NEEDS_RECONNECT)
        assert crm.last_seen_at == then - timedelta(hours=1)
        assert (mail.last_state, mail.last_seen_at) == (State.DISCONNECTED, then - timedelta(hours=3))
        assert (lost.state, lost.last_state, lost.last_seen_at) == (State.UNKNOWN, None, None)
        assert [[each.id for each in one.connections] for one in (crm, mail, lost)] == [[5], [], []]

    def test_without_the_catalogue_nothing_that_is_installed_is_called_disconnected(
        self, overview: Overview, service: Service
    ) -> None:
        """It may be of this connector. Where nothing is installed, nothing is connected."""
        service.fails = {"find"}
        assert set(states(overview).values()) == {"unknown"}
        service.installed = []
        service.clock.tick(10)
        assert set(states(overview).values()) == {"disconnected"}


class TestStored:
    """What is stored may be newer than the list, or more than is in it."""

    def test_a_cached_list_is_read_by_what_is_stored_since(self, overview: Overview) -> None:
        """Somebody has ended one: a page that reads the cached list a moment later is told so."""
        assert states(overview)["crm"] == "connected"
        row = overview._ledger.store.of_account(ACME.product, ACME.id)[8]
        ended = replace(row, state=State.DISCONNECTED, version=row.version + 1)
        overview._ledger.store.apply(Change(ended), row.version)
        [crm] = overview.states(ACME, (CRM,))
        assert (crm.state, {each.authenticated for each in crm.connections}) == (State.DISCONNECTED, {False})
        assert {each.row.connector_name for each in crm.connections} == {"Big CRM"}

    def test_one_that_somebody_signs_in_to_is_pending(
        self, overview: Overview, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The connection that it is for; and the connector, if nothing else of it is connected."""
        running = [Running("att_1", "crm", None, 7), Running("att_2", "mail", None, None)]
        monkeypatch.setattr(overview._ledger.store, "running", lambda *_: running)
        crm, mail, lost = overview.states(ACME, (CRM, MAIL, LOST))
        assert {each.id: each.state for each in crm.connections} == {7: State.PENDING, 8: State.CONNECTED}
        assert (crm.state, mail.state, lost.state) == (
            State.CONNECTED,
            State.PENDING,
            State.DISCONNECTED,
        )

    def test_one_that_is_no_longer_listed_is_asked_for(self, overview: Overview, service: Service) -> None:
        """It may have come while the list was read; what had ended is not asked for."""
        stored(overview, 11, State.CONNECTED)
        stored(overview, 12, State.DISCONNECTED)
        service.gone = True
        overview.connections(ACME, (CRM,))
        assert service.of("get") == [[ACME, 11]]
        known = overview._ledger.store.of_account(ACME.product, ACME.id)
        assert known[11].state is State.DISCONNECTED

    def test_a_list_that_was_read_before_a_change_is_not_kept(
        self, overview: Overview, service: Service, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Of a sign-in that ended, or succeeded late, while the partner service answered."""
        listing = service.list_account_connectors

        def slowly(account: AccountRef) -> list[AccountConnector]:
            found = listing(account)
            overview.emit("late success", attempt(account=ACME))
            return found

        with monkeypatch.context() as patched:
            patched.setattr(service, "list_account_connectors", slowly)
            states(overview)
        states(overview)
        overview.emit("prepared", attempt(account=ACME))
        states(overview)
        assert service.of("list") == [[ACME], [ACME]]


class TestStates:
    """For a page: one word for each connector, from what was heard a moment ago."""

    def test_a_connector_is_connected_once_one_of_its_installations_is(
        self, overview: Overview, service: Service
    ) -> None:
        """What the partner service does not have, or was never signed in to, is disconnected."""
        assert states(overview) == {"crm": "connected", "mail": "disconnected", "lost-one": "disconnected"}
        assert [account for account, _ in service.of("find")] == [ACME] * 3

    def test_an_installation_without_a_sign_in_is_disconnected(
        self, overview: Overview, service: Service
    ) -> None:
        """It is there, and of no use yet."""
        service.installed = [installed(7, 101, authenticated=False)]
        assert states(overview)["crm"] == "disconnected"

    @pytest.mark.parametrize("fails", [set(), {"list"}, {"find"}, {"find", "list"}])
    def test_each_connector_has_a_name_to_show(
        self, overview: Overview, service: Service, fails: set[str]
    ) -> None:
        """In an outage too: the product's, or one made from its key."""
        service.fails = fails
        names = [each.connector.name for each in overview.states(ACME, iter((CRM, MAIL, LOST)))]
        assert names == ["Crm" if "find" in fails else "Big CRM", "Mail", "Lost One"]

    def test_an_outage_makes_all_unknown_and_is_not_remembered(
        self, overview: Overview, service: Service
    ) -> None:
        """Nobody is told "disconnected" because a service is away; as soon as it is back, it is asked."""
        service.fails = {"list"}
        assert set(states(overview).values()) == {"unknown"}
        service.fails = set()
        assert states(overview)["crm"] == "connected"

    def test_it_is_asked_once_in_ten_seconds(self, overview: Overview, service: Service) -> None:
        """However many pages are open; then anew."""
        states(overview)
        service.clock.tick(2.9)
        states(overview)
        assert len(service.of("list")) == 1
        service.clock.tick(0.1)
        service.installed = []
        assert states(overview)["crm"] == "disconnected"
        service.clock.tick(2.9)
        states(overview)
        assert len(service.of("list")) == 2

    def test_each_account_is_asked_for_on_its_own(self, overview: Overview, service: Service) -> None:
        """What one has connected says nothing of another."""
        other = AccountRef("other", "Acme Inc.")
        states(overview)
        service.installed = []
        assert states(overview, other)["crm"] == "disconnected"
        assert states(overview)["crm"] == "connected"
        assert service.of("list") == [[ACME], [other]]

    def test_after_a_sign_in_has_ended_it_is_asked_anew(self, overview: Overview, service: Service) -> None:
        """For that account only; one that was never asked for can change as well."""
        other = AccountRef("other", "Other")
        overview.emit("settled", attempt(account=ACME))
        states(overview)
        states(overview, other)
        overview.emit("settled", attempt(account=ACME))
        states(overview)
        states(overview, other)
        assert service.of("list") == [[ACME], [other], [ACME]]

    def test_no_more_accounts_are_remembered_than_it_has_room_for(
        self, overview: Overview, service: Service
    ) -> None:
        """So many accounts are kept and none of them is asked for twice; then it begins anew."""
        accounts = [AccountRef(f"a{number}", "") for number in range(MOST_KEPT + 1)]
        for account in accounts[:MOST_KEPT]:
            overview.states(account, ())
        overview.states(accounts[0], ())
        assert len(service.of("list")) == MOST_KEPT
        overview.states(accounts[-1], ())
        overview.states(accounts[-1], ())
        assert len(service.of("list")) == MOST_KEPT + 1
        overview.states(accounts[0], ())
        assert len(service.of("list")) == MOST_KEPT + 2
