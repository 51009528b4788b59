"""Calls that end one connection at the partner service, or get an access token of its grant."""

from __future__ import annotations

from typing import Any, Final

from bff.common.errors import (
    AccountUnknown,
    ConnectionNotFound,
    NeedsReconnect,
    NotSupportedByPartner,
    PartnerUnavailable,
)
from bff.identity.principal import AccountRef
from bff.outbound.client import Answer
from bff.upstream import grant_reader
from bff.upstream.calls import NOT_FOUND, PartnerCalls, message_of, require_done, require_ok
from bff.upstream.protocol import AccessToken

LISTED: Final = "/v1.0/account/connectors"
CONFLICT: Final = 409
NOT_IMPLEMENTED: Final = 501


class ConnectionCalls:
    """Calls about one account connector that do more than read it."""

    def __init__(self, calls: PartnerCalls) -> None:
        self._calls = calls

    def deauthenticate(self, account: AccountRef, account_connector_id: int) -> bool:
        """``PUT .../deauthenticate``: deletes its credentials there. False if it does not exist."""
        answer = self._about(account, "PUT", account_connector_id, "/deauthenticate")
        return _is_done(answer)

    def remove(self, account: AccountRef, account_connector_id: int) -> bool:
        """``DELETE``: False if it did not exist."""
        answer = self._about(account, "DELETE", account_connector_id)
        return _is_done(answer)

    def access_token(
        self, account: AccountRef, account_connector_id: int, *, force: bool = False
    ) -> AccessToken:
        """The embedded service's own call; of concurrent callers, one refreshes the grant there.

        ``force``: it refreshes a token that has not expired, too.

        Raises ``ConnectionNotFound``, ``NeedsReconnect``, and ``NotSupportedByPartner`` for Cyclr.
        """
        if not self._calls.is_embedded():
            raise NotSupportedByPartner("this partner service gives no access tokens to its API clients")
        try:
            answer = self._about(
                account, "POST", account_connector_id, "/accesstoken", {"Force": True} if force else None
            )
        except PartnerUnavailable as error:
            if not error.named:
                raise
            detail = f"connection {account_connector_id} remains; its third party gives no access token now"
            raise PartnerUnavailable(detail, retry_after=error.retry_after) from None
        if answer is None:
            raise ConnectionNotFound(f"there is no connection {account_connector_id}")
        if answer.status == CONFLICT:
            raise NeedsReconnect(f"connection {account_connector_id}: its user has to sign in again")
        if answer.status == NOT_IMPLEMENTED:
            raise NotSupportedByPartner(f"connection {account_connector_id}: {message_of(answer)}")
        return grant_reader.read_access_token(require_ok(answer))

    def _about(
        self,
        account: AccountRef,
        method: str,
        account_connector_id: int,
        verb: str = "",
        document: Any = None,
    ) -> Answer | None:
        # Harmless: a repeated call ends nothing twice.
        more: Any = {"means": {NOT_FOUND}, "harmless": True, "asks_others": True, "document": document}
        try:
            answer = self._calls.call(
                method,
                f"{LISTED}/{account_connector_id}{verb}",
                f"{LISTED}/{{id}}{verb}",
                account=account,
                **more,
            )
        except AccountUnknown:
            return None
        if answer.status == NOT_FOUND and not message_of(answer):
            # For a missing account connector there is a message; without one, the route is missing.
            raise PartnerUnavailable(f"the partner service does not know {method} {LISTED}/{{id}}{verb}")
        return None if answer.status == NOT_FOUND else answer


def _is_done(answer: Answer | None) -> bool:
    """False if the account connector does not exist. Raises ``PartnerUnavailable``."""
    if answer is not None:
        require_done(answer)  # The body is not needed.
    return answer is not None
