"""Mints the sign-in token of a launch, and decides how its end is delivered."""

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
class SignInEnd:
    """How the end of a sign-in is reported: the ``targetOrigin`` and callback message of its URL.

    ``target``: the origin of the host page, which gets the message, or the BFF's return page. ``changes``:
    the changes of the attempt that go with them.
    """

    target: str
    message: str | None
    changes: AttemptChanges


@dataclass(frozen=True)
class MintedLaunch:
    """A minted sign-in token, when it was minted (UTC), and how the end is reported."""

    minted: MintedToken
    end: SignInEnd
    at: datetime

    @property
    def changes(self) -> AttemptChanges:
        """The fields to store with the attempt. Changes no binding to a browser (see ``launch_changes``)."""
        minted = self.minted
        return self.end.changes | {
            "minted_at": self.at,
            "sign_in_token_sha256": fingerprint(minted.token.value.reveal()),
            "account_connector_id": minted.account_connector.id,
            "authenticated_before": minted.account_connector.authenticated,
        }

    @property
    def launch_changes(self) -> AttemptChanges:
        """The same for a launch: also releases its claim, and binds the attempt to the launching browser."""
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
            self.end.target,
            self.end.message,
        )


class LaunchMinter:
    """Mints for launches. Needs nothing of the launch request, so it can mint before that arrives."""

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
        """Mint for a launch of this attempt. Raises ``PartnerProblem``.

        Delivery by message becomes delivery by return where polling could not show whose sign-in finished.
        """
        if attempt.delivery is Delivery.RETURN:
            return self._mint_for(attempt, self._end_by_return())
        launch = self._mint_for(attempt, SignInEnd(attempt.origin, attempt.callback_message, {}))
        account_connector = launch.minted.account_connector
        if account_connector.sign_ins is not None or not (
            account_connector.authenticated
            or self._another_user_signs_in(attempt, account_connector, launch.at)
        ):
            return launch
        # This partner service keeps no record of each sign-in. If the account connector is authenticated
        # already, or others sign in too, its flag cannot show whose sign-in finished: the browser itself has
        # to return to the BFF.
        end = self._end_by_return()
        # Where the launching browser has to complete the sign-in, the token is bound to its end, so that
        # another end needs another token.
        return (
            MintedLaunch(launch.minted, end, launch.at)
            if launch.minted.browser_secret is None
            else self._mint_for(attempt, end)
        )

    def _mint_for(self, attempt: Attempt, end: SignInEnd) -> MintedLaunch:
        return MintedLaunch(self._browser_binding.mint(attempt, end.target), end, self._context.clock())

    def _another_user_signs_in(
        self, attempt: Attempt, account_connector: AccountConnector, now: datetime
    ) -> bool:
        as_minted = replace(attempt, account_connector_id=account_connector.id, minted_at=now)
        return outcome.another_user_may_have_connected(
            as_minted, self._attempts.other_sign_ins(as_minted, outcome.others_since(as_minted))
        )

    def _end_by_return(self) -> SignInEnd:
        secret = self._context.random_token()
        return SignInEnd(
            f"{self._context.public_url}/connect/return/{secret}",
            None,
            {"delivery": Delivery.RETURN, "return_secret_sha256": fingerprint(secret)},
        )
