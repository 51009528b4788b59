"""Calls about one sign-in, which the embedded service has and Cyclr has not."""

from __future__ import annotations

from typing import Final

from bff.common.errors import TooLate
from bff.common.secret import Secret
from bff.identity.principal import AccountRef
from bff.outbound.client import Answer
from bff.upstream import json_reader as partner_json
from bff.upstream.calls import NOT_FOUND, PartnerCalls, require_done, require_ok, segment
from bff.upstream.connection_calls import LISTED

GONE: Final = frozenset({NOT_FOUND, 410})


class SignInCalls:
    """Ends a sign-in that waits for the BFF, named by the SHA-256 of its token."""

    def __init__(self, calls: PartnerCalls) -> None:
        self._calls = calls

    def accept(self, account: AccountRef, account_connector_id: int, token_sha256: str) -> None:
        """``PUT .../accept``: connect with the held grant. Raises ``TooLate``."""
        answer = self._about(account, account_connector_id, token_sha256, "accept")
        if answer.status in GONE:
            raise TooLate("accept: it is too late to choose this account; connect again")
        require_done(answer)

    def complete(
        self, account: AccountRef, account_connector_id: int, token_sha256: str, code: Secret
    ) -> Secret | None:
        """``PUT .../complete``: the id of the finishing page; None if the code is used or has expired."""
        answer = self._about(account, account_connector_id, token_sha256, "complete", code)
        return None if answer.status in GONE else partner_json.read_finish_id(require_ok(answer))

    def refuse(self, account: AccountRef, account_connector_id: int, token_sha256: str, code: Secret) -> bool:
        """``PUT .../refuse``: discards the grant that the code stands for. False if the code is not good."""
        answer = self._about(account, account_connector_id, token_sha256, "refuse", code)
        if answer.status in GONE:
            return False
        require_done(answer)
        return True

    def _about(
        self,
        account: AccountRef,
        account_connector_id: int,
        token_sha256: str,
        verb: str,
        code: Secret | None = None,
    ) -> Answer:
        return self._calls.call(
            "PUT",
            f"{LISTED}/{account_connector_id}/signins/{segment(token_sha256)}/{verb}",
            f"{LISTED}/{{id}}/signins/{{token}}/{verb}",
            account=account,
            asks_others=verb == "accept",
            harmless=verb == "accept",
            document={"Code": code.reveal()} if code else None,
            means={NOT_FOUND},
        )
