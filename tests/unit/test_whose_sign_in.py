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
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import delete

from bff.adapters.tables import attempts, sign_in_urls
from bff.core.connect import BeginRequest
from bff.core.model import Attempt, Delivery, Hint, Product, Status, User
from bff.core.outcome import LATE
from bff.core.secret import Secret
from tests.support.databases import DatabaseUrl
from tests.support.watched_core import ADA, HOST, PRODUCT, WatchedCore, open_watched_core

SECOND = replace(PRODUCT, key="second")
USERS = ("ada", "bob")


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

    @initialize(connected=st.booleans())
    def begin(self, connected: bool) -> None:
        """Nobody has signed in for long, and the connector is connected or is not."""
        with self.core.engine.begin() as connection:
            connection.execute(delete(attempts))
            connection.execute(delete(sign_in_urls))
        self.core.partner.tells = False
        self.core.partner.authenticated = connected
        self.core.partner.down = False

    @rule(
        target=windows,
        product=st.sampled_from([PRODUCT, SECOND]),
        user=st.sampled_from(USERS),
        delivery=st.sampled_from(Delivery),
    )
    def launch(self, product: Product, user: str, delivery: Delivery) -> Window:
        """A user presses the button, and is at the third party."""
        who = replace(ADA, product=product.key, user=User(user))
        attempt, token = self.core.connect.begin(product, who, BeginRequest("crm", HOST, delivery=delivery))
        self.core.connect.launch(self.core.connect.peek(token))
        launched = self.core.connect.read(attempt.id, product.key)
        secret = Secret(self.core.tokens[-1]) if launched.return_secret_sha256 else None
        return self._add(Window(product, user, self.core.clock(), launched, secret))

    @rule(target=windows, user=st.sampled_from(USERS))
    def follow_a_minted_url(self, user: str) -> Window:
        """A host's server asked for a plain sign-in URL, and redirected the user to it."""
        self.core.urls.mint(
            SECOND, ADA.account, User(user), connector="crm", target_origin=HOST, callback_message="done"
        )
        return self._add(Window(SECOND, user, self.core.clock()))

    @rule(window=windows, arrives=st.booleans())
    def allow(self, window: Window, arrives: bool) -> None:
        """The sign-in succeeds; the way back may be lost, as the window is closed at that instant."""
        if not window.open or self.core.clock() - window.began >= LATE:
            return
        window.open = False
        window.allowed_at.append(self.core.clock())
        self.core.partner.authenticated = True
        if arrives:
            self._come_back(window)

    @rule(window=windows, told=st.sampled_from(["", "access_denied", "server_error", "?", None]))
    def deny(self, window: Window, told: str | None) -> None:
        """An error page (None), or back with an error or without any word."""
        if window.open and told is not None:
            window.open = False
            self._come_back(window, told)

    @rule(window=windows, finished=st.booleans())
    def answer(self, window: Window, finished: bool) -> None:
        """What the user says who is asked, whether or not it is true."""
        if window.secret and window.attempt and not window.open:
            if finished:
                self.core.connect.returned(window.secret, finished=True)
            else:
                self.core.connect.cancel(self._read(window.attempt))

    @rule(window=windows, hint=st.sampled_from([None, *Hint]))
    def a_page_looks(self, window: Window, hint: Hint | None) -> None:
        """Any signal, true or forged."""
        if window.attempt:
            self.core.watch.observe(self._read(window.attempt), hint)

    @rule(window=windows)
    def cancel(self, window: Window) -> None:
        """The user gives up; the window may be isolated, and stay open."""
        if window.attempt:
            self.core.connect.cancel(self._read(window.attempt))

    @rule(seconds=st.sampled_from([0.1, 5.0, 31.0, 299.0, 901.0, 3000.0]))
    def time_passes(self, seconds: float) -> None:
        """Any time."""
        self.core.clock.tick(seconds)

    @precondition(lambda self: self.core.partner.authenticated)
    @rule()
    def somebody_disconnects(self) -> None:
        """The connector is authenticated no more."""
        self.core.partner.authenticated = False

    @rule(down=st.booleans())
    def the_partner_fails_or_recovers(self, down: bool) -> None:
        """An outage begins or ends."""
        self.core.partner.down = down

    @invariant()
    def nobody_is_named_who_did_not_do_it(self) -> None:
        """Neither in the result nor in a late success; and a denial never became a success."""
        for window in self.all:
            if window.attempt is None:
                continue
            now = self._read(window.attempt)
            if now.attributed:
                assert now.status is Status.CONNECTED
                assert self._has_allowed(window.user, window.product, since=window.began)
            if now.late_success_at is not None:
                assert window.allowed_at
            if now.return_error and now.status is not Status.CANCELLED:
                assert now.status in {Status.DECLINED, Status.FAILED, Status.EXPIRED, Status.LAUNCHED}

    def _has_allowed(self, user: str, product: Product, *, since: datetime) -> bool:
        theirs = (one for one in self.all if (one.user, one.product) == (user, product))
        return any(at >= since for one in theirs for at in one.allowed_at)

    def _come_back(self, window: Window, error: str = "") -> None:
        if window.secret:
            self.core.connect.returned(window.secret, error)

    def _read(self, attempt: Attempt) -> Attempt:
        return self.core.connect.read(attempt.id, attempt.product)

    def _add(self, window: Window) -> Window:
        self.all.append(window)
        return window


def test_nothing_claims_that_a_user_did_it_unless_it_did(tmp_path: Path, database_url: DatabaseUrl) -> None:
    """Two users, two products, minted URLs, lost returns, denials of every kind, in every order."""
    with open_watched_core(database_url(tmp_path, "whose")) as core:
        few = settings(
            max_examples=60,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        )
        run_state_machine_as_test(lambda: AnAccountConnector(core), settings=few)
