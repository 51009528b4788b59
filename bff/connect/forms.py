"""Sign-in forms in the popup: for connectors that need an API key, a password or the name of a shop.

A form belongs to one launched attempt and to the browser that launched it. What the user types goes to the
partner service, which may check it at the third party. The BFF stores none of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from bff.common.errors import (
    AnotherBrowser,
    ConnectorUnavailable,
    LaunchRefused,
    NotFound,
    Outdated,
    PartnerProblem,
)
from bff.common.secret import Secret, fingerprint
from bff.connect import launch_token, timeline
from bff.connect.attempt import LAUNCHED_LIFE, Attempt, AttemptChanges, Hint, Status
from bff.connect.context import ConnectContext
from bff.connect.form_changes import after_credentials, before_credentials
from bff.connect.form_values import FormValues, faults_of, secrets_of
from bff.connect.launch_minting import LaunchMinter, MintedLaunch
from bff.connect.minting import Minter
from bff.connect.polling import AttemptPoller
from bff.connect.ports import AttemptStore
from bff.upstream.protocol import AccountConnector, PartnerService
from bff.upstream.sign_in_forms import (
    AuthKind,
    Fault,
    RejectedValues,
    SignInForm,
    credentials_of,
)

MAX_SUBMISSIONS: Final = 30
"""How often the form of one attempt may be submitted."""


@dataclass(frozen=True)
class ShownForm:
    """A form with its current state.

    ``values``: current values by field name, without secrets. ``kept``: names of the secret fields that have
    a value. ``submitted_before``: how often the form was submitted.
    """

    form: SignInForm
    submitted_before: int
    values: Mapping[str, str]
    kept: frozenset[str]


@dataclass(frozen=True)
class NextUrl:
    """The URL where the sign-in continues."""

    url: Secret


class Forms:
    """Shows the form of an attempt and submits what the user typed to the partner service."""

    def __init__(
        self,
        attempts: AttemptStore,
        partner: PartnerService,
        minter: Minter,
        launch_minter: LaunchMinter,
        poller: AttemptPoller,
        context: ConnectContext,
    ) -> None:
        self._attempts = attempts
        self._partner = partner
        self._minter = minter
        self._launch_minter = launch_minter
        self._poller = poller
        self._context = context
        self._clock = context.clock
        self._values = FormValues(partner, minter)

    def replaces_sign_in(self, attempt: Attempt) -> bool:
        """Whether the form is the whole sign-in (API key, password), without the partner service's own pages.

        Raises ``PartnerProblem``.
        """
        return self.form(attempt).replaces_sign_in

    def is_needed(self, attempt: Attempt, account_connector: AccountConnector) -> bool:
        """Whether the form has to be shown before the sign-in. Raises ``PartnerProblem``.

        Values that the host or its operators set are not asked for. Values that a user typed are asked for
        again, and shown, while the account connector is not connected: they may be wrong, or outdated.
        """
        form = self.form(attempt)
        if not form.fields:
            return False
        if form.lacks(self._partner.properties(attempt.account, account_connector.id)):
            return True
        return not account_connector.authenticated and self._attempts.has_typed_values(account_connector.id)

    def open(self, attempt: Attempt, lease_end: datetime) -> tuple[Secret, Secret]:
        """Open the form of a launched attempt: its URL, and the secret for the browser's cookie.

        Uses up the launch token. ``lease_end``: of the caller's lease of the launch.

        Raises ``LaunchRefused``, ``LaunchPostponed``.
        """
        browser_secret = Secret(self._context.random_token())
        changes: AttemptChanges = {
            "browser_sha256": fingerprint(browser_secret.reveal()),
            "lease_end": None,
        }
        launch_token.use_up(self._attempts, attempt, changes, lease_end)
        self._attempts.count_step(attempt.id, "form_shown", self._clock())
        return Secret(f"{self._context.public_url}/connect/form/{attempt.id}"), browser_secret

    def attempt(self, attempt_id: str, browser_secret: Secret) -> Attempt:
        """The attempt of a form, polled if its time is over. Raises ``NotFound``, ``AnotherBrowser``."""
        attempt = self._attempts.get(attempt_id)
        if attempt is None or attempt.browser_sha256 is None:
            raise NotFound("this attempt has no form")
        if not attempt.is_bound_to(browser_secret):
            raise AnotherBrowser("this form was opened in another browser")
        if attempt.status is Status.LAUNCHED and attempt.expires_at <= self._clock():
            return self._poller.poll(attempt)
        return attempt

    def show(self, attempt: Attempt) -> ShownForm:
        """The form with its current values. Changes nothing of the attempt. Raises ``PartnerProblem``."""
        form, submitted_before = self._submittable_form(attempt), self._attempts.form_submissions(attempt.id)
        known, secret = self._values.current(attempt, form), secrets_of(form)
        values = {name: value for name, value in known.items() if name not in secret}
        return ShownForm(form, submitted_before, values, frozenset(known) & secret)

    def submissions(self, attempt: Attempt) -> int:
        """How often the form was submitted."""
        return self._attempts.form_submissions(attempt.id)

    def submit(
        self, attempt: Attempt, submitted_before: int, values: Mapping[str, Secret]
    ) -> Attempt | NextUrl | RejectedValues:
        """Submit what a user typed, by field name: the ended attempt, the next URL, or what was rejected.

        ``submitted_before`` is that of the form which was shown. Raises ``Outdated`` when that was submitted,
        ``LaunchRefused`` for an attempt that has ended or after ``MAX_SUBMISSIONS``, ``PartnerProblem``.
        """
        if attempt.status is not Status.LAUNCHED or submitted_before >= MAX_SUBMISSIONS:
            raise LaunchRefused("this form can no longer be submitted")
        if attempt.sign_in_token_sha256 is not None:
            # An earlier submission may have connected, although its answer was lost.
            attempt = self._poller.poll(attempt, Hint.FOCUS)
            if attempt.status is not Status.LAUNCHED:
                return attempt
        form = self._submittable_form(attempt)
        if not self._attempts.count_submission(attempt.id, submitted_before, self._clock()):
            raise Outdated("this form was submitted already")
        reply = self._submit_values(attempt, form, submitted_before, values)
        if isinstance(reply, RejectedValues):
            unanswered = reply.form_fault is Fault.UNREACHABLE
            step = timeline.FORM_UNANSWERED if unanswered else timeline.FORM_REFUSED
            self._attempts.count_step(attempt.id, step, self._clock())
        return reply

    def decline(self, attempt: Attempt) -> Attempt:
        """End the attempt as declined, unless a last poll shows that it has ended otherwise.

        A submitted form may have connected, or connect yet, although its answer was lost. Such an attempt is
        cancelled instead, so that a late success is still reported.
        """
        attempt = self._poller.poll(attempt, Hint.CANCEL)
        if timeline.form_may_have_connected(self._attempts.steps(attempt.id)):
            return self._poller.give_up(attempt, {"status": Status.CANCELLED, "error_code": "cancelled"})
        return self._poller.settle(attempt, {"status": Status.DECLINED, "error_code": Status.DECLINED.value})

    def form(self, attempt: Attempt) -> SignInForm:
        """The connector's form.

        Raises ``PartnerProblem``: ``ConnectorUnavailable`` where it cannot be connected.
        """
        form = self._minter.catalogue_entry(attempt.account, attempt.connector).form
        if form.auth is AuthKind.UNSUPPORTED:
            raise ConnectorUnavailable(f"connector {attempt.connector.key!r} cannot be connected here")
        return form

    def _submittable_form(self, attempt: Attempt) -> SignInForm:
        form = self.form(attempt)
        if not form.replaces_sign_in and not form.fields:
            raise NotFound("this connector asks for nothing")
        return form

    def _submit_values(
        self, attempt: Attempt, form: SignInForm, submitted_before: int, values: Mapping[str, Secret]
    ) -> Attempt | NextUrl | RejectedValues:
        try:
            prepared = self._prepare(attempt, form, values)
        except PartnerProblem:
            # Nothing was sent, so this submission has connected nothing (``decline``).
            self._attempts.count_step(attempt.id, timeline.FORM_UNANSWERED, self._clock())
            raise
        if isinstance(prepared, RejectedValues):
            return prepared
        typed, launch = prepared
        account_connector_id = launch.minted.account_connector.id
        if form.auth is AuthKind.OAUTH:
            # Before the call: if its answer is lost, the partner service may still have stored the values.
            self._attempts.note_typed_values(attempt.account, account_connector_id, self._clock())
            given = credentials_of(form, typed, None)
            reply = self._partner.give_credentials(attempt.account, account_connector_id, given)
            if isinstance(reply, RejectedValues):
                return reply
            # Not bound to another secret: this browser keeps the one that it has proved, so that it can
            # submit the form again if this response is lost.
            changes: AttemptChanges = {**launch.changes, "expires_at": self._clock() + LAUNCHED_LIFE}
            self._change_if_latest_submission(attempt, submitted_before, changes)
            return NextUrl(launch.url(self._context.partner_service_url))
        return self._connect(attempt, submitted_before, launch, form, typed)

    def _prepare(
        self, attempt: Attempt, form: SignInForm, values: Mapping[str, Secret]
    ) -> tuple[Mapping[str, Secret], MintedLaunch] | RejectedValues:
        """What to send to the partner service, and the minted sign-in; or the faults of the values."""
        typed = {field.name: values[field.name] for field in form.fields if values.get(field.name)}
        # A secret field may stay empty if the partner service has its value. Asking costs a call, which is
        # made only if the typed values alone have faults.
        if faults_of(form, typed, frozenset()):
            kept = secrets_of(form) & self._values.current(attempt, form).keys()
            if faults := faults_of(form, typed, kept):
                return RejectedValues(faults)
        launch = self._launch_minter.mint(attempt)
        account_connector_id = launch.minted.account_connector.id
        return {**typed, **self._values.clearing_values(attempt, form, account_connector_id, typed)}, launch

    def _connect(
        self,
        attempt: Attempt,
        submitted_before: int,
        launch: MintedLaunch,
        form: SignInForm,
        typed: Mapping[str, Secret],
    ) -> Attempt | RejectedValues:
        account_connector = launch.minted.account_connector
        # Stored before the call: if its answer is lost, or this process dies, polling finds the outcome.
        changes = before_credentials(attempt, launch)
        stored = self._change_if_latest_submission(attempt, submitted_before, changes)
        given = credentials_of(form, typed, stored.sign_in_token_sha256)
        reply = self._partner.give_credentials(attempt.account, account_connector.id, given)
        if not isinstance(reply, RejectedValues):
            if ended := after_credentials(stored, reply, self._clock()):
                return self._poller.settle(stored, ended, reply)
            reply = RejectedValues(form_fault=Fault.REFUSED)
        if account_connector.sign_ins is None:
            self._forget_account_connector(attempt, submitted_before)
        return reply

    def _forget_account_connector(self, attempt: Attempt, submitted_before: int) -> None:
        """Undo that the account connector was stored, after the form was refused.

        Without records of sign-ins, polling would otherwise attribute to this attempt a connection that
        somebody else makes. One that an earlier submission had stored is stored again.
        """
        if self._attempts.form_submissions(attempt.id) == submitted_before + 1:
            changes: AttemptChanges = {"account_connector_id": attempt.account_connector_id}
            self._attempts.transition(attempt.id, {Status.LAUNCHED}, changes)

    def _change_if_latest_submission(
        self, attempt: Attempt, submitted_before: int, changes: AttemptChanges
    ) -> Attempt:
        """Store ``changes``. Raises ``Outdated`` if the form was submitted again since, ``LaunchRefused``.

        A submission that takes long may be repeated. The attempt then waits for the latest one's sign-in.
        """
        changed = self._attempts.change_submitted(attempt.id, submitted_before, changes)
        if changed is None:
            raise LaunchRefused("this attempt has ended meanwhile")
        return changed
