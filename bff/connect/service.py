"""Operations on attempts: begin, press, launch, read, cancel, record a return."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from bff.common.errors import (
    HitchpostError,
    LaunchPostponed,
    LaunchRefused,
    NotFound,
    PartnerProblem,
    PartnerUnavailable,
)
from bff.common.secret import Secret, fingerprint
from bff.connect import launch_token, outcome
from bff.connect.attempt import (
    GIVEN_UP,
    LAUNCHED_LIFE,
    LIVE,
    Attempt,
    AttemptChanges,
    Hint,
    Status,
)
from bff.connect.context import ConnectContext
from bff.connect.forms import Forms
from bff.connect.launch_locks import LaunchLocks
from bff.connect.launch_minting import LaunchMinter, MintedLaunch
from bff.connect.new_attempt import BeginRequest, new_attempt
from bff.connect.offered_connectors import offered_connector
from bff.connect.polling import AttemptPoller
from bff.connect.ports import AttemptStore
from bff.connect.prefetch import Prefetcher
from bff.content.product import Product
from bff.identity.principal import Principal
from bff.upstream.catalogue import Catalogue

POSTPONED_FOR: Final = timedelta(seconds=30)
"""How long a launch is postponed, from its first try, while the partner service is unavailable."""
LAUNCH_LEASE: Final = timedelta(seconds=15)
"""How long one try of a launch holds off others. If it takes longer, its process may have died."""


@dataclass(frozen=True)
class Launched:
    """Where a launch sends the browser, and the secret for its cookie.

    ``url``: of the sign-in at the partner service, or of the form. ``browser_secret``: shows the BFF at the
    completion, or in the form, that this browser launched the attempt; None if it will come to neither.
    """

    attempt: Attempt
    url: Secret
    browser_secret: Secret | None


class AttemptService:
    """Begins, launches, reads and cancels attempts, and records that a browser came back."""

    def __init__(
        self,
        attempts: AttemptStore,
        poller: AttemptPoller,
        catalogue: Catalogue,
        launch_minter: LaunchMinter,
        prefetcher: Prefetcher[MintedLaunch | None],
        forms: Forms,
        context: ConnectContext,
    ) -> None:
        self._attempts = attempts
        self._poller = poller
        self._catalogue = catalogue
        self._launch_minter = launch_minter
        self._prefetcher = prefetcher
        self._forms = forms
        self._locks = LaunchLocks()
        self._context = context
        self._clock = context.clock

    def begin(
        self,
        product: Product,
        principal: Principal,
        request: BeginRequest,
        on_new: Callable[[Attempt], None] | None = None,
    ) -> tuple[Attempt, Secret]:
        """Prepare an attempt: a local write, no call to the partner service.

        Returns it with its launch token, of which only the SHA-256 is stored. Calls ``on_new`` with the new
        attempt. Raises ``UnknownConnector``, ``UnknownMessage``, ``InvalidRequest``, ``AlreadyBegun``, or
        ``ConnectorUnavailable`` for a connector that is known not to be connectable here.
        """
        offered = offered_connector(product, principal, request.connector)
        self._catalogue.require_connectable(offered)
        connector = self._catalogue.named(offered)
        attempt, token = new_attempt(product, principal, connector, request, self._context)
        self._attempts.add(attempt)
        if on_new:
            on_new(attempt)
        return attempt, token

    def peek(self, token: Secret) -> Attempt:
        """The attempt of a launch token, without using it up.

        Raises ``LaunchRefused`` if the token is unusable. Then it also discards what was prefetched for the
        launch.
        """
        attempt = self.attempt_of(token)
        if attempt is None or not launch_token.is_usable(attempt) or attempt.expires_at <= self._clock():
            if attempt:
                self._prefetcher.drop(attempt.id)
            raise LaunchRefused("this launch token is unknown, was used, or is past its time")
        return attempt

    def attempt_of(self, token: Secret) -> Attempt | None:
        """The attempt of a launch token, whether or not it may still be launched."""
        return self._attempts.find_by_launch_token(fingerprint(token.reveal()))

    def press(self, attempt: Attempt) -> None:
        """The user pressed the button: mint for the launch in the background.

        ``attempt`` can be launched: it is new, or from ``peek``. Stores nothing. A second press does nothing.
        For an attempt that adds a connection this does nothing: its sign-in token is minted at its launch,
        because minting claims an account connector and stores which. Nor is one minted where a form replaces
        the sign-in: that is done when the form is submitted.
        """
        if not attempt.adds_connection:
            self._prefetcher.begin(attempt.id, partial(self._mint_ahead, attempt))

    def launch(self, prepared: Attempt) -> Launched:
        """Launch an attempt from ``peek``; return the URL of its sign-in, or of its form.

        The launch token is used up when the minted sign-in token is stored, or the form is opened. An outage
        before that (of the partner service for up to ``POSTPONED_FOR``, of the database, of this process)
        leaves it usable. A try that outlasts its lease changes nothing once another process has the lease.

        Raises ``LaunchRefused``; ``LaunchPostponed`` while a retry may succeed; any other ``PartnerProblem``
        after the attempt has failed with its code.
        """
        with self._locks.hold(prepared.id):
            return self._launch(prepared)

    def _launch(self, prepared: Attempt) -> Launched:
        # Taken first, so that no other launch gets it, even if this one turns out to be refused.
        prefetched = self._prefetcher.take(prepared.id)
        attempt, lease_end = self._lease_launch(prepared)
        try:
            launch = self._mint_unless_form(prefetched, attempt)
        except PartnerProblem as problem:
            raise self._fail_or_postpone(attempt, lease_end, problem) from None
        if launch is None:
            return Launched(attempt, *self._forms.open(attempt, lease_end))
        launch_token.use_up(self._attempts, attempt, launch.launch_changes, lease_end)
        return Launched(attempt, launch.url(self._context.partner_service_url), launch.minted.browser_secret)

    def read(self, attempt_id: str, product_key: str) -> Attempt:
        """The attempt as it is stored. Raises ``NotFound`` when the product has none of this id."""
        attempt = self._attempts.get(attempt_id)
        if attempt is None or attempt.product != product_key:
            raise NotFound(f"there is no attempt {attempt_id!r}")
        return attempt

    def owned(self, attempt_id: str, principal: Principal) -> Attempt:
        """The attempt as it is stored, if this principal began it. Raises ``NotFound``."""
        attempt = self.read(attempt_id, principal.product)
        if attempt.account.id != principal.account.id or attempt.user.id != principal.user.id:
            raise NotFound(f"there is no attempt {attempt_id!r}")
        return attempt

    def cancel(self, attempt: Attempt) -> Attempt:
        """Cancel the attempt, unless a last poll shows that the sign-in has ended otherwise."""
        self._prefetcher.drop(attempt.id)
        attempt = self._poller.poll(attempt, Hint.CANCEL)
        return self._poller.give_up(attempt, {"status": Status.CANCELLED, "error_code": "cancelled"})

    def record_return(self, secret: Secret, error: str = "", *, finished: bool = False) -> Attempt:
        """Record that the browser came back to the attempt's return page; return the attempt, polled.

        Raises ``NotFound``.
        ``error``: the error in the query. ``finished``: the user said that the sign-in was finished.
        """
        attempt, now = self.by_return_secret(secret), self._clock()
        changes: AttemptChanges = {}
        if attempt.returned_at is None:
            changes["returned_at"] = now
        reported = outcome.error_of_query(error)
        if reported is not None and reported != attempt.return_error:
            # A later report without one (the page reloaded without its query) does not undo a denial.
            changes["return_error"] = reported
        if finished and attempt.confirmed_at is None:
            changes["confirmed_at"] = now
        if changes:
            # Stored for a cancelled or expired attempt too: other attempts are then decided knowing that its
            # sign-in is over.
            expected = {Status.LAUNCHED} | GIVEN_UP
            attempt = self._attempts.transition(attempt.id, expected, changes) or attempt
        return self._poller.poll(attempt, Hint.RETURNED)

    def by_return_secret(self, secret: Secret) -> Attempt:
        """The attempt whose return page has this secret. Raises ``NotFound``."""
        attempt = self._attempts.find_by_return_secret(fingerprint(secret.reveal()))
        if attempt is None:
            raise NotFound("this page belongs to no attempt")
        return attempt

    def _lease_launch(self, attempt: Attempt) -> tuple[Attempt, datetime]:
        """Take the lease of this try; return the attempt as launched, and when the lease expires.

        An earlier try that did not finish is taken over once its lease has expired. Raises ``LaunchRefused``,
        or ``LaunchPostponed`` while an earlier lease lasts.
        """
        now = self._clock()
        lease_end = now + LAUNCH_LEASE
        changes: AttemptChanges = {
            "status": Status.LAUNCHED,
            "launched_at": now,
            "expires_at": now + LAUNCHED_LIFE,
            "lease_end": lease_end,
        }
        if launched := self._attempts.transition(attempt.id, {Status.CREATED}, changes):
            return launched, lease_end
        current = self._attempts.get(attempt.id)
        if current is None or not launch_token.is_usable(current):
            raise LaunchRefused("this launch token was used")
        if not self._attempts.lease_launch(attempt.id, now, lease_end):
            raise LaunchPostponed("this launch is being tried already")
        return current, lease_end

    def _fail_or_postpone(
        self, attempt: Attempt, lease_end: datetime, problem: PartnerProblem
    ) -> HitchpostError:
        """Postpone a launch that could not mint, or fail its attempt; return the error to raise."""
        is_transient = isinstance(problem, PartnerUnavailable) and not problem.lasting
        if is_transient and self._clock() - (attempt.launched_at or self._clock()) < POSTPONED_FOR:
            self._attempts.count_step(attempt.id, "postponed", self._clock())
            self._attempts.release_lease(attempt.id, lease_end)
            return LaunchPostponed(problem.detail, retry_after=getattr(problem, "retry_after", None))
        failed: AttemptChanges = {"status": Status.FAILED, "error_code": problem.page_code}
        settled = self._poller.settle(attempt, failed, lease_end=lease_end)
        return launch_token.lost_lease(settled) if settled.status in LIVE else problem

    def _mint_ahead(self, attempt: Attempt) -> MintedLaunch | None:
        return None if self._forms.replaces_sign_in(attempt) else self._launch_minter.mint(attempt)

    def _mint_unless_form(
        self, prefetched: Future[MintedLaunch | None] | None, attempt: Attempt
    ) -> MintedLaunch | None:
        """What was minted; None where the user has to fill in a form first. Raises ``PartnerProblem``."""
        if self._forms.replaces_sign_in(attempt):
            return None
        launch = self._prefetched_or_minted(prefetched, attempt)
        return None if self._forms.is_needed(attempt, launch.minted.account_connector) else launch

    def _prefetched_or_minted(
        self, prefetched: Future[MintedLaunch | None] | None, attempt: Attempt
    ) -> MintedLaunch:
        # A prefetch that failed before the launch is repeated. One that is still running is awaited but not
        # repeated: the user would wait for two deadlines.
        if prefetched is None or (prefetched.done() and prefetched.exception()):
            return self._launch_minter.mint(attempt)
        # None: at the press, the catalogue still had a form in place of the sign-in.
        return prefetched.result() or self._launch_minter.mint(attempt)
