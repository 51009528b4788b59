"""A sign-in is completed by the browser that launched it, or not at all.

Else one person could pass the way to a sign-in on to another, whose account would become the first one's
connection (cross-user OAuth session fixation). Everything that stands in a URL on that way is known to
whoever began it; what the launching browser keeps in a cookie is in no other browser.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import quote

from bff.common.errors import CompletedElsewhere, LaunchRefused, NotFound, PartnerUnavailable
from bff.common.secret import Secret, fingerprint
from bff.connect.attempt import LIVE, Attempt, Status
from bff.connect.minting import Aim, Minter
from bff.connect.polling import Watch
from bff.connect.ports import AttemptStore, Events
from bff.connect.surroundings import Surroundings
from bff.upstream.protocol import AccountConnector, CompletionWish, PartnerService, SignInToken


class SameBrowser(StrEnum):
    """Whether the browser that launched must complete: never, where the partner service can, or always."""

    OFF = "off"
    WHERE_POSSIBLE = "where possible"
    REQUIRED = "required"


@dataclass(frozen=True)
class Minted:
    """A sign-in token and the account connector that it is for.

    ``browser``: what the launching browser has to keep; None where nobody will ask for it.
    """

    installed: AccountConnector
    token: SignInToken
    browser: Secret | None


class Completions:
    """Mints sign-in tokens, and says what becomes of a sign-in that a browser brings back."""

    def __init__(
        self,
        attempts: AttemptStore,
        partner: PartnerService,
        minter: Minter,
        watch: Watch,
        events: Events,
        mode: SameBrowser,
        around: Surroundings,
    ) -> None:
        self._attempts = attempts
        self._partner = partner
        self._minter = minter
        self._watch = watch
        self._events = events
        self._mode = mode
        self._around = around
        self._told = False

    def mint(self, attempt: Attempt, target: str) -> Minted:
        """What the attempt is launched with.

        Raises ``PartnerProblem``, also for a partner service that cannot do what is required.
        """
        wish = None
        if self._mode is not SameBrowser.OFF:
            wish = CompletionWish(f"{self._around.public_url}/connect/complete/{attempt.id}", target)
        installed, token = self._minter.mint(
            attempt.account,
            attempt.connector,
            attempt.user.id,
            wish,
            Aim(attempt.wanted_connection, attempt.adds_connection, attempt.id),
        )
        if attempt.adds_connection and attempt.wanted_connection is None:
            # The further one is this attempt's from now on: a form that is sent again adds no other.
            self._attempts.transition(attempt.id, LIVE, {"wanted_connection": installed.id})
        if wish and not token.completes:
            self._lacking(attempt)
        browser = Secret(self._around.random_token()) if wish and token.completes else None
        return Minted(installed, token, browser)

    def attempt(self, attempt_id: str) -> Attempt:
        """The attempt that a browser comes to complete. Raises ``NotFound``."""
        attempt = self._attempts.get(attempt_id)
        if attempt is None or attempt.browser_sha256 is None:
            raise NotFound("there is nothing to complete here")
        return attempt

    def complete(self, attempt: Attempt, browser: Secret, code: Secret) -> Secret:
        """Where the browser goes on, at the partner service.

        ``browser`` is what it kept from the launch, ``code`` what the partner service gave it. Raises
        ``CompletedElsewhere``, ``LaunchRefused`` for a code of no worth (any more), ``PartnerUnavailable``.
        """
        number, token = attempt.account_connector_id, attempt.sign_in_token_sha256
        if number is None or token is None:
            raise NotFound("there is nothing to complete here")
        if not hmac.compare_digest(fingerprint(browser.reveal()), attempt.browser_sha256 or ""):
            if self._partner.refuse_sign_in(attempt.account, number, token, code):
                self._refused(attempt)
            raise CompletedElsewhere("this sign-in was begun in another browser")
        finish = self._partner.complete_sign_in(attempt.account, number, token, code)
        if finish is None:
            raise LaunchRefused("this sign-in was completed already, or its time is over")
        self._attempts.note(attempt.id, "completed", self._around.clock())
        base = self._around.partner_service_url
        return Secret(f"{base}/connectorauth/finished/{quote(finish.reveal(), safe='')}")

    def _refused(self, attempt: Attempt) -> None:
        self._attempts.note(attempt.id, "completed_elsewhere", self._around.clock())
        settled = self._watch.settle(attempt, {"status": Status.FAILED, "error_code": Status.FAILED.value})
        self._events.tell("completed elsewhere", settled)

    def _lacking(self, attempt: Attempt) -> None:
        if self._mode is SameBrowser.REQUIRED:
            self._events.tell("cannot complete", attempt)
            said = "the partner service cannot have a sign-in completed by its own browser"
            raise PartnerUnavailable(said, lasting=True)
        if not self._told:
            self._told = True
            self._events.tell("cannot complete", attempt)
