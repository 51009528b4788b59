"""Accepting another third-party account, whose sign-in at a reconnect ended as ``account_mismatch``."""

from __future__ import annotations

from bff.common.errors import InvalidRequest
from bff.common.secret import fingerprint
from bff.connect import outcome
from bff.connect.attempt import LAUNCHED_LIFE, Attempt, Status
from bff.connect.context import ConnectContext
from bff.connect.new_attempt import support_code
from bff.connect.polling import AttemptPoller
from bff.connect.ports import AlreadyBegun, AttemptStore
from bff.upstream.protocol import PartnerService


class MismatchAcceptance:
    """Replaces the connected third-party account by the one that signed in, whose grant is still held."""

    def __init__(
        self, attempts: AttemptStore, partner: PartnerService, poller: AttemptPoller, context: ConnectContext
    ) -> None:
        self._attempts = attempts
        self._partner = partner
        self._poller = poller
        self._context = context

    def accept(self, attempt: Attempt) -> Attempt:
        """Replace the connected third-party account by the one that signed in; return the new attempt for it.

        The failed attempt stays failed. Idempotent: the new attempt's id is derived from the failed one's, so
        a repeated or concurrent call returns the same attempt. Raises ``InvalidRequest`` when no grant was
        held, ``TooLate`` when it is no longer, or ``PartnerUnavailable``.
        """
        token_sha256, account_connector_id = attempt.sign_in_token_sha256, attempt.account_connector_id
        if attempt.error_code != outcome.MISMATCH or token_sha256 is None or account_connector_id is None:
            raise InvalidRequest("accept: no other account has signed in here")
        if (existing := self.accepted(attempt)) is not None:
            return self._poller.poll(existing)
        self._partner.accept_sign_in(attempt.account, account_connector_id, token_sha256)
        accepting = self._accepting(attempt)
        try:
            self._attempts.add(accepting)
        except AlreadyBegun as concurrent:
            accepting = concurrent.attempt
        return self._poller.poll(accepting)

    def _accepting(self, attempt: Attempt) -> Attempt:
        """The new attempt: launched now, for the same sign-in of the same user."""
        now, new_id = self._context.clock(), _id_of_accepting(attempt)
        return Attempt(
            id=new_id,
            support_code=support_code(self._context.random_token()),
            status=Status.LAUNCHED,
            product=attempt.product,
            account=attempt.account,
            user=attempt.user,
            connector=attempt.connector,
            # They may name the attempt. They are not rendered anew, as it is not stored from which template.
            message=attempt.message.replace(attempt.id, new_id),
            callback_message=attempt.callback_message.replace(attempt.id, new_id),
            delivery=attempt.delivery,
            locale=attempt.locale,
            origin=attempt.origin,
            return_url=attempt.return_url,
            # Required by the column, but never handed out: this attempt has nothing to launch.
            launch_token_sha256=fingerprint(self._context.random_token()),
            created_at=now,
            expires_at=now + LAUNCHED_LIFE,
            launched_at=now,
            minted_at=attempt.minted_at,
            sign_in_token_sha256=attempt.sign_in_token_sha256,
            account_connector_id=attempt.account_connector_id,
            authenticated_before=attempt.authenticated_before,
            external_account=attempt.external_account,
            wanted_connection=attempt.wanted_connection,
            adds_connection=attempt.adds_connection,
        )

    def accepted(self, attempt: Attempt) -> Attempt | None:
        """The attempt that ``accept`` made before for this failed one, as it is stored."""
        return self._attempts.get(_id_of_accepting(attempt))


def _id_of_accepting(attempt: Attempt) -> str:
    return "att_" + fingerprint(f"accepted in place of {attempt.id}")[:24]
