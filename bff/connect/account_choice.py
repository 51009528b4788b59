"""The user chooses the other third-party account, which signed in, in place of the connected one."""

from __future__ import annotations

from dataclasses import replace

from bff.common.errors import InvalidRequest
from bff.common.secret import fingerprint
from bff.connect import outcome
from bff.connect.attempt import LAUNCHED_LIFE, Attempt, Hint, Status
from bff.connect.beginning import support_code
from bff.connect.polling import Watch
from bff.connect.ports import AlreadyBegun, AttemptStore
from bff.connect.surroundings import Surroundings
from bff.upstream.protocol import PartnerService


class AccountChoice:
    """Accepts what an attempt that failed with ``account_mismatch`` brought."""

    def __init__(
        self, attempts: AttemptStore, partner: PartnerService, watch: Watch, around: Surroundings
    ) -> None:
        self._attempts = attempts
        self._partner = partner
        self._watch = watch
        self._around = around

    def accept(self, attempt: Attempt) -> Attempt:
        """The user wants the other account, which signed in, in place of the one that was connected.

        The attempt that failed for it stays failed; the answer is a new one, which stands for this choice. A
        choice is made once: the new one's id follows from the failed one's, and whoever asks again, or at the
        same time, is answered with it. Raises ``InvalidRequest`` when there is nothing to accept (any more),
        or ``PartnerUnavailable``.
        """
        token, number = attempt.sign_in_token_sha256, attempt.account_connector_id
        if attempt.error_code != outcome.MISMATCH or token is None or number is None:
            raise InvalidRequest("accept: no other account has signed in here")
        chosen_id = "att_" + fingerprint(f"accepted in place of {attempt.id}")[:24]
        if (made := self._attempts.get(chosen_id)) is not None:
            return self._watch.observe(made, Hint.RETURNED)
        self._partner.accept_sign_in(attempt.account, number, token)
        now = self._around.clock()
        chosen = replace(
            attempt,
            id=chosen_id,
            support_code=support_code(self._around.random_token()),
            status=Status.LAUNCHED,
            # A launch token that nobody is told: there is nothing left to open.
            launch_token_sha256=fingerprint(self._around.random_token()),
            return_secret_sha256=None,
            browser_sha256=None,
            created_at=now,
            launched_at=now,
            expires_at=now + LAUNCHED_LIFE,
            hinted_at=None,
            checked_at=None,
            checks=0,
            settled_at=None,
            error_code=None,
            idempotency_sha256=None,
        )
        try:
            self._attempts.add(chosen)
        except AlreadyBegun as made_meanwhile:
            chosen = made_meanwhile.attempt
        return self._watch.observe(chosen, Hint.RETURNED)
