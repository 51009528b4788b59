"""Nothing says that a user connected who did not, at a partner service that tells nothing but its flag."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import delete

from bff.common.secret import Secret
from bff.connect.attempt import Attempt, Delivery, Hint, Status
from bff.connect.new_attempt import BeginRequest
from bff.connect.outcome import SIGN_IN_LIFE
from bff.content.product import Product
from bff.identity.principal import User
from bff.storage.tables import attempts, sign_in_urls
from tests.support.databases import DatabaseUrl
from tests.support.watched_core import ADA, HOST, PRODUCT, WatchedCore, open_watched_core

SECOND = replace(PRODUCT, key="second")
WHO = ((PRODUCT, "ada"), (PRODUCT, "ada"), (PRODUCT, "bob"), (SECOND, "ada"))
MOST = 3
"""Windows in one story: more take nothing away from what fewer show."""


@dataclass
class Window:
    """A browser window at the partner service: whose it is, and what became of it."""

    product: Product
    user: str
    began: datetime
    attempt: Attempt | None = None
    secret: Secret | None = None
    allowed_at: list[datetime] = field(default_factory=list)
    open: bool = True


class AnAccountConnector(RuleBasedStateMachine):
    """What users of one account, in two products, do at the same connector, in any order."""

    windows = Bundle("windows")

    def __init__(self, core: WatchedCore) -> None:
        super().__init__()
        self.core = core
        self.all: list[Window] = []

    @initialize(connected=st.sampled_from([False, False, True]))
    def begin(self, connected: bool) -> None:
        """Nobody has signed in for long, and the connector is connected or is not."""
        with self.core.engine.begin() as connection:
            connection.execute(delete(attempts))
            connection.execute(delete(sign_in_urls))
        self.core.partner.tells = False
        self.core.partner.authenticated = connected

    @precondition(lambda self: len(self.all) < MOST)
    @rule(target=windows, who=st.sampled_from(WHO), delivery=st.sampled_from(Delivery))
    def launch(self, who: tuple[Product, str], delivery: Delivery) -> Window:
        """A user presses the button, and is at the third party."""
        product, user = who
        principal = replace(ADA, product=product.key, user=User(user))
        asked = BeginRequest("crm", HOST, delivery=delivery)
        attempt, token = self.core.connect.begin(product, principal, asked)
        self.core.connect.launch(self.core.connect.peek(token))
        launched = self.core.connect.read(attempt.id, product.key)
        secret = Secret(self.core.tokens[-1]) if launched.return_secret_sha256 else None
        return self._add(Window(product, user, self.core.clock(), launched, secret))

    @precondition(lambda self: len(self.all) < MOST)
    @rule(target=windows, user=st.sampled_from(["ada", "bob"]))
    def follow_a_minted_url(self, user: str) -> Window:
        """A host's server asked for a plain sign-in URL, and redirected the user to it."""
        self.core.urls.mint(
            SECOND, ADA.account, User(user), connector="crm", target_origin=HOST, callback_message="done"
        )
        return self._add(Window(SECOND, user, self.core.clock()))

    @rule(window=windows, how=st.sampled_from(["allow", "allow", "lost", "page", "", "access_denied", "?"]))
    def the_sign_in_ends(self, window: Window, how: str) -> None:
        """By Allow (the way back may be lost); by Deny: an error page, or back with an error, or without."""
        if not window.open or self.core.clock() - window.began >= SIGN_IN_LIFE:
            return
        window.open = False
        if how in {"allow", "lost"}:
            window.allowed_at.append(self.core.clock())
            self.core.partner.authenticated = True
        if window.secret and how not in {"lost", "page"}:
            self.core.connect.record_return(window.secret, "" if how == "allow" else how)

    @rule(window=windows, how=st.sampled_from([None, *Hint, "yes", "no"]))
    def a_page_looks(self, window: Window, how: str | None) -> None:
        """After any signal, true or forged; and what the user says who is asked, true or not."""
        if window.attempt is None:
            return
        if how in {Hint.CANCEL, "no"}:
            self.core.connect.cancel(self._read(window.attempt))
        elif how == "yes" and window.secret:
            self.core.connect.record_return(window.secret, finished=True)
        elif how != "yes":
            self.core.poller.poll(self._read(window.attempt), Hint(how) if how else None)

    @rule(seconds=st.sampled_from([5.0, 31.0, 299.0, 901.0]))
    def time_passes(self, seconds: float) -> None:
        """Any time."""
        self.core.clock.tick(seconds)

    @precondition(lambda self: self.core.partner.authenticated)
    @rule()
    def somebody_disconnects(self) -> None:
        """The connector is authenticated no more."""
        self.core.partner.authenticated = False

    def teardown(self) -> None:
        """At last every page looks."""
        for window in self.all:
            self.a_page_looks(window, Hint.MESSAGE)
            self._check(window)

    def _check(self, window: Window) -> None:
        if window.attempt is None:
            return
        now = self._read(window.attempt)
        if now.attributed:
            assert now.status is Status.CONNECTED
            assert self._has_allowed(window.user, window.product, since=window.began), "named without cause"
        if now.late_success_at is not None:
            assert window.allowed_at, "a late success that was another's"

    def _has_allowed(self, user: str, product: Product, *, since: datetime) -> bool:
        theirs = (one for one in self.all if (one.user, one.product) == (user, product))
        return any(at >= since for one in theirs for at in one.allowed_at)

    def _read(self, attempt: Attempt) -> Attempt:
        return self.core.connect.read(attempt.id, attempt.product)

    def _add(self, window: Window) -> Window:
        self.all.append(window)
        return window


def test_nothing_claims_that_a_user_did_it_unless_it_did(tmp_path: Path, database_url: DatabaseUrl) -> None:
    """Two users, two products, minted URLs, lost returns, denials of every kind, in every order."""
    with open_watched_core(database_url(tmp_path, "bff")) as core:
        few = settings(
            max_examples=60,
            stateful_step_count=10,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        )
        run_state_machine_as_test(lambda: AnAccountConnector(core), settings=few)
