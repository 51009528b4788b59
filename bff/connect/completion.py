"""Binds a sign-in to the browser that launched it.

Prevents cross-user OAuth session fixation: without it one person could send the link of a sign-in to another,
whose third-party account would then be connected to the first one's account. The URLs of a sign-in are known
to whoever launched it. The secret in the launching browser's cookie is in no other browser.

To complete a sign-in, the browser comes to the BFF with this cookie and a one-time code. Only then does the
partner service keep the grant.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import quote

from bff.common.errors import AnotherBrowser, LaunchRefused, NotFound, PartnerUnavailable
from bff.common.secret import Secret
from bff.connect.attempt import LIVE, Attempt, Status
from bff.connect.context import ConnectContext
from bff.connect.minting import ConnectionTarget, Minter
from bff.connect.polling import AttemptPoller
from bff.connect.ports import AttemptEvent, AttemptStore, Events
from bff.upstream.protocol import AccountConnector, CompletionRequest, PartnerService, SignInToken


class SameBrowser(StrEnum):
    """Whether the launching browser must complete the sign-in.

    ``off``: never. ``where possible``: where the partner service supports it. ``required``: always; a launch
    fails where the partner service does not support it.
    """

    OFF = "off"
    WHERE_POSSIBLE = "where possible"
    REQUIRED = "required"


@dataclass(frozen=True)
class MintedToken:
    """A sign-in token and the account connector that it is for.

    ``browser_secret``: for the launching browser's cookie; None where no completion will be asked for.
    """

    account_connector: AccountConnector
    token: SignInToken
    browser_secret: Secret | None


class BrowserBinding:
    """Mints sign-in tokens bound to one browser, and completes the sign-ins that this browser brings back."""

    def __init__(
        self,
        attempts: AttemptStore,
        partner: PartnerService,
        minter: Minter,
        poller: AttemptPoller,
        events: Events,
        mode: SameBrowser,
        context: ConnectContext,
    ) -> None:
        self._attempts = attempts
        self._partner = partner
        self._minter = minter
        self._poller = poller
        self._events = events
        self._mode = mode
        self._context = context
        self._unsupported_logged = False

    def mint(self, attempt: Attempt, target_origin: str) -> MintedToken:
        """Mint a sign-in token for an attempt. ``target_origin``: see ``DeliveryTarget``.

        Raises ``PartnerProblem``, also where same-browser completion is required but not supported.
        """
        request = None
        if self._mode is not SameBrowser.OFF:
            completion_url = f"{self._context.public_url}/connect/complete/{attempt.id}"
            request = CompletionRequest(completion_url, target_origin)
        account_connector, token = self._minter.mint(
            attempt.account,
            attempt.connector,
            attempt.user.id,
            request,
            ConnectionTarget(attempt.wanted_connection, attempt.adds_connection, attempt.id),
        )
        if attempt.adds_connection and attempt.wanted_connection is None:
            # Stored at once, so that a form that is submitted again does not install another one.
            self._attempts.transition(attempt.id, LIVE, {"wanted_connection": account_connector.id})
        if request and not token.completes:
            self._report_unsupported(attempt)
        browser_secret = Secret(self._context.random_token()) if request and token.completes else None
        return MintedToken(account_connector, token, browser_secret)

    def attempt(self, attempt_id: str) -> Attempt:
        """The attempt that a browser comes to complete. Raises ``NotFound``."""
        attempt = self._attempts.get(attempt_id)
        if attempt is None or attempt.browser_sha256 is None:
            raise NotFound("there is nothing to complete here")
        return attempt

    def complete(self, attempt: Attempt, browser_secret: Secret, code: Secret) -> Secret:
        """Complete the sign-in at the partner service; return the URL where the browser continues.

        ``browser_secret`` is from the launching browser's cookie, ``code`` from the partner service.
        Raises ``AnotherBrowser``, ``LaunchRefused`` for a code that was used or has expired,
        ``NotFound``, ``PartnerUnavailable``.
        """
        account_connector_id, token_sha256 = attempt.account_connector_id, attempt.sign_in_token_sha256
        if account_connector_id is None or token_sha256 is None:
            raise NotFound("there is nothing to complete here")
        if not attempt.is_bound_to(browser_secret):
            if self._partner.refuse_sign_in(attempt.account, account_connector_id, token_sha256, code):
                self._fail_completed_elsewhere(attempt)
            raise AnotherBrowser("this sign-in was begun in another browser")
        finish_code = self._partner.complete_sign_in(
            attempt.account, account_connector_id, token_sha256, code
        )
        if finish_code is None:
            raise LaunchRefused("this sign-in was completed already, or its time is over")
        self._attempts.count_step(attempt.id, "completed", self._context.clock())
        base = self._context.partner_service_url
        return Secret(f"{base}/connectorauth/finished/{quote(finish_code.reveal(), safe='')}")

    def _fail_completed_elsewhere(self, attempt: Attempt) -> None:
        self._attempts.count_step(attempt.id, "completed_elsewhere", self._context.clock())
        settled = self._poller.settle(attempt, {"status": Status.FAILED, "error_code": Status.FAILED.value})
        self._events.emit(AttemptEvent.COMPLETED_ELSEWHERE, settled)

    def _report_unsupported(self, attempt: Attempt) -> None:
        """Log that the partner service does not support completion, and raise if it is required.

        It is logged once per process, or each time if it is required.
        """
        if self._mode is SameBrowser.REQUIRED:
            self._events.emit(AttemptEvent.CANNOT_COMPLETE, attempt)
            detail = (
                "the partner service cannot require that the browser that launched a sign-in completes it"
            )
            raise PartnerUnavailable(detail, lasting=True)
        if not self._unsupported_logged:
            self._unsupported_logged = True
            self._events.emit(AttemptEvent.CANNOT_COMPLETE, attempt)
