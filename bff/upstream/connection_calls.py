"""What is done with one connection at the partner service: its end, and the access token of its grant."""

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
    """Calls about one account connector that do more than look."""

    def __init__(self, calls: PartnerCalls) -> None:
        self._calls = calls

    def deauthenticate(self, account: AccountRef, number: int) -> bool:
        """``PUT .../deauthenticate``: the credentials are forgotten there. False when it is gone."""
        answer = self._about(account, "PUT", number, "/deauthenticate")
        return _is_done(answer)

    def remove(self, account: AccountRef, number: int) -> bool:
        """``DELETE``: False when it was gone."""
        answer = self._about(account, "DELETE", number)
        return _is_done(answer)

    def access_token(self, account: AccountRef, number: int) -> AccessToken:
        """The embedded service's own call: of any number of callers, one refreshes there.

        Raises ``ConnectionNotFound``, ``NeedsReconnect``, and ``NotSupportedByPartner`` for Cyclr.
        """
        if not self._calls.is_embedded():
            raise NotSupportedByPartner("this partner service gives no access tokens to its API clients")
        answer = self._about(account, "POST", number, "/accesstoken")
        if answer is None:
            raise ConnectionNotFound(f"there is no connection {number}")
        if answer.status == CONFLICT:
            raise NeedsReconnect(f"connection {number}: its user has to sign in again")
        if answer.status == NOT_IMPLEMENTED:
            raise NotSupportedByPartner(f"connection {number}: {message_of(answer)}")
        return grant_reader.read_access_token(require_ok(answer))

    def _about(self, account: AccountRef, method: str, number: int, verb: str = "") -> Answer | None:
        # Harmless: what has ended or gone ends no second time.
        more: Any = {"account": account, "means": {NOT_FOUND}, "harmless": True}
        try:
            answer = self._calls.call(method, f"{LISTED}/{number}{verb}", f"{LISTED}/{{id}}{verb}", **more)
        except AccountUnknown:
            return None
        if answer.status == NOT_FOUND and not message_of(answer):
            # Of a thing that is gone the partner service says so; else it is the route that is not there.
            raise PartnerUnavailable(f"the partner service does not know {method} {LISTED}/{{id}}{verb}")
        return None if answer.status == NOT_FOUND else answer


def _is_done(answer: Answer | None) -> bool:
    """False if there was nothing left to do it to. Raises ``PartnerUnavailable``."""
    if answer is not None:
        require_done(answer)  # Its body, if any, says nothing more.
    return answer is not None
