"""One Connect click at the core: what is prepared, what a launch does, who may read, how it is given up."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy.exc import OperationalError

from bff.common.errors import (
    ConnectorUnavailable,
    InvalidRequest,
    LaunchPostponed,
    LaunchRefused,
    NotFound,
    PartnerProblem,
    PartnerUnavailable,
    UnknownConnector,
    UnknownMessage,
)
from bff.common.secret import Secret, fingerprint
from bff.connect.attempt import LAUNCHED_LIFE, Attempt, Delivery, Hint, Status
from bff.connect.listing import AttemptFilter, AttemptList
from bff.connect.new_attempt import SUPPORT_ALPHABET, UNLAUNCHED_LIFE, BeginRequest, support_code
from bff.connect.ports import AlreadyBegun
from bff.connect.service import LAUNCH_LEASE, POSTPONED_FOR
from bff.connect.timeline import POLLED
from bff.content.minted_url import MOST
from bff.identity.principal import AccountRef, Principal, User
from bff.upstream.protocol import AccountConnector
from tests.support.watched_core import (
    ACME,
    ADA,
    HOST,
    PRODUCT,
    PUBLIC,
    WatchedCore,
    build_watched_core,
)


def begin(
    core: WatchedCore, connector: str = "crm", origin: str = HOST, **more: object
) -> tuple[Attempt, Secret]:
    """Ada presses the button."""
    return core.connect.begin(PRODUCT, ADA, BeginRequest(connector, origin, **more))  # type: ignore[arg-type]


def stored(core: WatchedCore, attempt: Attempt) -> Attempt:
    """The attempt as it is stored."""
    found = core.attempts.get(attempt.id)
    assert found is not None
    return found


def query(url: Secret) -> dict[str, str]:
    """What a minted URL carries."""
    return {name: value for name, (value,) in parse_qs(urlsplit(url.reveal()).query).items()}


class TestBegin:
    """Preparing is a local write of all that a launch will need."""

    def test_an_attempt_is_kept_as_it_is_told(self, core: WatchedCore) -> None:
        """Whose it is, for what, from where, until when; nothing is asked of the partner service."""
        attempt, token = begin(core, locale="de", message="all")
        assert stored(core, attempt) == attempt
        assert core.partner.asked == []
        assert attempt.status is Status.CREATED
        assert (attempt.product, attempt.account, attempt.user) == ("demo", ACME, ADA.user)
        assert attempt.connector == PRODUCT.connectors[0]
        assert (attempt.origin, attempt.return_url, attempt.locale) == (HOST, None, "de")
        assert attempt.delivery is Delivery.MESSAGE
        assert attempt.created_at == core.clock()
        assert attempt.expires_at == core.clock() + UNLAUNCHED_LIFE
        assert attempt.launched_at is None
        assert attempt.launch_token_sha256 == fingerprint(token.reveal())

    def test_an_unlaunched_attempt_lives_ten_minutes_and_a_launched_one_fifteen(self) -> None:
        """Long enough for a user who reads first, and for a sign-in with a second factor."""
        assert timedelta(minutes=10) == UNLAUNCHED_LIFE
        assert timedelta(minutes=15) == LAUNCHED_LIFE

    def test_id_nonce_launch_token_and_support_code_are_random_each(self, core: WatchedCore) -> None:
        """None of them is made from another."""
        attempt, token = begin(core, message="sealed")
        told = json.loads(attempt.callback_message or "")
        first, nonce, third, fourth = core.tokens
        assert attempt.id == "att_" + first[:24]
        assert told["nonce"] == nonce
        assert token.reveal() == third
        assert attempt.support_code == support_code(fourth)

    def test_the_callback_message_knows_the_attempt(self, core: WatchedCore) -> None:
        """Every variable has this click's own value; the team's text and the posted one are both kept."""
        attempt, _ = begin(core, message="all", locale="de")
        wanted = f"{attempt.id}|crm|CRM|acme|ada|de"
        assert (attempt.message, attempt.callback_message) == (wanted, wanted)
        sealed, _ = begin(core, message="sealed")
        told = json.loads(sealed.callback_message or "")
        assert sealed.message == "connected:crm"
        assert told == {
            "type": "hitchpost.callback",
            "attempt": sealed.id,
            "nonce": told["nonce"],
            "message": "connected:crm",
        }

    def test_without_a_wish_the_default_message_is_taken_in_english(self, core: WatchedCore) -> None:
        """No message and no locale were named."""
        attempt, _ = begin(core)
        assert (attempt.message, attempt.locale) == ("done", "en")
        assert begin(core, locale="de")[0].message == "fertig"

    def test_a_connector_without_a_name_is_called_after_its_key(self, core: WatchedCore) -> None:
        """Until the partner service has told its name."""
        attempt, _ = begin(core, "mail-box", message="all")
        assert attempt.connector.name == "Mail Box"
        assert attempt.message.split("|")[1:3] == ["mail-box", "Mail Box"]

    def test_what_the_product_does_not_offer_is_refused(self, core: WatchedCore) -> None:
        """A connector, a message, or a message that has no text for this connector."""
        with pytest.raises(UnknownConnector, match=r"'erp'.*crm, mail-box"):
            begin(core, "erp")
        with pytest.raises(UnknownMessage, match=r"'nope'.*all, default, mail, sealed"):
            begin(core, message="nope")
        with pytest.raises(UnknownMessage, match="'mail' has no text for connector 'crm' and language 'en'"):
            begin(core, message="mail")
        without = replace(PRODUCT, messages={})
        with pytest.raises(UnknownMessage, match="'default' is not among the product's messages: none"):
            core.connect.begin(without, ADA, BeginRequest("crm", HOST))
        assert begin(core, "mail-box", message="mail")[0].message == "mail only"

    def test_a_session_may_be_narrowed_to_some_connectors(self, core: WatchedCore) -> None:
        """What the host's server left out is not offered, whatever the product offers."""
        narrow = Principal("demo", ACME, User("ada"), frozenset({"mail-box"}))
        with pytest.raises(UnknownConnector, match=r"offered: mail-box$"):
            core.connect.begin(PRODUCT, narrow, BeginRequest("crm", HOST))
        assert (
            core.connect.begin(PRODUCT, narrow, BeginRequest("mail-box", HOST))[0].connector.key == "mail-box"
        )
        nothing = Principal("demo", ACME, User("ada"), frozenset())
        with pytest.raises(UnknownConnector, match=r"offered: none$"):
            core.connect.begin(PRODUCT, nothing, BeginRequest("crm", HOST))

    def test_a_return_url_goes_with_return_delivery_only(self, core: WatchedCore) -> None:
        """A message needs none: it would never be used."""
        page = f"{HOST}/settings"
        with pytest.raises(InvalidRequest):
            begin(core, return_url=page)
        attempt, _ = begin(core, return_url=page, delivery=Delivery.RETURN)
        assert (attempt.return_url, attempt.delivery) == (page, Delivery.RETURN)
        assert begin(core, delivery=Delivery.RETURN)[0].return_url is None

    def test_an_id_that_makes_the_url_too_long_is_refused_where_a_message_travels(
        self, core: WatchedCore
    ) -> None:
        """The whole minted URL has a limit; without a message in it the account's id does not count."""
        long = Principal("demo", AccountRef("a" * MOST, "Long"), User("ada"))
        with pytest.raises(InvalidRequest, match=str(MOST)):
            core.connect.begin(PRODUCT, long, BeginRequest("crm", HOST, "all"))
        core.connect.begin(PRODUCT, long, BeginRequest("crm", HOST, "all", delivery=Delivery.RETURN))
        with pytest.raises(InvalidRequest, match=str(MOST)):
            core.connect.begin(PRODUCT, ADA, BeginRequest("crm", "https://" + "o" * MOST))


class TestLaunch:
    """A launch token opens one sign-in, once, in its time."""

    def test_a_launch_mints_for_this_user_and_sends_the_browser_to_the_partner_service(
        self, core: WatchedCore
    ) -> None:
        """The URL carries the account connector, the token, the host's origin and the message."""
        attempt, token = begin(core)
        core.clock.tick(60)
        launched = core.connect.launch(core.connect.peek(token))
        url = launched.url
        assert (launched.attempt.id, launched.browser_secret) == (attempt.id, None)
        assert core.partner.of("mint") == [[ACME, "ada"]]
        assert core.partner.of("find") == [[ACME, "crm-reference"]]
        assert core.partner.of("list") == [[ACME]]
        assert query(url) == {"id": "7", "token": "token-0", "targetOrigin": HOST, "callbackMessage": "done"}
        assert url.reveal().startswith("https://partner.example/connectorauth/updateaccountconnectoroauth?")
        now = stored(core, attempt)
        assert now.status is Status.LAUNCHED
        assert (now.launched_at, now.minted_at) == (core.clock(), core.clock())
        assert now.expires_at == core.clock() + LAUNCHED_LIFE
        assert now.sign_in_token_sha256 == fingerprint("token-0")
        assert (now.account_connector_id, now.authenticated_before) == (7, False)
        assert (now.delivery, now.return_secret_sha256) == (Delivery.MESSAGE, None)

    def test_a_launch_token_is_good_once(self, core: WatchedCore) -> None:
        """The second launch is refused, and mints nothing."""
        _, token = begin(core)
        core.connect.launch(core.connect.peek(token))
        with pytest.raises(LaunchRefused):
            core.connect.launch(core.connect.peek(token))
        with pytest.raises(LaunchRefused):
            core.connect.peek(token)
        assert len(core.partner.of("mint")) == 1

    def test_a_launch_token_that_nobody_was_given_is_refused(self, core: WatchedCore) -> None:
        """Nor does it stand for any attempt."""
        with pytest.raises(LaunchRefused):
            core.connect.launch(core.connect.peek(Secret("guessed")))
        assert core.connect.attempt_of(Secret("guessed")) is None

    def test_a_launch_token_ends_with_its_attempt(self, core: WatchedCore) -> None:
        """At the very second: good just before, refused then; it still tells whose it was."""
        attempt, token = begin(core)
        core.clock.tick(UNLAUNCHED_LIFE.total_seconds() - 1)
        assert core.connect.peek(token) == attempt
        core.clock.tick(1)
        with pytest.raises(LaunchRefused):
            core.connect.peek(token)
        with pytest.raises(LaunchRefused):
            core.connect.launch(core.connect.peek(token))
        assert core.connect.attempt_of(token) == attempt
        assert core.partner.of("mint") == []

    def test_one_that_was_not_launched_in_time_has_expired_for_every_reader(self, core: WatchedCore) -> None:
        """No read, and no cancel after it, stores that or tells of it."""
        attempt, _ = begin(core)
        core.clock.tick(UNLAUNCHED_LIFE.total_seconds() - 1)
        assert core.poller.poll(attempt) == attempt
        core.clock.tick(1)
        expired = replace(attempt, status=Status.EXPIRED, error_code="expired", settled_at=attempt.expires_at)
        assert core.poller.poll(attempt, Hint.FOCUS) == core.connect.cancel(attempt) == expired
        ((listed,), _) = AttemptList(core.engine, core.clock).page(AttemptFilter("demo"), 10)
        assert listed == expired
        assert stored(core, attempt) == attempt
        assert core.events.heard == []

    @pytest.mark.parametrize("step", ["find", "list", "mint"])
    def test_a_launch_waits_while_the_partner_service_restarts(self, core: WatchedCore, step: str) -> None:
        """Its token stays good, nobody is told of an end, and when the partner service is back it goes on."""
        attempt, token = begin(core)
        core.clock.tick(400)  # past the catalogue's freshness
        core.partner.fails.add(step)
        for _ in range(2):
            with pytest.raises(LaunchPostponed):
                core.connect.launch(core.connect.peek(token))
            core.clock.tick(5)
        assert stored(core, attempt).status is Status.LAUNCHED
        assert core.events.heard == []
        assert {step.name: step.count for step in core.attempts.steps(attempt.id)} == {"postponed": 2}
        core.partner.fails.clear()
        assert core.connect.launch(core.connect.peek(token)).url
        with pytest.raises(LaunchRefused):
            core.connect.peek(token)

    @pytest.mark.parametrize("step", ["find", "list", "mint"])
    def test_an_outage_that_lasts_ends_the_attempt(self, core: WatchedCore, step: str) -> None:
        """It failed, for the partner service's sake, and whoever listens is told."""
        attempt, token = begin(core)
        core.clock.tick(400)  # past the catalogue's freshness
        core.partner.fails.add(step)
        with pytest.raises(LaunchPostponed):
            core.connect.launch(core.connect.peek(token))
        core.clock.tick(POSTPONED_FOR.total_seconds())
        with pytest.raises(PartnerUnavailable):
            core.connect.launch(core.connect.peek(token))
        now = stored(core, attempt)
        assert (now.status, now.error_code) == (Status.FAILED, "partner_unavailable")
        assert now.settled_at == core.clock()
        assert [event for event, _ in core.events.heard] == ["settled"]

    def test_an_attempt_that_is_cancelled_while_it_opens_stays_so(self, core: WatchedCore) -> None:
        """The token that was minted meanwhile goes to nobody."""
        attempt, token = begin(core)
        core.partner.installed = Cancelling(core, attempt)
        with pytest.raises(LaunchRefused):
            core.connect.launch(core.connect.peek(token))
        assert stored(core, attempt).status is Status.CANCELLED

    def test_of_two_launches_at_once_one_is_refused(self, core: WatchedCore) -> None:
        """Both had looked before either used the token."""
        attempt, token = begin(core)
        seen = core.connect.peek(token)
        core.connect.launch(core.connect.peek(token))
        with pytest.raises(LaunchRefused):
            core.connect.launch(seen)
        assert stored(core, attempt).status is Status.LAUNCHED
        assert len(core.partner.of("mint")) == 1

    def test_of_two_launches_that_mint_at_once_one_is_postponed(self, core: WatchedCore) -> None:
        """While one waits for the partner service, the other asks for nothing; later its token was used."""
        attempt, token = begin(core)
        seen = core.connect.peek(token)
        mint = core.partner.mint_sign_in_token

        def meanwhile(*asked: Any, **more: Any) -> Any:
            with pytest.raises(LaunchPostponed):
                core.connect.launch(seen)
            return mint(*asked, **more)

        core.partner.mint_sign_in_token = meanwhile  # type: ignore[method-assign]
        url = core.connect.launch(seen).url
        assert len(core.partner.of("mint")) == 1
        assert stored(core, attempt).sign_in_token_sha256 == fingerprint(query(url)["token"])
        for again in (core.connect.peek, lambda _: core.connect.launch(seen)):
            with pytest.raises(LaunchRefused, match="was used"):
                again(token)

    def test_of_two_launches_at_once_the_other_may_go_on_where_one_is_postponed(
        self, core: WatchedCore
    ) -> None:
        """The popup was reloaded, say: nobody waits for the answer to the first one."""
        _, token = begin(core)
        seen, mint = core.connect.peek(token), core.partner.mint_sign_in_token

        def meanwhile(*_: Any, **__: Any) -> Any:
            with pytest.raises(LaunchPostponed):
                core.connect.launch(seen)
            raise PartnerUnavailable("gone")

        core.partner.mint_sign_in_token = meanwhile  # type: ignore[method-assign]
        with pytest.raises(LaunchPostponed):
            core.connect.launch(seen)
        core.partner.mint_sign_in_token = mint  # type: ignore[method-assign]
        assert core.connect.launch(core.connect.peek(token)).url

    def test_a_try_of_another_process_is_waited_for(self, core: WatchedCore) -> None:
        """It may have been killed: after a while the token may be tried again, and is used up once."""
        attempt, token = begin(core)
        core.connect._lease_launch(core.connect.peek(token))  # All that a killed process has done.
        with pytest.raises(LaunchPostponed):
            core.connect.launch(core.connect.peek(token))
        assert core.partner.of("mint") == []
        core.clock.tick(LAUNCH_LEASE.total_seconds())
        assert core.connect.launch(core.connect.peek(token)).url
        assert stored(core, attempt).minted_at == core.clock()

    @pytest.mark.parametrize("other_ends", [False, True], ids=["still trying", "minted"])
    @pytest.mark.parametrize(
        "fault", [None, PartnerUnavailable("refused", lasting=True), ConnectorUnavailable("gone")], ids=str
    )
    def test_a_try_that_outlasts_its_lease_ends_nothing(
        self, core: WatchedCore, fault: PartnerProblem | None, *, other_ends: bool
    ) -> None:
        """Another process has the lease by now: how the first one ended is of no consequence."""
        attempt, token = begin(core)
        other, mint = build_watched_core(core.engine), core.partner.mint_sign_in_token

        def outlast(*asked: Any, **more: Any) -> Any:
            core.clock.tick(LAUNCH_LEASE.total_seconds())
            other.clock.now = core.clock.now
            if other_ends:
                other.connect.launch(other.connect.peek(token))
            else:
                other.connect._lease_launch(other.connect.peek(token))
            if fault:
                raise fault
            return mint(*asked, **more)

        core.partner.mint_sign_in_token = outlast  # type: ignore[method-assign]
        with pytest.raises(LaunchRefused if other_ends else LaunchPostponed):
            core.connect.launch(core.connect.peek(token))
        now = stored(core, attempt)
        assert now.status is Status.LAUNCHED
        assert core.events.heard == []
        assert now.sign_in_token_sha256 == (other.partner.minted[0] if other_ends else None)

    def test_a_try_that_outlasts_its_lease_counts_if_there_was_no_other(self, core: WatchedCore) -> None:
        """Slow, but the only one: its browser goes on."""
        attempt, token = begin(core)
        mint = core.partner.mint_sign_in_token

        def slowly(*asked: Any, **more: Any) -> Any:
            core.clock.tick(2 * LAUNCH_LEASE.total_seconds())
            return mint(*asked, **more)

        core.partner.mint_sign_in_token = slowly  # type: ignore[method-assign]
        url = core.connect.launch(core.connect.peek(token)).url
        assert stored(core, attempt).sign_in_token_sha256 == fingerprint(query(url)["token"])

    def test_a_database_that_goes_away_as_a_launch_fails_leaves_it_to_be_tried_again(
        self, core: WatchedCore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The lease ends by itself; the attempt has not failed, and its token is still good."""
        attempt, token = begin(core)
        core.partner.troubles[ACME.id] = ConnectorUnavailable("gone")
        store = core.attempts.transition

        def away(number: str, expected: Any, changes: Any, *more: Any, **named: Any) -> Any:
            if "error_code" in changes:
                raise OperationalError("UPDATE", None, Exception("gone"))
            return store(number, expected, changes, *more, **named)

        with monkeypatch.context() as patched:
            patched.setattr(core.attempts, "transition", away)
            with pytest.raises(OperationalError):
                core.connect.launch(core.connect.peek(token))
        assert stored(core, attempt).status is Status.LAUNCHED
        core.clock.tick(LAUNCH_LEASE.total_seconds())
        core.partner.troubles.clear()
        assert core.connect.launch(core.connect.peek(token)).url

    def test_a_database_that_goes_away_before_the_mint_is_stored_uses_nothing_up(
        self, core: WatchedCore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """When it is back the same launch token launches; nobody was told what had been minted before."""
        attempt, token = begin(core)
        store = core.attempts.transition

        def away(number: str, expected: Any, changes: Any, **more: Any) -> Any:
            if "minted_at" in changes:
                raise OperationalError("UPDATE", None, Exception("gone"))
            return store(number, expected, changes, **more)

        monkeypatch.setattr(core.attempts, "transition", away)
        with pytest.raises(OperationalError):
            core.connect.launch(core.connect.peek(token))
        monkeypatch.undo()
        core.clock.tick(LAUNCH_LEASE.total_seconds())
        url = core.connect.launch(core.connect.peek(token)).url
        assert stored(core, attempt).sign_in_token_sha256 == fingerprint(query(url)["token"])

    def test_return_delivery_sends_the_browser_back_to_a_page_of_its_own(self, core: WatchedCore) -> None:
        """The address has a secret that is kept as a hash, and no message travels."""
        attempt, token = begin(core, delivery=Delivery.RETURN)
        told = query(core.connect.launch(core.connect.peek(token)).url)
        secret = core.tokens[-1]
        assert told == {"id": "7", "token": "token-0", "targetOrigin": f"{PUBLIC}/connect/return/{secret}"}
        now = stored(core, attempt)
        assert (now.delivery, now.return_secret_sha256) == (Delivery.RETURN, fingerprint(secret))
        assert core.connect.by_return_secret(Secret(secret)) == now

    def test_a_reconnect_at_a_partner_service_that_tells_nothing_has_to_return(
        self, core: WatchedCore
    ) -> None:
        """Its flag alone cannot show that a second sign-in finished."""
        core.partner.tells, core.partner.authenticated = False, True
        attempt, token = begin(core)
        assert "callbackMessage" not in query(core.connect.launch(core.connect.peek(token)).url)
        assert stored(core, attempt).delivery is Delivery.RETURN
        assert stored(core, attempt).authenticated_before is True

    @pytest.mark.parametrize(("tells", "authenticated"), [(True, True), (True, False), (False, False)])
    def test_every_other_sign_in_sends_its_message(
        self, core: WatchedCore, *, tells: bool, authenticated: bool
    ) -> None:
        """What became of it will be told, or the flag will show it."""
        core.partner.tells, core.partner.authenticated = tells, authenticated
        _, token = begin(core)
        assert query(core.connect.launch(core.connect.peek(token)).url)["callbackMessage"] == "done"


class Cancelling(list[AccountConnector]):
    """What is installed; looking at it takes so long that the user cancels meanwhile."""

    def __init__(self, core: WatchedCore, attempt: Attempt) -> None:
        super().__init__([core.partner._told()])
        self.core, self.attempt = core, attempt

    def __iter__(self) -> Iterator[AccountConnector]:
        """The user cancels, and here it is."""
        self.core.poller.settle(self.attempt, {"status": Status.CANCELLED, "error_code": "cancelled"})
        return super().__iter__()


class TestReading:
    """An attempt belongs to one principal of one product."""

    def test_the_principal_who_began_reads_it(self, core: WatchedCore) -> None:
        """And their host's server."""
        attempt, _ = begin(core)
        assert core.connect.owned(attempt.id, ADA) == attempt
        assert core.connect.read(attempt.id, "demo") == attempt

    @pytest.mark.parametrize(
        "other",
        [
            Principal("demo", ACME, User("grace")),
            Principal("demo", AccountRef("other", "Acme Inc."), User("ada")),
            Principal("other", ACME, User("ada")),
        ],
    )
    def test_nobody_else_finds_anything(self, core: WatchedCore, other: Principal) -> None:
        """Another user, another account, another product: there is no such attempt."""
        attempt, _ = begin(core)
        with pytest.raises(NotFound, match=attempt.id):
            core.connect.owned(attempt.id, other)

    def test_what_is_not_there_is_not_found(self, core: WatchedCore) -> None:
        """An id that nobody was given, another product's, and a return page's secret that is none."""
        attempt, _ = begin(core)
        with pytest.raises(NotFound, match="att_none"):
            core.connect.read("att_none", "demo")
        with pytest.raises(NotFound, match=attempt.id):
            core.connect.read(attempt.id, "other")
        with pytest.raises(NotFound):
            core.connect.by_return_secret(Secret("guessed"))


class TestCancel:
    """The user's word ends an attempt, unless the sign-in has ended otherwise."""

    def test_a_cancelled_attempt_says_so(self, core: WatchedCore) -> None:
        """Before the launch, whose token is no longer good then, and after it."""
        unlaunched, token = begin(core)
        told = core.connect.cancel(unlaunched)
        assert (told.status, told.error_code) == (Status.CANCELLED, "cancelled")
        assert stored(core, unlaunched) == told
        with pytest.raises(LaunchRefused):
            core.connect.peek(token)
        assert core.connect.cancel(core.launched()).status is Status.CANCELLED

    def test_a_sign_in_that_has_finished_all_the_same_is_told_as_what_it_is(self, core: WatchedCore) -> None:
        """The partner service is asked first, even right after somebody else asked."""
        attempt = core.launched()
        core.clock.tick(60)
        core.poller.poll(attempt)
        core.finish(attempt, "connected")
        assert core.connect.cancel(core.read(attempt)).status is Status.CONNECTED


class TestReturned:
    """The browser's return is noted once, and makes the server look."""

    def reconnected(self, core: WatchedCore) -> tuple[Attempt, Secret]:
        """A reconnect at a partner service that tells nothing but its flag, and its return page's secret."""
        core.partner.tells, core.partner.authenticated = False, True
        attempt, token = begin(core)
        core.connect.launch(core.connect.peek(token))
        core.clock.tick(30)
        return attempt, Secret(core.tokens[-1])

    def test_the_return_is_noted_and_the_user_is_asked(self, core: WatchedCore) -> None:
        """Coming back shows no success where it was connected before: the answer decides, for nobody."""
        attempt, secret = self.reconnected(core)
        came = core.clock()
        told = core.connect.record_return(secret)
        assert (told.status, told.returned_at) == (Status.LAUNCHED, came)
        core.clock.tick(30)
        told = core.connect.record_return(secret, finished=True)
        assert (told.status, told.returned_at, told.attributed) == (Status.CONNECTED, came, False)
        assert stored(core, attempt).status is Status.CONNECTED

    def test_an_answer_counts_once_the_partner_service_is_back(self, core: WatchedCore) -> None:
        """It was down when the user answered."""
        attempt, secret = self.reconnected(core)
        core.partner.down = True
        assert core.connect.record_return(secret, finished=True).status is Status.LAUNCHED
        core.partner.down = False
        core.clock.tick(10)
        assert core.poller.poll(stored(core, attempt)).status is Status.CONNECTED

    def test_a_return_with_an_error_ends_the_attempt(self, core: WatchedCore) -> None:
        """As declined; the text of the error, which comes from outside, is nowhere."""
        attempt, secret = self.reconnected(core)
        told = core.connect.record_return(secret, "access_denied")
        assert (told.status, told.error_code, told.attributed) == (Status.DECLINED, "declined", None)
        other, secret = self.reconnected(core)
        told = core.connect.record_return(secret, "<b>\x00" * 1000)
        assert (told.status, told.error_code, told.return_error) == (Status.FAILED, "failed", "unknown")
        assert core.read(attempt).status is Status.DECLINED
        assert core.read(other).status is Status.FAILED

    def test_a_denial_is_not_forgotten_when_the_return_page_is_loaded_again(self, core: WatchedCore) -> None:
        """Without its query, before the partner service could be polled."""
        attempt, secret = self.reconnected(core)
        core.partner.down = True
        assert core.connect.record_return(secret, "access_denied").status is Status.LAUNCHED
        assert core.connect.record_return(secret).return_error == "access_denied"
        core.partner.down = False
        core.clock.tick(10)
        assert core.poller.poll(stored(core, attempt)).status is Status.DECLINED

    def test_a_return_that_is_loaded_twice_was_at_the_first_time(self, core: WatchedCore) -> None:
        """Nothing has been decided in between."""
        attempt, token = begin(core, delivery=Delivery.RETURN)
        core.connect.launch(core.connect.peek(token))
        secret = Secret(core.tokens[-1])
        core.clock.tick(10)
        first = core.connect.record_return(secret).returned_at
        assert first == core.clock()
        core.clock.tick(10)
        assert core.connect.record_return(secret).returned_at == first
        assert stored(core, attempt).status is Status.LAUNCHED
        assert stored(core, attempt).hinted_at == core.clock()

    def test_a_return_after_the_end_changes_nothing(self, core: WatchedCore) -> None:
        """The attempt had been given up; that its sign-in is over is known now."""
        attempt, token = begin(core, delivery=Delivery.RETURN)
        core.connect.launch(core.connect.peek(token))
        secret = Secret(core.tokens[-1])
        core.connect.cancel(core.read(attempt))
        told = core.connect.record_return(secret)
        assert (told.status, told.returned_at) == (Status.CANCELLED, core.clock())


class TestAccept:
    """The user may take the other account that signed in, once it is known to be another."""

    def mismatched(self, core: WatchedCore) -> Attempt:
        """Another account signed in than the connected one."""
        attempt = core.launched()
        core.finish(attempt, "failed", error="account_mismatch")
        core.clock.tick(10)
        return core.poller.poll(core.read(attempt), None)

    def test_the_choice_is_an_attempt_of_its_own(self, core: WatchedCore) -> None:
        """The one that failed stays failed; the new one is whose the old one was, and connected."""
        old = self.mismatched(core)
        assert old.error_code == "account_mismatch"
        core.clock.tick(5)
        new = core.acceptance.accept(old)
        assert core.partner.of("accept") == [[old.account, 7, old.sign_in_token_sha256]]
        assert new.status is Status.CONNECTED
        assert stored(core, old).status is Status.FAILED
        assert re.fullmatch(r"att_.{24}", new.id)
        assert new.id != old.id
        assert new.support_code != old.support_code
        assert (new.account, new.user, new.connector) == (old.account, old.user, old.connector)
        assert (new.message, new.origin) == (old.message, old.origin)
        assert (new.error_code, new.return_secret_sha256) == (None, None)
        assert new.created_at == new.launched_at == new.settled_at == core.clock()
        assert new.expires_at == core.clock() + LAUNCHED_LIFE
        assert new.launch_token_sha256 != old.launch_token_sha256
        kept = stored(core, new)
        assert (kept.status, kept.polls, kept.polled_at) == (Status.CONNECTED, 1, core.clock())

    @pytest.mark.parametrize("message", ["all", "sealed"])
    def test_a_message_that_names_its_attempt_names_the_new_one(
        self, core: WatchedCore, message: str
    ) -> None:
        """The page is told it together with the id of the new attempt, as of any that connected."""
        old, token = begin(core, message=message)
        core.connect.launch(core.connect.peek(token))
        core.finish(core.read(old), "failed", error="account_mismatch")
        core.clock.tick(10)
        new = core.acceptance.accept(core.poller.poll(core.read(old)))
        assert new.id in new.callback_message
        assert old.id not in new.message + new.callback_message
        assert new.message.replace(new.id, old.id) == old.message
        assert new.callback_message.replace(new.id, old.id) == old.callback_message

    def test_the_timeline_of_a_choice_says_nothing_of_a_return(self, core: WatchedCore) -> None:
        """The user chose on the page; no browser came back for it."""
        old = self.mismatched(core)
        for new in (core.acceptance.accept(old), core.acceptance.accept(old)):
            assert [step.name for step in core.attempts.steps(new.id)] == [POLLED]

    def test_a_choice_is_made_once(self, core: WatchedCore) -> None:
        """Made again it is the same attempt, and the partner service is not asked to choose again."""
        old = self.mismatched(core)
        new = core.acceptance.accept(old)
        core.clock.tick(3600)
        assert core.acceptance.accept(old) == stored(core, new)
        assert len(core.partner.of("accept")) == 1

    def test_of_choices_at_once_the_first_stands(self, core: WatchedCore) -> None:
        """Another worker has kept the same choice: the store says so, and which."""
        new = core.acceptance.accept(self.mismatched(core))
        late = replace(new, launch_token_sha256="0" * 64, support_code="LATE")
        with pytest.raises(AlreadyBegun) as raised:
            core.attempts.add(late)
        assert raised.value.attempt == stored(core, new)

    def test_choices_of_two_attempts_are_two(self, core: WatchedCore) -> None:
        """Each is that of the attempt that failed."""
        assert (
            core.acceptance.accept(self.mismatched(core)).id
            != core.acceptance.accept(self.mismatched(core)).id
        )

    def test_the_choice_has_no_return_page(self, core: WatchedCore) -> None:
        """The old attempt's page stays the old attempt's."""
        _, token = begin(core, delivery=Delivery.RETURN, idempotency_sha256="e" * 64)
        old = core.connect.launch(core.connect.peek(token)).attempt
        secret = Secret(core.tokens[-1])
        core.finish(core.read(old), "failed", error="account_mismatch")
        core.clock.tick(10)
        new = core.acceptance.accept(core.poller.poll(core.read(old)))
        assert (new.return_secret_sha256, new.idempotency_sha256) == (None, None)
        assert core.connect.by_return_secret(secret).id == old.id

    def test_nobody_can_launch_the_choice_again(self, core: WatchedCore) -> None:
        """Its launch token was told to nobody: not the old one, none of its other random values."""
        old, token = begin(core)
        core.connect.launch(core.connect.peek(token))
        core.finish(core.read(old), "failed", error="account_mismatch")
        core.clock.tick(10)
        failed = core.poller.poll(core.read(old))
        new = core.acceptance.accept(failed)
        with pytest.raises(LaunchRefused):
            core.connect.launch(core.connect.peek(token))
        assert new.launch_token_sha256 == fingerprint(core.tokens[-1])

    def test_a_choice_that_is_not_told_yet_can_still_be_read(self, core: WatchedCore) -> None:
        """The partner service took it and then went down: the new attempt waits."""
        old = self.mismatched(core)
        core.partner.fails.add("get")
        new = core.acceptance.accept(old)
        assert stored(core, new).status is Status.LAUNCHED
        assert stored(core, new).settled_at is None
        assert (stored(core, new).polls, stored(core, new).hinted_at) == (1, None)

    def test_only_another_account_can_be_accepted(self, core: WatchedCore) -> None:
        """Not a sign-in that still runs, and none that failed otherwise."""
        attempt = core.launched()
        with pytest.raises(InvalidRequest):
            core.acceptance.accept(attempt)
        core.finish(attempt, "failed", error="server_error")
        core.clock.tick(10)
        with pytest.raises(InvalidRequest):
            core.acceptance.accept(core.poller.poll(core.read(attempt)))
        assert core.partner.of("accept") == []

    @pytest.mark.parametrize("lost", ["sign_in_token_sha256", "account_connector_id"])
    def test_an_attempt_without_a_sign_in_has_nothing_to_accept(self, core: WatchedCore, lost: str) -> None:
        """There is nothing by which the partner service would know it."""
        with pytest.raises(InvalidRequest):
            core.acceptance.accept(replace(self.mismatched(core), **{lost: None}))


class TestSupportCode:
    """Eight characters that can be read out over the telephone."""

    def test_its_letters_cannot_be_mistaken_for_one_another(self) -> None:
        """Two groups of four, without I, L, O, U, 0 and 1."""
        for number in range(50):
            code = support_code(str(number))
            assert re.fullmatch(r"[2-9A-HJKMNP-TV-Z]{4}-[2-9A-HJKMNP-TV-Z]{4}", code), code
        assert not set("ILOU01") & set(SUPPORT_ALPHABET)

    def test_it_is_made_from_the_random_token_alone(self) -> None:
        """The same token, the same code: what a user reads out stays findable."""
        assert support_code("token") == support_code("token")
        assert len({support_code(str(number)) for number in range(2000)}) == 2000

    def test_every_place_uses_every_letter(self) -> None:
        """At least 39 bits: each of the eight places can be each letter."""
        codes = [support_code(str(number)).replace("-", "") for number in range(2000)]
        assert all({code[place] for code in codes} == set(SUPPORT_ALPHABET) for place in range(8))


def test_a_record_of_another_attempt_is_none_of_ours(core: WatchedCore) -> None:
    """Two attempts of one connector: each is told its own end."""
    first, second = core.launched(), core.launched()
    core.finish(second, "declined")
    core.clock.tick(10)
    assert core.poller.poll(core.read(first)).status is Status.LAUNCHED
    assert core.poller.poll(core.read(second)).status is Status.DECLINED
