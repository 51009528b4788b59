"""One Connect click, step by step: begin, launch, read, and how a user speaks up."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Final

from bff.common.errors import (
    LaunchPostponed,
    LaunchRefused,
    NotFound,
    PartnerProblem,
    PartnerUnavailable,
)
from bff.common.secret import Secret, fingerprint
from bff.connect import outcome
from bff.connect.attempt import (
    GIVEN_UP,
    LAUNCHED_LIFE,
    LIVE,
    Attempt,
    AttemptChanges,
    Hint,
    Status,
)
from bff.connect.beginning import BeginRequest, new_attempt
from bff.connect.forms import Forms
from bff.connect.launch_minting import LaunchMinter, Ready
from bff.connect.offered_connectors import offered_connector
from bff.connect.poll_schedule import Turn
from bff.connect.polling import Watch
from bff.connect.ports import AttemptStore
from bff.connect.prefetch import Ahead
from bff.connect.surroundings import Surroundings
from bff.connect.tries import Tries
from bff.content.product import Product
from bff.identity.principal import Principal
from bff.upstream.catalogue import Catalogue

PATIENCE: Final = timedelta(seconds=30)
"""So long after its first try a launch is given back when the partner service is away: as a restart takes."""
TRY: Final = timedelta(seconds=15)
"""So long one try of a launch holds off others, if it does not come to its end: its process may be gone."""
MOST_TRIES: Final = 1000


@dataclass(frozen=True)
class Launched:
    """The URL to send the browser to, and what the browser has to keep until it completes the sign-in."""

    attempt: Attempt
    url: Secret
    browser: Secret | None


class Connect:
    """The use-case behind the button."""

    def __init__(
        self,
        attempts: AttemptStore,
        watch: Watch,
        catalogue: Catalogue,
        minter: LaunchMinter,
        ahead: Ahead[Ready],
        forms: Forms,
        around: Surroundings,
    ) -> None:
        self._attempts = attempts
        self._watch = watch
        self._catalogue = catalogue
        self._minter = minter
        self._ahead = ahead
        self._forms = forms
        self._tries = Tries()
        self._around = around
        self._clock = around.clock

    def begin(
        self,
        product: Product,
        principal: Principal,
        asked: BeginRequest,
        when_new: Callable[[Attempt], None] | None = None,
    ) -> tuple[Attempt, Secret]:
        """Prepare an attempt: a local write, nothing is asked of the partner service.

        Returns it with the launch token, which is told once; ``when_new`` is told of the attempt. Raises
        ``UnknownConnector``, ``UnknownMessage``, ``InvalidRequest``, ``AlreadyBegun``, or
        ``ConnectorUnavailable`` for one that is known not to be connectable here.
        """
        offered = offered_connector(product, principal, asked.connector)
        self._catalogue.require_connectable(offered)
        connector = self._catalogue.named(offered)
        attempt, launch_token = new_attempt(product, principal, connector, asked, self._around)
        self._attempts.add(attempt)
        if when_new:
            when_new(attempt)
        return attempt, launch_token

    def peek(self, launch_token: Secret) -> Attempt:
        """The attempt that a launch token stands for, without using it. Raises ``LaunchRefused``."""
        attempt = self.attempt_of(launch_token)
        if attempt is None or not _may_launch(attempt) or attempt.expires_at <= self._clock():
            if attempt:
                self._ahead.drop(attempt.id)
            raise LaunchRefused("this launch token is unknown, was used, or is past its time")
        return attempt

    def attempt_of(self, launch_token: Secret) -> Attempt | None:
        """The attempt that a launch token was made for, whether or not it may still be launched."""
        return self._attempts.find_by_launch_token(fingerprint(launch_token.reveal()))

    def press(self, attempt: Attempt) -> None:
        """The user presses the button of an attempt that was peeked at: mint for its launch already.

        Nothing is stored, and only the launch sees what comes of it; the second press of an attempt does
        nothing. This worker alone knows of it: with several, a launch that comes to another mints as ever.
        Where it may install a further account connector, the launch does so itself: nobody needs two.
        """
        if attempt.adds_connection:
            return
        self._ahead.begin(attempt.id, partial(self._minter.mint, attempt))

    def launch(self, prepared: Attempt) -> Launched:
        """Use the launch token of an attempt that was peeked at, once.

        It is used up by what was minted, stored together with it, or by its form: whatever breaks before, the
        partner service, the database or this program, leaves it good. Answers with the URL to send the
        browser to: at the partner service, or of the form for what it needs first. Raises ``LaunchRefused``;
        ``LaunchPostponed`` while it is worth trying again; on any other ``PartnerProblem`` the attempt has
        failed with its code.
        """
        with self._tries.one(prepared.id):
            return self._launch(prepared)

    def _launch(self, prepared: Attempt) -> Launched:
        # Taken before it is known whether the token is good: if not, nobody else shall have it.
        begun = self._ahead.take(prepared.id)
        attempt = self._open(prepared)
        try:
            ready = self._ready(begun, attempt)
        except PartnerProblem as problem:
            raise self._unlaunched(attempt, problem) from None
        if ready is None:
            return Launched(attempt, *self._forms.open(attempt))
        if self._attempts.transition(attempt.id, {Status.LAUNCHED}, ready.changes, unused=True) is None:
            raise LaunchRefused("this launch token was used, or its attempt cancelled, while it was opened")
        return Launched(attempt, ready.url(self._around.partner_service_url), ready.minted.browser)

    def read(self, attempt_id: str, product: str) -> Attempt:
        """The attempt as it is stored. Raises ``NotFound`` when the product has none of this id."""
        attempt = self._attempts.get(attempt_id)
        if attempt is None or attempt.product != product:
            raise NotFound(f"there is no attempt {attempt_id!r}")
        return attempt

    def owned(self, attempt_id: str, principal: Principal) -> Attempt:
        """The attempt as it is stored, for the principal who began it. Raises ``NotFound``."""
        attempt = self.read(attempt_id, principal.product)
        if attempt.account.id != principal.account.id or attempt.user.id != principal.user.id:
            raise NotFound(f"there is no attempt {attempt_id!r}")
        return attempt

    def cancel(self, attempt: Attempt) -> Attempt:
        """The user gave up. A sign-in that has finished all the same is told as what it is."""
        self._ahead.drop(attempt.id)
        attempt = self._watch.observe(attempt, Hint.CANCEL)
        return self._watch.settle(attempt, {"status": Status.CANCELLED, "error_code": "cancelled"})

    def returned(self, secret: Secret, error: str = "", *, finished: bool = False) -> Attempt:
        """The browser came back from the partner service to this attempt's own page. Raises ``NotFound``.

        ``error`` is what the query says went wrong; ``finished``: the user says that the sign-in was.
        """
        attempt, now = self.by_return_secret(secret), self._clock()
        changes: AttemptChanges = {}
        if attempt.returned_at is None:
            changes["returned_at"] = now
        if (named := outcome.named_error(error)) != attempt.return_error:
            changes["return_error"] = named
        if finished and attempt.confirmed_at is None:
            changes["confirmed_at"] = now
        if changes:
            # Of one that was given up it shows that its sign-in is over.
            may = {Status.LAUNCHED} | GIVEN_UP
            attempt = self._attempts.transition(attempt.id, may, changes) or attempt
        return self._watch.observe(attempt, Hint.RETURNED)

    def by_return_secret(self, secret: Secret) -> Attempt:
        """The attempt whose return page has this secret. Raises ``NotFound``."""
        attempt = self._attempts.find_by_return_secret(fingerprint(secret.reveal()))
        if attempt is None:
            raise NotFound("this page belongs to no attempt")
        return attempt

    def _open(self, attempt: Attempt) -> Attempt:
        """The attempt as launched, now or by a try before this one that came to nothing.

        While another process tries, or seems to (it may have been killed), this one is postponed.
        """
        now = self._clock()
        changes: AttemptChanges = {
            "status": Status.LAUNCHED,
            "launched_at": now,
            "expires_at": now + LAUNCHED_LIFE,
            "checking_until": now + TRY,
        }
        if opened := self._attempts.transition(attempt.id, {Status.CREATED}, changes):
            return opened
        again = self._attempts.get(attempt.id)
        if again is None or not _may_launch(again):
            raise LaunchRefused("this launch token was used")
        if not self._attempts.claim_check(attempt.id, now, Turn(now, MOST_TRIES, now + TRY)):
            raise LaunchPostponed("this launch is being tried already")
        return again

    def _unlaunched(self, attempt: Attempt, problem: PartnerProblem) -> PartnerProblem:
        """What a launch that could not mint comes to: it waits, or its attempt has failed."""
        passing = isinstance(problem, PartnerUnavailable) and not problem.lasting
        if passing and self._clock() - (attempt.launched_at or self._clock()) < PATIENCE:
            self._attempts.note(attempt.id, "postponed", self._clock())
            self._attempts.end_check(attempt.id)
            return LaunchPostponed(problem.detail, retry_after=getattr(problem, "retry_after", None))
        self._watch.settle(attempt, {"status": Status.FAILED, "error_code": problem.told})
        return problem

    def _ready(self, begun: Future[Ready] | None, attempt: Attempt) -> Ready | None:
        """What the browser is sent on with; None where the user has to fill in a form before."""
        if self._forms.comes_first(attempt):
            return None
        ready = self._minted(begun, attempt)
        return None if self._forms.is_needed(attempt, ready.minted.installed) else ready

    def _minted(self, begun: Future[Ready] | None, attempt: Attempt) -> Ready:
        # What failed before the launch came is tried again, as the user now waits for it. What is under way
        # is this launch's own: to try again after it has failed would make a wait of two deadlines.
        if begun is None or (begun.done() and begun.exception()):
            return self._minter.mint(attempt)
        return begun.result()


def _may_launch(attempt: Attempt) -> bool:
    """Whether its launch token is still to be used: nothing was minted for it yet, and no form was opened."""
    return attempt.status in LIVE and attempt.minted_at is None and attempt.browser_sha256 is None
