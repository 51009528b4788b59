"""All that a launch needs of the partner service: a sign-in token, what it is for, and the way from there."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from bff.common.secret import Secret, fingerprint
from bff.connect import outcome
from bff.connect.attempt import Attempt, AttemptChanges, Delivery
from bff.connect.completion import Completions, Minted
from bff.connect.ports import AttemptStore
from bff.connect.surroundings import Surroundings
from bff.content.minted_url import sign_in_url
from bff.upstream.protocol import AccountConnector


@dataclass(frozen=True)
class Way:
    """The partner service's ``targetOrigin`` and message, and what to remember of them."""

    target: str
    message: str | None
    changes: AttemptChanges


@dataclass(frozen=True)
class Ready:
    """What was minted for an attempt, and when; where it leads back to."""

    minted: Minted
    way: Way
    at: datetime

    @property
    def changes(self) -> AttemptChanges:
        """What the attempt keeps of it."""
        minted = self.minted
        kept: AttemptChanges = self.way.changes | {
            "minted_at": self.at,
            "sign_in_token_sha256": fingerprint(minted.token.value.reveal()),
            "account_connector_id": minted.installed.id,
            "authenticated_before": minted.installed.authenticated,
            # The launch that held off other tries has come to its end.
            "checking_until": None,
        }
        if minted.browser is not None:
            kept["browser_sha256"] = fingerprint(minted.browser.reveal())
        return kept

    def url(self, base: str) -> Secret:
        """Where to send the browser, below ``base``, the partner service's pages."""
        return sign_in_url(
            base, self.minted.installed.id, self.minted.token.value, self.way.target, self.way.message
        )


class LaunchMinter:
    """Mints for launches. What it does follows from the attempt alone, so it may be done ahead."""

    def __init__(
        self,
        completions: Completions,
        attempts: AttemptStore,
        around: Surroundings,
    ) -> None:
        self._completions = completions
        self._attempts = attempts
        self._around = around

    def mint(self, attempt: Attempt) -> Ready:
        """For one launch of this attempt. Raises ``PartnerProblem``."""
        if attempt.delivery is Delivery.RETURN:
            return self._ready(attempt, self._way_back())
        ready = self._ready(attempt, Way(attempt.origin, attempt.callback_message, {}))
        installed = ready.minted.installed
        if installed.sign_ins is not None or not (
            installed.authenticated or self._somebody_else_signs_in(attempt, installed, ready.at)
        ):
            return ready
        # A partner service that tells nothing about a single sign-in cannot show that a second one
        # finished, nor whose: then the flow has to come back to the server itself.
        way = self._way_back()
        # A token that is to be completed leads to the one target that it was minted for.
        return (
            Ready(ready.minted, way, ready.at) if ready.minted.browser is None else self._ready(attempt, way)
        )

    def _ready(self, attempt: Attempt, way: Way) -> Ready:
        return Ready(self._completions.mint(attempt, way.target), way, self._around.clock())

    def _somebody_else_signs_in(self, attempt: Attempt, installed: AccountConnector, now: datetime) -> bool:
        ours = replace(attempt, account_connector_id=installed.id, minted_at=now)
        return outcome.somebody_else(ours, self._attempts.others(ours, outcome.others_since(ours)))

    def _way_back(self) -> Way:
        secret = self._around.random_token()
        return Way(
            f"{self._around.public_url}/connect/return/{secret}",
            None,
            {"delivery": Delivery.RETURN, "return_secret_sha256": fingerprint(secret)},
        )
