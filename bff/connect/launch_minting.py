"""Mints the sign-in token of an attempt, and decides how the end of the sign-in is delivered."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from bff.common.secret import Secret, fingerprint
from bff.connect import outcome
from bff.connect.attempt import Attempt, AttemptChanges, Delivery
from bff.connect.completion import BrowserBinding, MintedToken
from bff.connect.context import ConnectContext
from bff.connect.ports import AttemptStore
from bff.content.minted_url import sign_in_url
from bff.upstream.protocol import AccountConnector


@dataclass(frozen=True)
class DeliveryTarget:
    """Where the end of a sign-in is reported: the ``targetOrigin`` and callback message of its URL.

    ``target_origin``: the origin of the host page, which gets the message; or the URL of a return page of the
    BFF, to which the browser is sent, without a ``callback_message``. ``changes``: of the attempt, to store
    with the token.
    """

    target_origin: str
    callback_message: str | None
    changes: AttemptChanges


@dataclass(frozen=True)
class MintedLaunch:
    """A minted sign-in token, when it was minted (UTC), and where the end of its sign-in is reported."""

    minted: MintedToken
    target: DeliveryTarget
    minted_at: datetime

    @property
    def changes(self) -> AttemptChanges:
        """The fields to store with the attempt, without those of a launch (``launch_changes``)."""
        minted = self.minted
        return self.target.changes | {
            "minted_at": self.minted_at,
            "sign_in_token_sha256": fingerprint(minted.token.value.reveal()),
            "account_connector_id": minted.account_connector.id,
            "authenticated_before": minted.account_connector.authenticated,
        }

    @property
    def launch_changes(self) -> AttemptChanges:
        """The same for a launch: also ends its lease, and binds the attempt to the launching browser."""
        changes: AttemptChanges = {**self.changes, "lease_end": None}
        if (secret := self.minted.browser_secret) is not None:
            changes["browser_sha256"] = fingerprint(secret.reveal())
        return changes

    def url(self, base: str) -> Secret:
        """The URL of the sign-in. ``base``: that of the partner service's pages."""
        return sign_in_url(
            base,
            self.minted.account_connector.id,
            self.minted.token.value,
            self.target.target_origin,
            self.target.callback_message,
        )


class LaunchMinter:
    """Mints the sign-in tokens of attempts, at the launch, ahead of it, or when a form is submitted."""

    def __init__(
        self,
        browser_binding: BrowserBinding,
        attempts: AttemptStore,
        context: ConnectContext,
    ) -> None:
        self._browser_binding = browser_binding
        self._attempts = attempts
        self._context = context

    def mint(self, attempt: Attempt) -> MintedLaunch:
        """Mint a sign-in token for this attempt. Raises ``PartnerProblem``.

        Delivery by message becomes delivery by return where polling could not show whose sign-in finished.
        """
        if attempt.delivery is Delivery.RETURN:
            return self._mint_for(attempt, self._return_page())
        launch = self._mint_for(attempt, DeliveryTarget(attempt.origin, attempt.callback_message, {}))
        account_connector = launch.minted.account_connector
        if account_connector.sign_ins is not None or not (
            account_connector.authenticated
            or self._another_user_signs_in(attempt, account_connector, launch.minted_at)
        ):
            return launch
        # This partner service keeps no record of each sign-in. If the account connector is authenticated
        # already, or others sign in too, its flag cannot show whose sign-in finished: the browser itself has
        # to return to the BFF.
        target = self._return_page()
        # Where the launching browser has to complete the sign-in, the token was minted for one
        # ``targetOrigin`` (``CompletionRequest``): another one needs another token.
        return (
            MintedLaunch(launch.minted, target, launch.minted_at)
            if launch.minted.browser_secret is None
            else self._mint_for(attempt, target)
        )

    def _mint_for(self, attempt: Attempt, target: DeliveryTarget) -> MintedLaunch:
        minted = self._browser_binding.mint(attempt, target.target_origin)
        return MintedLaunch(minted, target, self._context.clock())

    def _another_user_signs_in(
        self, attempt: Attempt, account_connector: AccountConnector, now: datetime
    ) -> bool:
        as_minted = replace(attempt, account_connector_id=account_connector.id, minted_at=now)
        return outcome.another_user_may_have_connected(
            as_minted, self._attempts.other_sign_ins(as_minted, outcome.others_since(as_minted))
        )

    def _return_page(self) -> DeliveryTarget:
        """A new return page of the BFF."""
        secret = self._context.random_token()
        return DeliveryTarget(
            f"{self._context.public_url}/connect/return/{secret}",
            None,
            {"delivery": Delivery.RETURN, "return_secret_sha256": fingerprint(secret)},
        )
