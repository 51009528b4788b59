"""A sign-in token comes with the account connector that it is for: by one question where that is possible."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace

import pytest

from bff.common.background import T
from bff.common.errors import PartnerUnavailable, SeveralConnections
from bff.connect.attempt import LIVE, Status
from bff.connect.minting import ConnectionTarget, Minter
from bff.connections.connection import Change, State
from bff.connections.ledger import Ledger
from bff.connections.store import DatabaseConnections, decide_within
from bff.identity.principal import AccountRef
from bff.upstream.catalogue import Catalogue
from bff.upstream.protocol import AccountConnector, CompletionRequest, Connector, SignInToken
from tests.support.model_partner import NoStore, at_once
from tests.support.watched_core import ACME, CRM, WatchedCore


def installed(number: int, connector: int = 1, *, authenticated: bool = False) -> AccountConnector:
    """A connector of the account."""
    return AccountConnector(number, "CRM", connector, "CRM", authenticated, ())


def minter(core: WatchedCore) -> Minter:
    """One that has not asked anything yet."""
    return Minter(core.partner, Catalogue(core.partner, core.clock, NoStore(), at_once), at_once)


def with_lost(core: WatchedCore, *lost: int) -> tuple[AccountRef, Minter]:
    """An account whose connections with these ids have lost their grants, and a minter that knows it."""
    account, store = replace(ACME, product="demo"), DatabaseConnections(core.engine)
    ledger = Ledger(store, core.clock, None, decide_within)
    for each in lost:
        store.apply(Change(replace(ledger.blank(account, CRM, each), state=State.NEEDS_RECONNECT)), None)
    catalogue = Catalogue(core.partner, core.clock, NoStore(), at_once)
    return account, Minter(core.partner, catalogue, at_once, connections=ledger)


class TestOneQuestion:
    """A partner service that tells the account connector with the token is asked for nothing else."""

    def test_what_is_told_with_the_token_is_signed_in_for(self, core: WatchedCore) -> None:
        """The token is for this user of this account, and nothing is listed or installed."""
        core.partner.tells_with_token = True
        core.partner.authenticated = True
        found, token = minter(core).mint(ACME, CRM, "ada")
        assert (found.id, found.authenticated, token.value.reveal()) == (7, True, "token-0")
        assert core.partner.asked == [("find", ACME, CRM.reference), ("mint", ACME, "ada")]

    def test_what_is_wished_for_goes_with_the_question(self, core: WatchedCore) -> None:
        """Completion, and the catalogue's connector."""
        seen: list[object] = []
        mint = core.partner.mint_sign_in_token

        def noted(*asked: object) -> SignInToken:
            seen.append(asked)
            return mint(*asked)  # type: ignore[arg-type]

        core.partner.mint_sign_in_token = noted  # type: ignore[assignment]
        wish = CompletionRequest("https://bff.example/connect/complete/a", "https://app.example")
        minter(core).mint(ACME, CRM, "ada", wish)
        assert seen == [(ACME, "ada", wish, Connector(1, CRM.reference))]


class TestTwoQuestions:
    """Of any other (Cyclr) what is installed is asked as well, from the second time on at the same moment."""

    def test_the_first_time_it_is_asked_afterwards(self, core: WatchedCore) -> None:
        """Nobody knows yet that it will have to be."""
        found, token = minter(core).mint(ACME, CRM, "ada")
        assert (found.id, token.value.reveal()) == (7, "token-0")
        assert [asked[0] for asked in core.partner.asked] == ["find", "mint", "list"]

    def test_from_then_on_it_is_asked_in_the_background(self, core: WatchedCore) -> None:
        """Begun before the token is asked for, and waited for after it."""
        begun: list[Future[object]] = []

        def submit(work: Callable[[], T]) -> Future[T]:
            assert [asked[0] for asked in core.partner.asked].count("mint") == len(begun) + 1
            begun.append(at_once(work))
            return begun[-1]  # type: ignore[return-value]

        one = Minter(core.partner, Catalogue(core.partner, core.clock, NoStore(), at_once), submit)
        for _ in range(3):
            assert one.mint(ACME, CRM, "ada")[0].id == 7
        assert len(begun) == 2

    def test_one_that_begins_to_tell_is_asked_once_again(self, core: WatchedCore) -> None:
        """Another version of it was started meanwhile: it is told by its answer."""
        one = minter(core)
        one.mint(ACME, CRM, "ada")
        core.partner.tells_with_token = True
        one.mint(ACME, CRM, "ada")
        core.partner.asked.clear()
        one.mint(ACME, CRM, "ada")
        assert [asked[0] for asked in core.partner.asked] == ["mint"]

    def test_what_fails_in_the_background_is_told(self, core: WatchedCore) -> None:
        """The person sees the same trouble as for any other question."""
        one = minter(core)
        one.mint(ACME, CRM, "ada")
        core.partner.fails.add("list")
        with pytest.raises(PartnerUnavailable):
            one.mint(ACME, CRM, "ada")


class TestChosen:
    """One account connector is signed in for: the one in use, or a new one."""

    def chosen(self, core: WatchedCore, *there: AccountConnector) -> AccountConnector:
        """What is signed in for when these are installed."""
        core.partner.installed = list(there)
        return minter(core).mint(ACME, CRM, "ada")[0]

    def test_what_is_installed_is_used(self, core: WatchedCore) -> None:
        """Nothing is installed a second time."""
        assert self.chosen(core, installed(5)).id == 5
        assert core.partner.of("install") == []

    def test_what_is_not_there_is_installed(self, core: WatchedCore) -> None:
        """Another connector's copy is none of ours; the account is the one that asked."""
        assert self.chosen(core, installed(5, connector=2)).id == 70
        ((account, connector),) = core.partner.of("install")
        assert (account, connector.id) == (ACME, 1)

    def test_of_several_the_one_in_use_is_renewed(self, core: WatchedCore) -> None:
        """Else the oldest: none of them is anybody's yet."""
        assert self.chosen(core, installed(5), installed(9, authenticated=True)).id == 9
        assert self.chosen(core, installed(9), installed(5)).id == 5

    def test_between_several_that_are_connected_nobody_chooses_silently(self, core: WatchedCore) -> None:
        """The refusal says which there are to name."""
        both = (installed(9, authenticated=True), installed(5, authenticated=True))
        with pytest.raises(SeveralConnections, match="5, 9; name one of them as connection"):
            self.chosen(core, *both)


class TestUsualTarget:
    """What a form shows is of the account connector that is then signed in for."""

    @pytest.mark.parametrize(
        ("there", "lost", "target"),
        [
            ((), None, None),
            ((5, 9), None, 5),
            ((5, 9), 9, 9),
        ],
    )
    def test_it_is_the_one_that_is_minted_for(
        self, core: WatchedCore, there: tuple[int, ...], lost: int | None, target: int | None
    ) -> None:
        """The oldest; before it one that has lost its grant."""
        account, one = with_lost(core, *() if lost is None else (lost,))
        core.partner.installed = [installed(each) for each in there]
        default = one.default_target(account, one.catalogue_entry(account, CRM))
        assert (default.id if default else None) == target
        assert core.partner.of("install") == []
        assert target in {None, one.mint(account, CRM, "ada")[0].id}


class TestAdded:
    """Each of several users who add a connection signs in to an account connector of its own."""

    def test_one_that_lost_its_grant_is_signed_in_to_by_one(self, core: WatchedCore) -> None:
        """The other user gets a new one. When the first attempt has ended, it is free."""
        account, adding = with_lost(core, 5)
        core.partner.installed = [installed(5)]

        def added(attempt: str) -> int:
            target = ConnectionTarget(adds=True, claimant=attempt)
            return adding.mint(account, CRM, "ada", target=target)[0].id

        first = core.launched()
        core.attempts.transition(first.id, LIVE, {"wanted_connection": 5})
        assert added("att_second") == 70
        core.attempts.transition(first.id, LIVE, {"status": Status.CANCELLED, "settled_at": core.clock()})
        assert (added("att_third"), added("att_fourth"), added("att_third")) == (5, 71, 5)

    @pytest.mark.parametrize(("there", "added"), [((5, 9), 72), ((5, 9, 12), 12)])
    def test_of_several_that_lost_their_grants_none_is_chosen(
        self, core: WatchedCore, there: tuple[int, ...], added: int
    ) -> None:
        """Another is added: a free one if there is one, else a new one."""
        account, adding = with_lost(core, 5, 9)
        core.partner.installed = [installed(each) for each in there]
        target = ConnectionTarget(adds=True, claimant="att_first")
        assert adding.mint(account, CRM, "ada", target=target)[0].id == added
