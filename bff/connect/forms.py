"""Connectors that need something typed: an API key, a user name and password, or the name of one's own shop.

The form stands on a page of ours in the popup. It belongs to one launched attempt, to the browser that
launched it, and each showing of it is sent once. What is typed goes to the partner service, which tries it at
the third party where it knows how; nothing of it is kept here.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from bff.common.errors import CompletedElsewhere, ConnectorUnavailable, LaunchRefused, NotFound, Outdated
from bff.common.secret import Secret, fingerprint
from bff.connect import outcome
from bff.connect.attempt import LAUNCHED_LIFE, Attempt, AttemptChanges, Delivery, Hint, Status
from bff.connect.launch_minting import LaunchMinter
from bff.connect.minting import Minter
from bff.connect.polling import Watch
from bff.connect.ports import AttemptStore
from bff.connect.surroundings import Surroundings
from bff.upstream.protocol import AccountConnector, PartnerService
from bff.upstream.sign_in_forms import (
    Fault,
    FormField,
    NotTaken,
    SignInForm,
    Way,
    credentials_of,
)

MOST_SENT: Final = 30
"""So often one form is sent: whoever is not through by then begins anew."""
LONGEST_VALUE: Final = 4000
"""Characters of one value; the partner service keeps no more."""
_STEPS: Final = {Fault.UNREACHABLE: "form_unanswered"}


@dataclass(frozen=True)
class Shown:
    """A form as a user sees it: ``values`` are set already, by name; ``kept`` are the secrets that are.

    ``turn`` is how often it was sent before.
    """

    form: SignInForm
    turn: int
    values: Mapping[str, str]
    kept: frozenset[str]


@dataclass(frozen=True)
class Onward:
    """Where the sign-in goes on, and what the browser has to keep for it, if anything new."""

    url: Secret
    browser: Secret | None


class Forms:
    """Shows forms, takes what is typed, and says what came of it."""

    def __init__(
        self,
        attempts: AttemptStore,
        partner: PartnerService,
        minter: Minter,
        launches: LaunchMinter,
        watch: Watch,
        around: Surroundings,
    ) -> None:
        self._attempts = attempts
        self._partner = partner
        self._minter = minter
        self._launches = launches
        self._watch = watch
        self._around = around
        self._clock = around.clock

    def comes_first(self, attempt: Attempt) -> bool:
        """Whether the connector is connected by its form alone. Raises ``PartnerProblem``."""
        return self.form(attempt).comes_first

    def is_needed(self, attempt: Attempt, installed: AccountConnector) -> bool:
        """Whether values are to be typed before the sign-in. Raises ``PartnerUnavailable``.

        What the host or its operators set is not asked for. What a user typed is, until it has led to a
        connection: it may be what was wrong.
        """
        form = self.form(attempt)
        if not form.fields:
            return False
        if form.lacks(self._partner.properties(attempt.account, installed.id)):
            return True
        return not installed.authenticated and self._attempts.was_filled_in(installed.id)

    def open(self, attempt: Attempt) -> tuple[Secret, Secret]:
        """The form's address for a launched attempt, and what its browser keeps. Raises ``LaunchRefused``."""
        browser = Secret(self._around.random_token())
        changes: AttemptChanges = {"browser_sha256": fingerprint(browser.reveal()), "checking_until": None}
        if self._attempts.transition(attempt.id, {Status.LAUNCHED}, changes, unused=True) is None:
            raise LaunchRefused("this launch token was used, or its attempt cancelled, while it was opened")
        self._attempts.note(attempt.id, "form_shown", self._clock())
        return Secret(f"{self._around.public_url}/connect/form/{attempt.id}"), browser

    def attempt(self, attempt_id: str, browser: Secret) -> Attempt:
        """The attempt of a form. Raises ``NotFound``, or ``CompletedElsewhere`` in another browser."""
        attempt = self._attempts.get(attempt_id)
        if attempt is None or attempt.browser_sha256 is None:
            raise NotFound("there is no form here")
        if not hmac.compare_digest(fingerprint(browser.reveal()), attempt.browser_sha256):
            raise CompletedElsewhere("this form was opened in another browser")
        if attempt.status is Status.LAUNCHED and attempt.expires_at <= self._clock():
            return self._watch.observe(attempt)
        return attempt

    def show(self, attempt: Attempt) -> Shown:
        """The form as it stands. Changes nothing. Raises ``PartnerProblem``."""
        form, turn = self._asking(attempt), self._attempts.forms_sent(attempt.id)
        known = self._known(attempt, form)
        secret = {one.name for one in form.fields if one.sensitive}
        told = {name: value for name, value in known.items() if name not in secret}
        return Shown(form, turn, told, frozenset(known) & secret)

    def sent(self, attempt: Attempt) -> int:
        """How often the form was sent."""
        return self._attempts.forms_sent(attempt.id)

    def send(self, attempt: Attempt, turn: int, values: Mapping[str, Secret]) -> Attempt | Onward | NotTaken:
        """What a user typed, by the names of the fields: how it ended, where it goes on, or what is wrong.

        ``turn`` is the showing that it was typed into. Raises ``Outdated`` when that was sent before,
        ``LaunchRefused`` for an attempt that has ended, ``PartnerProblem``.
        """
        if attempt.status is not Status.LAUNCHED or turn >= MOST_SENT:
            raise LaunchRefused("this form can be sent no more")
        form = self._asking(attempt)
        if not self._attempts.send_form(attempt.id, turn, self._clock()):
            raise Outdated("this form was sent already")
        told = self._try(attempt, form, values)
        if isinstance(told, NotTaken):
            step = _STEPS.get(told.whole or Fault.REFUSED, "form_refused")
            self._attempts.note(attempt.id, step, self._clock())
        return told

    def decline(self, attempt: Attempt) -> Attempt:
        """The user does not want to: the attempt ends as it does by a No at the third party.

        What was sent before may have connected, though the answer to it was lost: then that is told.
        """
        attempt = self._watch.observe(attempt, Hint.CANCEL)
        return self._watch.settle(attempt, {"status": Status.DECLINED, "error_code": Status.DECLINED.value})

    def form(self, attempt: Attempt) -> SignInForm:
        """What is asked for. Raises ``PartnerProblem``, ``ConnectorUnavailable`` where there is no form."""
        form = self._minter.find(attempt.account, attempt.connector).form
        if form.way is Way.NOT_HERE:
            raise ConnectorUnavailable(f"connector {attempt.connector.key!r} cannot be connected here")
        return form

    def _asking(self, attempt: Attempt) -> SignInForm:
        form = self.form(attempt)
        if not form.comes_first and not form.fields:
            raise NotFound("this connector asks for nothing")
        return form

    def _known(self, attempt: Attempt, form: SignInForm) -> Mapping[str, str]:
        """The values that are set already, where any can be. They are only offered: an outage hides them."""
        if not form.own_fields:
            return {}
        number = attempt.account_connector_id or attempt.wanted_connection
        if attempt.adds_connection and not self._attempts.forms_sent(attempt.id):
            # It may use what an earlier try had installed: whatever somebody typed then is none of its own.
            return {}
        if number is None:
            connector = self._minter.find(attempt.account, attempt.connector)
            listed = self._partner.list_account_connectors(attempt.account)
            ours = sorted((item for item in listed if connector.is_in(item)), key=lambda item: item.id)
            in_use = [item for item in ours if item.authenticated] or ours
            if not in_use:
                return {}
            number = in_use[0].id
        names = {one.name for one in form.own_fields}
        properties = self._partner.properties(attempt.account, number)
        return {name: value for name, value in properties.items() if name in names}

    def _try(
        self, attempt: Attempt, form: SignInForm, values: Mapping[str, Secret]
    ) -> Attempt | Onward | NotTaken:
        typed = {one.name: values[one.name] for one in form.fields if values.get(one.name)}
        if faults := _faults(form, typed, frozenset()):
            # A secret that is set may be left as it is.
            faults = _faults(form, typed, self.show(attempt).kept)
            if faults:
                return NotTaken(faults)
        ready = self._launches.mint(attempt)
        if form.way is Way.OAUTH:
            given = credentials_of(form, typed, None)
            told = self._partner.give_credentials(attempt.account, ready.minted.installed.id, given)
            if isinstance(told, NotTaken):
                return told
            changes: AttemptChanges = {**ready.changes, "expires_at": self._clock() + LAUNCHED_LIFE}
            self._change(attempt, changes)
            return Onward(ready.url(self._around.partner_service_url), ready.minted.browser)
        return self._connect(attempt, ready.minted.installed, ready.changes, form, typed)

    def _connect(
        self,
        attempt: Attempt,
        installed: AccountConnector,
        minted: AttemptChanges,
        form: SignInForm,
        typed: Mapping[str, Secret],
    ) -> Attempt | NotTaken:
        changes: AttemptChanges = {
            "minted_at": minted["minted_at"],
            "sign_in_token_sha256": minted["sign_in_token_sha256"],
            "authenticated_before": minted["authenticated_before"],
            # The page hears of it from us, by no message of the partner service's.
            "delivery": Delivery.RETURN,
        }
        ours: AttemptChanges = {"account_connector_id": installed.id}
        if installed.sign_ins is not None:
            # Should we not live to hear the answer, the record of this sign-in tells how it ended. Without
            # records a look at the flag would take another user's connection for this one's.
            changes |= ours
        begun = self._change(attempt, changes)
        given = credentials_of(form, typed, minted["sign_in_token_sha256"])
        told = self._partner.give_credentials(attempt.account, installed.id, given)
        if isinstance(told, NotTaken):
            return told
        ended = _end(begun, told, self._clock())
        if ended is None:
            return NotTaken(whole=Fault.REFUSED)
        return self._watch.settle(begun, ended | ours, told)

    def _change(self, attempt: Attempt, changes: AttemptChanges) -> Attempt:
        changed = self._attempts.transition(attempt.id, {Status.LAUNCHED}, changes)
        if changed is None:
            raise LaunchRefused("this attempt has ended meanwhile")
        return changed


def _end(attempt: Attempt, told: AccountConnector, now: datetime) -> AttemptChanges | None:
    """How an attempt ends whose credentials were taken.

    Where no sign-ins are recorded, what we sent ourselves was this user's: nobody else can have done it.
    """
    if told.sign_ins is not None:
        return outcome.decide(attempt, told, now)
    if not told.authenticated:
        return None
    return {"status": Status.CONNECTED, "settled_at": now, "attributed": True}


def _faults(form: SignInForm, typed: Mapping[str, Secret], kept: frozenset[str]) -> Mapping[str, Fault]:
    found: dict[str, Fault] = {}
    for one in form.fields:
        if fault := _fault(one, typed.get(one.name), kept):
            found[one.name] = fault
    return found


def _fault(one: FormField, value: Secret | None, kept: frozenset[str]) -> Fault | None:
    if value is None:
        return None if one.optional or one.name in kept else Fault.MISSING
    return Fault.TOO_LONG if len(value.reveal()) > LONGEST_VALUE else None
